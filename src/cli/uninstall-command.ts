import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, VALIDATING_WEBHOOK_CONFIGURATIONS, type ResourceType } from '../kube/resource-type.ts';
import { isKubeError } from '../kube/kube-error.ts';
import { purgedAnswerSchema } from '../nodeagent/local/requests.ts';
import { CliError, tell, type CliIo } from './cli-io.ts';
import { CONNECT_TIMEOUT_MS, withCluster, type Cluster } from './cluster.ts';
import { askAgents } from './fleet-exec.ts';
import { agentSet, cleanNodes, DAEMON_SETS, missingAgents, untilGone, type AgentSet } from './node-cleanup.ts';

type UninstallFlags = {
  readonly kubeconfig?: string;
  readonly agentNamespace: string;
  readonly force?: true;
  readonly crds?: true;
  readonly yes?: true;
};

const EXAMPLES = `
Examples:
  palisade uninstall --yes       remove programs and pins from every node, then everything of Palisade from the cluster
  palisade uninstall --crds      also the definitions of TracingPolicy, and with them all policies

What is pinned in a kernel outlives the pods, so the nodes come first. If a node does not confirm, nothing is removed from the cluster,
the node is named and the exit code is 1; --force goes on without it ("palisade node purge" does it later, on the node).`;

const CLUSTER_ROLES: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  isNamespaced: false,
};
const CLUSTER_ROLE_BINDINGS: ResourceType = { ...CLUSTER_ROLES, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };
const DEPLOYMENTS: ResourceType = { ...DAEMON_SETS, plural: 'deployments', kind: 'Deployment' };

const POD_TIMEOUT_MS = 120_000;
const OURS = 'app.kubernetes.io/name=palisade';
const AGENTS = `${OURS},app.kubernetes.io/component=agent`;
const POLICY_DEFINITIONS = ['tracingpolicies.cilium.io', 'tracingpoliciesnamespaced.cilium.io'];

export function addUninstallCommand(program: Command, io: CliIo): void {
  program
    .command('uninstall')
    .description('Remove Palisade from all nodes and from the cluster')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'go on although a node did not confirm')
    .option('--crds', 'also delete the definitions of the policies, and so all policies')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .option('--agent-namespace <name>', 'where Palisade runs', 'palisade-system')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: UninstallFlags) => {
      if (flags.yes === undefined) await confirm(io);
      await withCluster(flags, (cluster) => uninstall(cluster, flags, io));
    });
}

async function confirm(io: CliIo): Promise<void> {
  if (!io.isInputTerminal) throw new CliError('this removes all protection from the cluster; --yes says that it is meant');
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // Ctrl-D closes it, and no answer comes.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    const asked = terminal.question('This removes all protection from all nodes. Go on? [y/N] ', { signal: io.signal });
    const answer = await Promise.race([asked, closed]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done', 1);
  } finally {
    terminal.close();
  }
}

async function uninstall(cluster: Cluster, flags: UninstallFlags, io: CliIo): Promise<void> {
  const agents = await agentSet(cluster.client, flags.agentNamespace);
  const isClean = await purgeNodes(cluster, agents, io);
  if (!isClean && flags.force === undefined) {
    tell(io, 'nothing was removed from the cluster; --force goes on without these nodes');
    return;
  }
  // The webhook first: with its pods gone it would refuse every change of a policy.
  await removeLabelled(cluster, VALIDATING_WEBHOOK_CONFIGURATIONS, null, io);
  await removeLabelled(cluster, DAEMON_SETS, flags.agentNamespace, io);
  await removeFolders(cluster, flags.agentNamespace, agents?.image ?? null, io);
  await removeLabelled(cluster, DEPLOYMENTS, flags.agentNamespace, io);
  await removeLabelled(cluster, CLUSTER_ROLE_BINDINGS, null, io);
  await removeLabelled(cluster, CLUSTER_ROLES, null, io);
  if (flags.crds !== undefined) for (const name of POLICY_DEFINITIONS) await remove(cluster, CUSTOM_RESOURCE_DEFINITIONS, null, name, io);
  await remove(cluster, NAMESPACES, null, flags.agentNamespace, io);
}

/** True if every node that should have an agent confirmed that nothing of ours is left in its kernel. */
async function purgeNodes(cluster: Cluster, agents: AgentSet | null, io: CliIo): Promise<boolean> {
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
    tell(io, `node ${one.node} did not confirm: ${one.ok ? `left behind: ${one.answer.left.join('; ')}` : one.message}`);
  }
  const missing = missingAgents(agents, new Set(cluster.pods.map(({ node }) => node)).size);
  if (missing === undefined) return isClean;
  io.setExitCode(1);
  tell(io, missing);
  return false;
}

async function removeFolders(cluster: Cluster, namespace: string, image: string | null, io: CliIo): Promise<void> {
  const nodes = [...new Set(cluster.pods.map(({ node }) => node).filter((node) => node !== ''))];
  if (image === null || nodes.length === 0) return;
  const isGone = await untilGone(cluster.client, namespace, AGENTS, POD_TIMEOUT_MS, io.signal);
  if (!isGone) tell(io, 'the agents take long to end; their folders may be left behind');
  const dirty = await cleanNodes({ client: cluster.client, namespace, image, nodes, timeoutMs: POD_TIMEOUT_MS, signal: io.signal });
  io.stdout.write(`folders removed from ${nodes.length - dirty.length} of ${nodes.length} nodes\n`);
  for (const node of dirty) tell(io, `node ${node}: /var/lib/palisade and /var/log/palisade may be left behind`);
  if (dirty.length > 0) io.setExitCode(1);
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
