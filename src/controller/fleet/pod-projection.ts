import { z } from 'zod';
import { controllerOf, type KubeObject, type ObjectMeta } from '../../kube/kube-object.ts';
import { HUB_LIMITS, type HubPod } from '../../protocol/hub-frames.ts';

/** A pod as the controller keeps it: what its node's agent is told, and what agents are found by. */
export type PodItem = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Empty: not bound yet. */
  readonly node: string;
  /** Wall clock of the API server, whole seconds; 0: not said. */
  readonly createdMs: number;
  /** Succeeded or Failed: its cgroups are gone. */
  readonly isTerminal: boolean;
  readonly isDeleting: boolean;
  /** Carries the labels of our agents. Whether it really is one, its namespace and its token's ServiceAccount decide. */
  readonly hasAgentLabels: boolean;
  /** Carries the label of upstream's agents. */
  readonly isForeignAgent: boolean;
  readonly hub: HubPod;
  /** Labels and containers beyond the bounds of the feed. */
  readonly omitted: number;
};

const NAME_LABEL = 'app.kubernetes.io/name';
const COMPONENT_LABEL = 'app.kubernetes.io/component';
/** Labels of the pods of our DaemonSet (deploy/daemonset.yaml). */
const AGENT_LABELS = { [NAME_LABEL]: 'palisade', [COMPONENT_LABEL]: 'agent' } as const;
/** Value of the name label on agents of upstream. */
const FOREIGN_AGENT_NAME = 'tetragon';

const container = z.object({ name: z.string(), image: z.string().default('') });
const begun = z.object({ startedAt: z.string().nullish() }).nullish();
const status = z.object({
  name: z.string(),
  containerID: z.string().default(''),
  state: z.object({ running: begun, terminated: begun }).nullish(),
});
const podSchema = z.object({
  spec: z.object({
    nodeName: z.string().default(''),
    hostPID: z.boolean().default(false),
    hostNetwork: z.boolean().default(false),
    initContainers: z.array(container).nullish(),
    containers: z.array(container).nullish(),
    ephemeralContainers: z.array(container).nullish(),
  }),
  status: z
    .object({
      phase: z.string().default(''),
      initContainerStatuses: z.array(status).nullish(),
      containerStatuses: z.array(status).nullish(),
      ephemeralContainerStatuses: z.array(status).nullish(),
    })
    .prefault({}),
});

/** On the API object of a static pod, its uid as the kubelet knows it: the one in the cgroup's path. */
const CONFIG_HASH = 'kubernetes.io/config.hash';
/** A hash and never a uid of the API: whoever may create pods may write the annotation, and must not be taken for another pod. */
const HASH_PATTERN = /^[0-9a-f]{32}$/;
const CONFIG_MIRROR = 'kubernetes.io/config.mirror';

/**
 * What of a pod reaches its node: names, labels, workload, containers; never readiness, phase, annotations or environment, so that most
 * updates of a pod change nothing here.
 */
export function projectPod(object: KubeObject): PodItem {
  const { metadata } = object;
  const { spec, status: state } = podSchema.parse(object);
  const statuses = new Map(
    [...(state.initContainerStatuses ?? []), ...(state.containerStatuses ?? []), ...(state.ephemeralContainerStatuses ?? [])].map((one) => [
      one.name,
      one,
    ]),
  );
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
  const labels = Object.entries(metadata.labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    node: spec.nodeName,
    createdMs: Date.parse(metadata.creationTimestamp ?? '') || 0,
    isTerminal: state.phase === 'Succeeded' || state.phase === 'Failed',
    isDeleting: metadata.deletionTimestamp !== undefined,
    hasAgentLabels: Object.entries(AGENT_LABELS).every(([key, value]) => metadata.labels?.[key] === value),
    isForeignAgent: metadata.labels?.[NAME_LABEL] === FOREIGN_AGENT_NAME,
    hub: {
      uid: metadata.uid,
      cgroupUid: cgroupUidOf(metadata),
      ns: metadata.namespace ?? '',
      name: metadata.name,
      labels: Object.fromEntries(labels.slice(0, HUB_LIMITS.maxPodLabels)),
      workload: workloadOf(metadata),
      host: { pid: spec.hostPID, net: spec.hostNetwork },
      containers: containers.slice(0, HUB_LIMITS.maxPodContainers).map((one) => {
        const status = statuses.get(one.name);
        const id = withoutScheme(status?.containerID ?? '');
        const started = startedOf(status);
        const begun = id === '' || started === null ? {} : { started };
        return { n: one.name, ...(id === '' ? {} : { id }), image: one.image.slice(0, 1_024), ...begun };
      }),
    },
    omitted: Math.max(0, labels.length - HUB_LIMITS.maxPodLabels) + Math.max(0, containers.length - HUB_LIMITS.maxPodContainers),
  };
}

/** Seconds since 1970; null: not yet, or the kubelet says something else than a time. */
function startedOf(one: z.infer<typeof status> | undefined): number | null {
  const seconds = Math.floor(Date.parse(one?.state?.running?.startedAt ?? one?.state?.terminated?.startedAt ?? '') / 1_000);
  return seconds > 0 ? seconds : null;
}

function cgroupUidOf(metadata: ObjectMeta): string {
  const isMirror = metadata.annotations?.[CONFIG_MIRROR] !== undefined;
  const hash = metadata.annotations?.[CONFIG_HASH] ?? '';
  return isMirror && HASH_PATTERN.test(hash) ? hash : metadata.uid;
}

/**
 * The workload that people know the pod by. A ReplicaSet of a Deployment is the Deployment's name and `pod-template-hash`, so the pod alone
 * tells; the same goes for the Job of a CronJob, whose name ends in the scheduled minute.
 */
export function workloadOf(metadata: ObjectMeta): [string, string] | null {
  const owner = controllerOf(metadata);
  if (owner === undefined) {
    return null;
  }
  const hash = metadata.labels?.['pod-template-hash'];
  const deployment = owner.kind === 'ReplicaSet' && owner.name.endsWith(`-${hash}`) ? owner.name.slice(0, -`-${hash}`.length) : '';
  if (deployment !== '') {
    return ['Deployment', deployment.slice(0, 253)];
  }
  const cronJob = owner.kind === 'Job' ? /^(.+)-\d{8}$/.exec(owner.name)?.[1] : undefined;
  if (cronJob !== undefined) {
    return ['CronJob', cronJob.slice(0, 253)];
  }
  return [owner.kind.slice(0, 64), owner.name.slice(0, 253)];
}

function withoutScheme(containerId: string): string {
  return containerId.slice(containerId.indexOf('://') < 0 ? 0 : containerId.indexOf('://') + 3).slice(0, 256);
}
