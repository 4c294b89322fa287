import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { askAgent } from '../nodeagent/local/agent-client.ts';
import { changedAnswerSchema, purgedAnswerSchema, type AgentRequest } from '../nodeagent/local/requests.ts';
import { CliError, tell, type CliIo } from './cli-io.ts';
import { EVENTS_SOCKET } from './local-paths.ts';
import type { z } from 'zod';

type NodeFlags = {
  readonly node?: string;
  readonly allNodes?: true;
  readonly local?: true;
  readonly output?: 'json';
  readonly kubeconfig?: string;
  readonly agentNamespace: string;
  readonly eventsSocket: string;
};

const EXAMPLES = `
Examples:
  palisade node suspend block-etc-writes --node worker-7     stop one policy on one node, now and after restarts
  palisade node suspend '*' --all-nodes                      the emergency brake: no policy anywhere, the controller need not answer
  palisade node resume block-etc-writes --node worker-7
  palisade node purge --node worker-7                        remove programs, pins, plans and events from a node

Inside the agent's container, and with --local, the command is for that node. A node that has no agent cannot be asked, and is not
named: what is pinned there goes on.`;

export function addNodeCommand(program: Command, io: CliIo): void {
  const node = program.command('node').description('Act on nodes without the controller').addHelpText('after', EXAMPLES);
  const common = (command: Command): Command =>
    command
      .option('--node <name>', 'on this node')
      .option('--all-nodes', 'on every node')
      .option('--local', 'on the node that this runs on')
      .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
      .option('--agent-namespace <name>', 'where the agents run', 'palisade-system')
      .option('--events-socket <path>', 'socket of the local agent', EVENTS_SOCKET)
      .addOption(new Option('-o, --output <format>', 'for programs: one line for each node').choices(['json']));
  common(node.command('suspend').description('Stop a policy on nodes').argument('<policy>', "name, namespace/name, or '*' for all")).action(
    async (policy: string, flags: NodeFlags) => {
      await act(flags, io, { op: 'suspend', policy }, ['suspend', policy], changedAnswerSchema, ({ changed }) =>
        changed ? 'suspended' : 'was suspended already',
      );
    },
  );
  common(
    node.command('resume').description('Let a suspended policy run again').argument('<policy>', "name, namespace/name, or '*'"),
  ).action(async (policy: string, flags: NodeFlags) => {
    await act(flags, io, { op: 'resume', policy }, ['resume', policy], changedAnswerSchema, ({ changed }) =>
      changed ? 'runs again' : 'was not suspended',
    );
  });
  common(
    node.command('purge').description('Remove everything of Palisade from nodes; the agent does nothing more until it is restarted'),
  ).action(async (flags: NodeFlags) => {
    await act(flags, io, { op: 'purge' }, ['purge'], purgedAnswerSchema, (answer) => {
      for (const left of answer.left) tell(io, `left behind: ${left}`);
      if (answer.left.length > 0) io.setExitCode(1);
      return `${answer.removed} pins removed`;
    });
  });
}

async function act<Answer extends object>(
  flags: NodeFlags,
  io: CliIo,
  request: AgentRequest,
  words: readonly string[],
  schema: z.ZodType<Answer>,
  say: (answer: Answer) => string,
): Promise<void> {
  const places = [flags.local && '--local', flags.node !== undefined && '--node', flags.allNodes && '--all-nodes'].filter(Boolean);
  if (places.length > 1) throw new CliError(`${places.join(' and ')} contradict each other`);
  const isLocal = flags.local === true || (flags.node === undefined && flags.allNodes === undefined && existsSync(flags.eventsSocket));
  if (isLocal) {
    const answer = await askAgent(flags.eventsSocket, request, schema);
    const said = say(answer);
    io.stdout.write(flags.output === 'json' ? `${JSON.stringify(answer)}\n` : `${said}\n`);
    return;
  }
  if (flags.node === undefined && flags.allNodes === undefined) throw new CliError('say which node: --node NAME, or --all-nodes');
  const { CONNECT_TIMEOUT_MS, withAgents } = await import('./cluster.ts');
  const { askAgents } = await import('./fleet-exec.ts');
  const answers = await withAgents(flags, ({ access, pods }) =>
    askAgents({
      access,
      pods,
      args: ['node', ...words, '--local', '-o', 'json'],
      schema,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      signal: io.signal,
    }),
  );
  for (const one of answers) {
    if (one.ok) {
      const said = say(one.answer);
      io.stdout.write(flags.output === 'json' ? `${JSON.stringify({ node: one.node, ...one.answer })}\n` : `${one.node}: ${said}\n`);
    } else {
      tell(io, `node ${one.node} was not reached: ${one.message}`);
      io.setExitCode(1);
    }
  }
}
