import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { askAgent } from '../nodeagent/local/agent-client.ts';
import { statusAnswerSchema, type PolicyStatus, type StatusAnswer } from '../nodeagent/local/requests.ts';
import { policyLabel } from '../nodeagent/state/choose-plans.ts';
import { CliError, tell, writeOut, type CliIo } from './cli-io.ts';
import type { NodeAnswer } from './fleet-exec.ts';
import { EVENTS_SOCKET } from './local-paths.ts';
import { printableText } from './printable-text.ts';
import { formatTable } from './table.ts';

type StatusFlags = {
  readonly output: 'table' | 'json';
  readonly node?: string;
  readonly local?: true;
  readonly kubeconfig?: string;
  readonly agentNamespace: string;
  readonly eventsSocket: string;
};

const EXAMPLES = `
Examples:
  palisade status                         every policy on every node
  palisade status block-etc-writes        one policy: state, reason, attach method and mode, node by node
  palisade status team-a/shells -o json

Exit code 1 if a policy does not run as wished somewhere, or a node could not be asked.`;

export function addStatusCommand(program: Command, io: CliIo): void {
  program
    .command('status')
    .description('Show what runs on the nodes')
    .argument('[policy]', 'name, or namespace/name')
    .addOption(new Option('-o, --output <format>', 'table or JSON').choices(['table', 'json']).default('table'))
    .option('--node <name>', 'of this node')
    .option('--local', 'ask the agent of this node only')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .option('--agent-namespace <name>', 'where the agents run', 'palisade-system')
    .option('--events-socket <path>', 'socket of the local agent', EVENTS_SOCKET)
    .addHelpText('after', EXAMPLES)
    .action((policy: string | undefined, flags: StatusFlags) => runStatus(policy ?? null, flags, io));
}

async function runStatus(policy: string | null, flags: StatusFlags, io: CliIo): Promise<void> {
  const isLocal = flags.local === true || (flags.kubeconfig === undefined && existsSync(flags.eventsSocket));
  if (isLocal) {
    const answer = await askAgent(flags.eventsSocket, { op: 'status' }, statusAnswerSchema);
    await show([{ node: answer.node, ok: true, answer }], policy, flags.output === 'json' ? 'one node as JSON' : 'table', io);
    return;
  }
  const { CONNECT_TIMEOUT_MS, withAgents } = await import('./cluster.ts');
  const { askAgents } = await import('./fleet-exec.ts');
  const answers = await withAgents(flags, ({ access, pods }) =>
    askAgents({
      access,
      pods,
      args: ['status', '--local', '-o', 'json'],
      schema: statusAnswerSchema,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal: io.signal,
    }),
  );
  await show(answers, policy, flags.output === 'json' ? 'nodes as JSON' : 'table', io);
}

type Form = 'table' | 'one node as JSON' | 'nodes as JSON';

async function show(answers: readonly NodeAnswer<StatusAnswer>[], policy: string | null, form: Form, io: CliIo): Promise<void> {
  const nodes = answers.flatMap((one) => (one.ok ? [onlyPolicy(one.answer, policy)] : []));
  for (const one of answers) {
    if (one.ok) continue;
    tell(io, `node ${one.node} could not be asked: ${one.message}`);
    io.setExitCode(1);
  }
  if (policy !== null && nodes.every((node) => node.policies.length === 0) && nodes.length > 0) {
    throw new CliError(`no node that was asked has a policy ${JSON.stringify(policy)}`);
  }
  if (nodes.some((node) => node.faults.length > 0 || node.policies.some(({ state }) => state !== 'loaded'))) io.setExitCode(1);
  // Nobody knows of policies; and that there are none would be wrong.
  if (nodes.length === 0 && form === 'table') return;
  if (form === 'table') await writeOut(io.stdout, statusTable(nodes));
  else await writeOut(io.stdout, `${JSON.stringify(form === 'nodes as JSON' ? nodes : nodes[0], null, 2)}\n`);
}

function onlyPolicy(status: StatusAnswer, policy: string | null): StatusAnswer {
  return policy === null
    ? status
    : { ...status, policies: status.policies.filter((one) => policyLabel(one) === policy || one.name === policy) };
}

/** Exported for its test. */
export function statusTable(nodes: readonly StatusAnswer[]): string {
  const rows = nodes.flatMap((node) => node.policies.map((policy) => policyRow(node, policy)));
  const table = formatTable(['NODE', 'POLICY', 'STATE', 'REASON', 'MODE', 'METHOD', 'EVENTS', 'ENFORCED', 'LOST'], rows);
  const faults = nodes.flatMap((node) => node.faults.map((fault) => printableLine(`${node.node}: ${fault}`)));
  const details = nodes.flatMap((node) => node.policies.flatMap((policy) => detail(node, policy)));
  return [rows.length === 0 ? 'no policies\n' : table, ...faults, ...details].join('');
}

function policyRow(node: StatusAnswer, policy: PolicyStatus): string[] {
  const { counters } = policy;
  const would = counters.wouldEnforce === '0' ? '' : ` (would ${counters.wouldEnforce})`;
  return [
    node.node,
    policyLabel(policy),
    policy.state,
    policy.reason === '' ? '-' : policy.reason,
    policy.mode,
    policy.method ?? '-',
    counters.events,
    `${counters.enforced}${would}`,
    counters.lost,
  ];
}

function detail(node: StatusAnswer, policy: PolicyStatus): string[] {
  if (policy.message === undefined) return [];
  const hook = policy.hook === undefined ? '' : `${policy.hook}: `;
  return [printableLine(`${node.node}: ${policyLabel(policy)}: ${hook}${policy.message}`)];
}

function printableLine(text: string): string {
  return `${printableText(text)}\n`;
}
