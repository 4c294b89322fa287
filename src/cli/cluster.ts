import { createKubeClient, type KubeClient } from '../kube/client.ts';
import { loadAccess, type ApiServerAccess } from '../kube/credentials.ts';
import { createTransport, type KubeTransport } from '../kube/transport.ts';
import { systemClock } from '../telemetry/clock.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { listAgentPods, type AgentPod } from './agent-pods.ts';
import { CliError } from './cli-io.ts';

export type ClusterFlags = { readonly kubeconfig?: string; readonly agentNamespace: string; readonly node?: string };

/** A cluster and the agents in it, for one command. */
export type Cluster = {
  readonly access: ApiServerAccess;
  readonly client: KubeClient;
  readonly transport: KubeTransport;
  readonly pods: readonly AgentPod[];
};

export const CONNECT_TIMEOUT_MS = 10_000;

/** Calls `work` with the agents that the flags mean; throws CliError where there are none. */
export async function withAgents<Result>(flags: ClusterFlags, work: (cluster: Cluster) => Promise<Result>): Promise<Result> {
  return await withCluster(flags, async (cluster) => {
    if (cluster.pods.length > 0) return await work(cluster);
    const where = flags.node === undefined ? `namespace ${flags.agentNamespace}` : `node ${JSON.stringify(flags.node)}`;
    throw new CliError(`no agent of Palisade in ${where}; "kubectl -n ${flags.agentNamespace} get pods" shows what is there`);
  });
}

/** As `withAgents`, where none is an answer too. */
export async function withCluster<Result>(flags: ClusterFlags, work: (cluster: Cluster) => Promise<Result>): Promise<Result> {
  const access = loadAccess({ clock: systemClock, kubeconfigFile: flags.kubeconfig ?? null });
  const transport = createTransport({ access, clock: systemClock, metrics: createMetrics(), userAgent: 'palisade' });
  try {
    const client = createKubeClient(transport);
    const all = await listAgentPods(client, flags.agentNamespace);
    return await work({ access, client, transport, pods: all.filter((pod) => flags.node === undefined || pod.node === flags.node) });
  } finally {
    await transport.close();
  }
}
