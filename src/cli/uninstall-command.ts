import type { Command } from 'commander';
import { CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, VALIDATING_WEBHOOK_CONFIGURATIONS, type ResourceType } from '../kube/resource-type.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { purgedAnswerSchema } from '../nodeagent/local/requests.ts';
import type { CliIo } from './cli-io.ts';
import { CONNECT_TIMEOUT_MS, withCluster, type Cluster } from './cluster.ts';
import { askAgents } from './fleet-exec.ts';

type UninstallFlags = { readonly kubeconfig?: string; readonly agentNamespace: string; readonly force?: true; readonly crds?: true };

const EXAMPLES = `
Examples:
  palisade uninstall             remove programs and pins from every node, then everything of Palisade from the cluster
  palisade uninstall --crds      and the definitions of TracingPolicy, and with them all policies

What is pinned in a kernel outlives the pods, so the nodes come first. If a node does not confirm, nothing is removed from the cluster,
the node is named and the exit code is 1; --force goes on without it ("palisade node purge" does it later, on the node).`;

const CLUSTER_ROLES: ResourceType = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles', kind: 'ClusterRole', isNamespaced: false };
const CLUSTER_ROLE_BINDINGS: ResourceType = { ...CLUSTER_ROLES, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };
const DAEMON_SETS: ResourceType = { group: 'apps', version: 'v1', plural: 'daemonsets', kind: 'DaemonSet', isNamespaced: true };
const DEPLOYMENTS: ResourceType = { ...DAEMON_SETS, plural: 'deployments', kind: 'Deployment' };

const OURS = 'app.kubernetes.io/name=palisade';
const POLICY_DEFINITIONS = ['tracingpolicies.cilium.io', 'tracingpoliciesnamespaced.cilium.io'];

export function addUninstallCommand(program: Command, io: CliIo): void {
  program
    .command('uninstall')
    .description('Remove Palisade from all nodes and from the cluster')
    .option('--force', 'go on although a node did not confirm')
    .option('--crds', 'also delete the definitions of the policies, and so all policies')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .option('--agent-namespace <name>', 'where Palisade runs', 'palisade-system')
    .addHelpText('after', EXAMPLES)
    .action((flags: UninstallFlags) => withCluster(flags, (cluster) => uninstall(cluster, flags, io)));
}

async function uninstall(cluster: Cluster, flags: UninstallFlags, io: CliIo): Promise<void> {
  const isClean = await purgeNodes(cluster, io);
  if (!isClean && flags.force === undefined) {
    io.stderr.write('palisade: nothing was removed from the cluster; --force goes on without these nodes\n');
    return;
  }
  // The webhook first: with its pods gone it would refuse every change of a policy.
  await removeLabelled(cluster, VALIDATING_WEBHOOK_CONFIGURATIONS, null, io);
  await removeLabelled(cluster, DAEMON_SETS, flags.agentNamespace, io);
  await removeLabelled(cluster, DEPLOYMENTS, flags.agentNamespace, io);
  await removeLabelled(cluster, CLUSTER_ROLE_BINDINGS, null, io);
  await removeLabelled(cluster, CLUSTER_ROLES, null, io);
  if (flags.crds !== undefined) for (const name of POLICY_DEFINITIONS) await remove(cluster, CUSTOM_RESOURCE_DEFINITIONS, null, name, io);
  await remove(cluster, NAMESPACES, null, flags.agentNamespace, io);
}

/** True if every node confirmed that nothing of ours is left in its kernel. */
async function purgeNodes(cluster: Cluster, io: CliIo): Promise<boolean> {
  const answers = await askAgents({
    access: cluster.access,
    pods: cluster.pods,
    args: ['node', 'purge', '--local', '-o', 'json'],
    schema: purgedAnswerSchema,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    signal: io.signal,
  });
  let isClean = true;
  for (const one of answers) {
    if (one.ok && one.answer.left.length === 0) {
      io.stdout.write(`${one.node}: ${one.answer.removed} pins removed\n`);
      continue;
    }
    isClean = false;
    io.setExitCode(1);
    io.stderr.write(`palisade: node ${one.node} did not confirm: ${one.ok ? `left behind: ${one.answer.left.join('; ')}` : one.message}\n`);
  }
  return isClean;
}

async function removeLabelled(cluster: Cluster, type: ResourceType, namespace: string | null, io: CliIo): Promise<void> {
  const page = await cluster.client.list(type, { namespace, labelSelector: OURS, content: 'metadata' });
  for (const item of page.items) await remove(cluster, type, namespace, item.metadata.name, io);
}

async function remove(cluster: Cluster, type: ResourceType, namespace: string | null, name: string, io: CliIo): Promise<void> {
  try {
    await cluster.client.remove(type, { namespace, name });
    io.stdout.write(`${type.kind} ${name} deleted\n`);
  } catch (error) {
    if (isKubeError(error) && error.code === 'NotFound') return;
    throw error;
  }
}
