import * as z from 'zod';
import { CommandFailed } from '../../host/command.ts';
import { waitUntil } from '../wait-until.ts';
import { kubectl } from './cluster-under-test.ts';

const stateSchema = z.object({
  terminated: z.object({ exitCode: z.number(), signal: z.number().optional(), reason: z.string().optional() }).optional(),
  running: z.unknown().optional(),
});
const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), uid: z.string() }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({
    phase: z.string(),
    podIP: z.string().optional(),
    containerStatuses: z
      .array(
        z.object({
          name: z.string(),
          restartCount: z.number(),
          ready: z.boolean(),
          state: stateSchema,
          containerID: z.string().optional(),
        }),
      )
      .default([]),
  }),
});

export type Pod = z.infer<typeof podSchema>;

export type PodOptions = {
  readonly name: string;
  readonly namespace?: string;
  /** The worker to run on; anywhere without it. */
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly uid?: number;
};

export async function getPod(name: string, namespace = 'default'): Promise<Pod> {
  return podSchema.parse(await kubectl.json(['get', 'pod', name, '-n', namespace]));
}

export async function podsOf(namespace: string): Promise<Pod[]> {
  return z.object({ items: z.array(podSchema) }).parse(await kubectl.json(['get', 'pods', '-n', namespace])).items;
}

/** Starts a busybox pod that runs a command once. */
export async function startPod(options: PodOptions, command: readonly string[]): Promise<void> {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: options.name, namespace: options.namespace ?? 'default', labels: options.labels ?? {} },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(options.node === undefined ? {} : { nodeName: options.node }),
      containers: [
        {
          name: options.name,
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          command,
          ...(options.uid === undefined ? {} : { securityContext: { runAsUser: options.uid } }),
        },
      ],
    },
  };
  await kubectl.run(['create', '-f', '-'], JSON.stringify(manifest));
}

/** Waits until a pod's container has ended, and returns its exit code. */
export async function untilEnded(name: string, namespace = 'default', timeoutMs = 60_000): Promise<number> {
  return waitUntil(
    `pod ${namespace}/${name} to end`,
    async () => (await getPod(name, namespace)).status.containerStatuses[0]?.state.terminated?.exitCode,
    { timeoutMs, everyMs: 250 },
  );
}

export async function untilRunning(name: string, namespace = 'default'): Promise<Pod> {
  try {
    await kubectl.run(['wait', '--for=condition=Ready', `pod/${name}`, '-n', namespace, '--timeout=120s']);
  } catch (error) {
    const described = await kubectl.run(['describe', 'pod', name, '-n', namespace]);
    throw new Error(`pod ${namespace}/${name} is not Ready:\n${described.slice(-1500)}`, { cause: error });
  }
  return getPod(name, namespace);
}

/** Runs a command in a fresh pod to its end; returns its exit code and removes the pod. */
export async function runToEnd(options: PodOptions, command: readonly string[]): Promise<{ exitCode: number; logs: string }> {
  await startPod(options, command);
  try {
    const exitCode = await untilEnded(options.name, options.namespace);
    return { exitCode, logs: await kubectl.run(['logs', options.name, '-n', options.namespace ?? 'default']) };
  } finally {
    await deletePod(options.name, options.namespace);
  }
}

/** Runs a command in a running pod; the exit status as kubectl tells it. */
export async function execIn(name: string, command: readonly string[], namespace = 'default'): Promise<{ status: number; output: string }> {
  try {
    return { status: 0, output: await kubectl.run(['exec', name, '-n', namespace, '--', ...command]) };
  } catch (error) {
    if (error instanceof CommandFailed && error.status !== null)
      return { status: Number(/exit code (\d+)/.exec(error.stderr)?.[1] ?? error.status), output: error.stderr };
    throw error;
  }
}

export async function deletePod(name: string, namespace = 'default'): Promise<void> {
  await kubectl.run(['delete', 'pod', name, '-n', namespace, '--ignore-not-found', '--force', '--grace-period=0']);
}
