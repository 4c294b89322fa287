import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { AgentEvent } from '../nodeagent/events/event.ts';
import type { EventFilter } from '../nodeagent/events/filter.ts';
import { tell, writeOut, type CliIo } from './cli-io.ts';
import { compactLine } from './compact-line.ts';
import { localEvents } from './events-source.ts';
import { EVENTS_SOCKET, EXPORT_BACKUPS, EXPORT_FILE } from './local-paths.ts';
import { isColorful } from './output-style.ts';
import { parseSince } from './since.ts';
import { systemClock } from '../telemetry/clock.ts';

type EventsFlags = {
  readonly follow?: true;
  readonly output: 'compact' | 'json';
  readonly pod?: string;
  readonly namespace?: string;
  readonly policy?: string;
  readonly node?: string;
  readonly since?: string;
  readonly local?: true;
  readonly color: 'auto' | 'always' | 'never';
  readonly kubeconfig?: string;
  readonly agentNamespace: string;
  readonly eventsSocket: string;
  readonly exportFile: string;
};

const EXAMPLES = `
Examples:
  palisade events                                    everything that the nodes still have, in order of time
  palisade events -f --policy block-etc-writes       what that policy sees, as it happens
  palisade events --pod web --namespace shop --since 10m -o json
  palisade events --local -f                         of this node alone (inside the agent, or standalone)

Without --local, or where no agent runs, the agents of all nodes are asked through the Kubernetes API (needs "create" on pods/exec in
the agents' namespace). Nodes that could not be reached, and those that say nothing for 30 s before they are done, are named on standard
error, and the exit code is 1. With -f a node that has nothing to say and one that hangs look alike.`;

export function addEventsCommand(program: Command, io: CliIo): void {
  program
    .command('events')
    .description('Show security events')
    .option('-f, --follow', 'wait for further events')
    .addOption(
      new Option('-o, --output <format>', 'one line each for people, or JSON as exported').choices(['compact', 'json']).default('compact'),
    )
    .option('--pod <name>', 'of pods whose names begin so')
    .option('-n, --namespace <name>', 'of pods of this namespace')
    .option('--policy <name>', 'of this policy')
    .option('--node <name>', 'of this node')
    .option('--since <time>', 'not older than 10m, 1h30m … or a time')
    .option('--local', 'ask the agent of this node only')
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .option('--agent-namespace <name>', 'where the agents run', 'palisade-system')
    .option('--events-socket <path>', 'socket of the local agent', EVENTS_SOCKET)
    .option('--export-file <path>', 'events of the local agent', EXPORT_FILE)
    .addHelpText('after', EXAMPLES)
    .action((flags: EventsFlags) => runEvents(flags, io));
}

async function runEvents(flags: EventsFlags, io: CliIo): Promise<void> {
  const color = flags.color === 'always' || (flags.color === 'auto' && isColorful(io, 'stdout') && flags.output === 'compact');
  const show = (event: AgentEvent): Promise<void> =>
    writeOut(io.stdout, `${flags.output === 'json' ? JSON.stringify(event) : compactLine(event, { color })}\n`);
  const since = flags.since === undefined ? undefined : parseSince(flags.since, Date.now());
  const filter: EventFilter = {
    ...(flags.pod === undefined ? {} : { pod: flags.pod }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    ...(flags.node === undefined ? {} : { node: flags.node }),
    ...(since === undefined ? {} : { since }),
  };
  const isLocal = flags.local === true || (flags.kubeconfig === undefined && existsSync(flags.eventsSocket));
  if (isLocal) {
    const mode = flags.follow === undefined ? 'history' : since === undefined ? 'follow' : 'both';
    const options = {
      socket: flags.eventsSocket,
      exportFile: flags.exportFile,
      backups: EXPORT_BACKUPS,
      filter,
      mode,
      signal: io.signal,
    } as const;
    for await (const event of localEvents(options)) await show(event);
    return;
  }
  await showFleet(flags, filter, show, io);
}

async function showFleet(flags: EventsFlags, filter: EventFilter, show: (event: AgentEvent) => Promise<void>, io: CliIo): Promise<void> {
  const { CONNECT_TIMEOUT_MS, withAgents } = await import('./cluster.ts');
  const { fleetEvents } = await import('./fleet-events.ts');
  const { execInAgent } = await import('./agent-pods.ts');
  const args = ['events', '--local', '-o', 'json', ...(flags.follow === undefined ? [] : ['-f']), ...filterArgs(filter)];
  await withAgents(flags, ({ access, pods }) =>
    fleetEvents({
      pods,
      run: (pod, onOutput, signal) => execInAgent({ access, pod, args, signal, connectTimeoutMs: CONNECT_TIMEOUT_MS, onOutput }),
      follow: flags.follow === undefined ? 'until the end' : 'for ever',
      signal: io.signal,
      clock: systemClock,
      onEvent: show,
      onMissing: (node, reason) => {
        tell(io, `events of node ${node} are missing: ${reason}`);
        io.setExitCode(1);
      },
    }),
  );
}

function filterArgs(filter: EventFilter): string[] {
  return Object.entries(filter).flatMap(([name, value]) => (name === 'node' || value === undefined ? [] : [`--${name}`, value]));
}
