/** Removes the folders that agent and loader had on the nodes: they are mount points in their own pods and cannot go from inside. */
import { z } from 'zod';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { PODS, type ResourceType } from '../kube/resource-type.ts';
import { sleep, systemClock } from '../telemetry/clock.ts';

export const DAEMON_SETS: ResourceType = { group: 'apps', version: 'v1', plural: 'daemonsets', kind: 'DaemonSet', isNamespaced: true };

const NAME = 'palisade-cleanup';
const LABELS = { 'app.kubernetes.io/name': NAME };
const POLL_MS = 500;
const HOST_FOLDERS = { lib: '/var/lib', log: '/var/log' } as const;

const daemonSetSchema = z.object({
  spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })).min(1) }) }) }),
  status: z.object({ desiredNumberScheduled: z.int() }).optional(),
});
const podSchema = z.object({
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ containerStatuses: z.array(z.object({ ready: z.boolean() })).optional() }).optional(),
});

export type AgentSet = {
  /** What agents run, and the clean-up too: it is on every node already. */
  readonly image: string;
  /** Nodes that should have an agent. */
  readonly nodeCount: number;
};

/** Null where there are no agents. */
export async function agentSet(client: KubeClient, namespace: string): Promise<AgentSet | null> {
  try {
    const { spec, status } = daemonSetSchema.parse(await client.get(DAEMON_SETS, { namespace, name: 'palisade-agent' }));
    const image = spec.template.spec.containers[0]?.image;
    return image === undefined ? null : { image, nodeCount: status?.desiredNumberScheduled ?? 0 };
  } catch (error) {
    if (isKubeError(error) && error.code === 'NotFound') return null;
    throw error;
  }
}

/** Why not all nodes can confirm, besides those that are asked; undefined: all have an agent. */
export function missingAgents(agents: AgentSet | null, podCount: number): string | undefined {
  if (agents === null || podCount >= agents.nodeCount) return undefined;
  const missing = agents.nodeCount - podCount;
  return `${missing} of ${agents.nodeCount} nodes ${missing === 1 ? 'has' : 'have'} no agent that could be asked; what is pinned there stays in force`;
}

/** Returns the nodes that did not get clean in time. The agents must be gone, or they would make the folders again. */
export async function cleanNodes(options: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly image: string;
  readonly nodes: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<string[]> {
  const { client, namespace, image, nodes, signal } = options;
  const deadlineMs = systemClock.monotonicMs() + options.timeoutMs;
  const until = async (wait: (clean: ReadonlySet<string>) => boolean): Promise<ReadonlySet<string>> => {
    for (;;) {
      const clean = await cleanPods(client, namespace);
      if (wait(clean) || signal.aborted || systemClock.monotonicMs() > deadlineMs) return clean;
      await sleep(systemClock, POLL_MS, signal);
    }
  };
  await client.create(DAEMON_SETS, namespace, cleanupDaemonSet(namespace, image));
  try {
    const clean = await until((done) => nodes.every((node) => done.has(node)));
    return nodes.filter((node) => !clean.has(node));
  } finally {
    await client.remove(DAEMON_SETS, { namespace, name: NAME });
  }
}

/** Waits until no pod with these labels is there any more. False: time was up. */
export async function untilGone(
  client: KubeClient,
  namespace: string,
  labelSelector: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  for (;;) {
    const page = await client.list(PODS, { namespace, labelSelector, content: 'metadata' });
    if (page.items.length === 0) return true;
    if (signal.aborted || systemClock.monotonicMs() > deadlineMs) return false;
    await sleep(systemClock, POLL_MS, signal);
  }
}

/** Nodes whose clean-up pod says that it is done, which it does by becoming ready. */
async function cleanPods(client: KubeClient, namespace: string): Promise<ReadonlySet<string>> {
  const page = await client.list(PODS, { namespace, labelSelector: `app.kubernetes.io/name=${NAME}` });
  const nodes = page.items.flatMap((item) => {
    const pod = podSchema.parse(item);
    const isReady = pod.status?.containerStatuses?.every(({ ready }) => ready) === true && pod.status.containerStatuses.length > 0;
    return isReady && pod.spec.nodeName !== undefined ? [pod.spec.nodeName] : [];
  });
  return new Set(nodes);
}

function cleanupDaemonSet(namespace: string, image: string): object {
  const script = `for (const folder of ["lib", "log"]) fs.rmSync("/host/" + folder + "/palisade", { recursive: true, force: true });`;
  const securityContext = {
    runAsUser: 0,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['DAC_OVERRIDE'] },
  };
  const mounts = Object.keys(HOST_FOLDERS).map((name) => ({ name, mountPath: `/host/${name}` }));
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: NAME, namespace, labels: LABELS },
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          automountServiceAccountToken: false,
          tolerations: [{ operator: 'Exists' }],
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          terminationGracePeriodSeconds: 1,
          // Cleans first; that the second container runs says that the first one is done.
          initContainers: [
            {
              name: 'clean',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['/usr/bin/node', '-e', script],
              securityContext,
              volumeMounts: mounts,
            },
          ],
          containers: [
            {
              name: 'done',
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['/usr/bin/node', '-e', 'setInterval(() => {}, 1 << 30)'],
              securityContext: { ...securityContext, capabilities: { drop: ['ALL'] } },
            },
          ],
          volumes: Object.entries(HOST_FOLDERS).map(([name, path]) => ({ name, hostPath: { path, type: 'Directory' } })),
        },
      },
    },
  };
}
