import type { KubeClient } from '../kube/client.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import { NODES, PODS } from '../kube/resource-type.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type AgentIndex, createAgentIndex } from './fleet/agent-index.ts';
import { type NodeItem, projectNode } from './fleet/node-projection.ts';
import { createPodIndex, type PodIndex } from './fleet/pod-index.ts';
import { type PodItem, projectPod } from './fleet/pod-projection.ts';
import { createPolicyCache, type PolicyCache } from './policy/policy-cache.ts';

/** What the API server says about the cluster: policies of both kinds, nodes (metadata), pods (projected). */
export type ClusterView = {
  readonly policies: PolicyCache;
  readonly nodes: Informer<NodeItem>;
  readonly pods: Informer<PodItem>;
  readonly podsByNode: PodIndex;
  readonly agents: AgentIndex;
  /** Follows the API server until the signal is aborted; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when all of it has been listed once, or the signal is aborted. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Undefined while the API server is heard of, else a sentence. */
  fault(): string | undefined;
};

export type ClusterViewOptions = {
  readonly client: KubeClient;
  /** Where our agents' pods are. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** The API server has said nothing for so long: a watch is dead, and a restart may help. */
const SILENCE_MS = 600_000;

export function createClusterView(options: ClusterViewOptions): ClusterView {
  const policies = createPolicyCache(options);
  const nodes = createInformer<NodeItem>({
    ...options,
    type: NODES,
    selection: { namespace: null, content: 'metadata' },
    project: projectNode,
  });
  const pods = createInformer<PodItem>({ ...options, type: PODS, selection: { namespace: null }, project: projectPod });
  const informers = [...policies.informers, nodes, pods];
  return {
    policies,
    nodes,
    pods,
    podsByNode: createPodIndex(),
    agents: createAgentIndex(options.namespace),
    run: async (signal) => {
      await Promise.all(informers.map((informer) => informer.run(signal)));
    },
    waitForSync: async (signal) => {
      await Promise.all(informers.map((informer) => informer.waitForSync(signal)));
    },
    fault: () => {
      const isSilent = informers.some((informer) => informer.hasSynced() && informer.silentForMs() > SILENCE_MS);
      return isSilent ? `the API server has said nothing for ${SILENCE_MS / 1_000} s` : undefined;
    },
  };
}
