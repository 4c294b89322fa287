/** Flags of the agent. Everything has a default that is right in the DaemonSet. Pure: argv and environment are given in. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseListenAddress, type ListenAddress } from '../telemetry/listen-address.ts';
import { LOG_LEVELS, type LogLevel } from '../telemetry/log.ts';

export type AgentTimes = {
  /** Upper end of the first delay before the hub is dialled again; it doubles up to `redialMaxMs`. */
  readonly redialBaseMs: number;
  readonly redialMaxMs: number;
  /** How long the loader may be gone before it counts as down. */
  readonly loaderDownMs: number;
  readonly loaderRetryMs: number;
  /** A load that failed for the node's own reasons is tried again after this. */
  readonly applyRetryMs: number;
  /** How long events of a new container wait for its name. */
  readonly identityWaitMs: number;
  /** The cgroup tree is walked this often, for what the kernel's records missed. */
  readonly cgroupWalkMs: number;
  /** Counters are told to the hub this often where the hub does not say. */
  readonly activityMs: number;
  readonly exportFlushMs: number;
};

export type AgentFlags = {
  readonly nodeName: string;
  readonly hubUrl: string | null;
  readonly hubCaFile: string;
  readonly tokenFile: string;
  readonly loaderSocket: string;
  readonly eventsSocket: string;
  readonly plansDir: string;
  readonly plansMaxBytes: number;
  readonly exportFile: string | null;
  readonly exportMaxBytes: number;
  readonly exportBackups: number;
  readonly metricsListen: ListenAddress;
  readonly cgroupRoot: string;
  /** Executables that are never denied or killed on the host. */
  readonly exemptPaths: readonly string[];
  readonly logLevel: LogLevel;
  readonly times: AgentTimes;
};

const FLAGS: readonly (readonly [name: string, byDefault: string, help: string])[] = [
  ['node-name', '', 'name of this node; $NODE_NAME by default'],
  ['hub-url', '', 'wss://host:port of the controller; empty: no hub, what is on disk is run'],
  ['hub-ca-file', '/var/run/secrets/palisade/ca/ca.crt', 'certificates that the hub is trusted by'],
  ['token-file', '/var/run/secrets/palisade/hub/token', 'projected token of audience palisade-hub'],
  ['loader-socket', '/run/palisade/loader.sock', 'socket of the loader'],
  ['events-socket', '/run/palisade/events.sock', 'socket that the CLI asks'],
  ['plans-dir', '/var/lib/palisade/plans', 'where plans survive a reboot'],
  ['plans-max-mib', '256', 'most that plans may take there'],
  ['export-file', '/var/log/palisade/events.log', 'events as JSON lines; empty: no file'],
  ['export-max-mb', '10', 'a file is closed at this size'],
  ['export-backups', '5', 'closed files kept'],
  ['metrics-listen', ':2112', 'address of /metrics, /healthz, /readyz'],
  ['cgroup-root', '/sys/fs/cgroup', 'the cgroup tree'],
  ['exempt', '', 'further executables that are never denied or killed on the host, separated by commas'],
  ['log-level', 'info', LOG_LEVELS.join(', ')],
  ['redial-base', '30s', 'upper end of the first delay before the hub is dialled again'],
  ['redial-max', '5m', 'upper end of all such delays'],
  ['loader-retry', '200ms', 'delay before the loader is dialled again'],
  ['loader-down', '30s', 'a loader that is away for longer counts as down'],
  ['apply-retry', '30s', 'delay before a failed load is tried again'],
  ['identity-wait', '5s', 'how long events of a new container wait for its name'],
  ['cgroup-walk', '30s', 'how often the cgroup tree is walked'],
  ['activity', '60s', 'how often counters are reported where the hub does not say'],
  ['export-flush', '100ms', 'how long a line may wait before it is written'],
];

/**
 * Never denied or killed where they run on the host: killing one of these takes the node away, and with it everybody who could repair it.
 * The loader adds pid 1, itself and the agent.
 */
export const EXEMPT_EXECUTABLES: readonly string[] = [
  '/usr/bin/kubelet',
  '/usr/local/bin/kubelet',
  '/opt/bin/kubelet',
  '/usr/bin/containerd',
  '/usr/local/bin/containerd',
  '/usr/bin/containerd-shim-runc-v2',
  '/usr/local/bin/containerd-shim-runc-v2',
  '/usr/bin/runc',
  '/usr/sbin/runc',
  '/usr/local/sbin/runc',
  '/usr/local/bin/runc',
  '/usr/bin/crun',
  '/usr/local/bin/crun',
  '/usr/bin/crio',
  '/usr/local/bin/crio',
  '/usr/bin/conmon',
  '/usr/local/bin/conmon',
  '/usr/libexec/crio/conmon',
  '/usr/bin/palisade-loader',
];

/** A flag that cannot be used; the message names it. */
export class AgentFlagError extends Error {
  readonly code = 'AGENT_FLAG';
  override readonly name = 'AgentFlagError';
}

export function agentHelp(): string {
  const lines = FLAGS.map(
    ([name, byDefault, help]) => `  --${name.padEnd(16)} ${help}${byDefault === '' ? '' : ` (default ${byDefault})`}`,
  );
  return `The agent of a node: links, has loaded, reports, and exports events.\n\n${lines.join('\n')}\n`;
}

export function readAgentFlags(argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): AgentFlags {
  const values = parseValues(argv);
  const text = (name: string): string => values[name] ?? FLAGS.find(([known]) => known === name)?.[1] ?? '';
  const optional = (name: string): string | null => (text(name) === '' ? null : text(name));
  const nodeName = text('node-name') === '' ? (environment['NODE_NAME'] ?? '') : text('node-name');
  if (nodeName === '') throw new AgentFlagError('--node-name is missing, and so is $NODE_NAME');
  const hubUrl = optional('hub-url');
  if (hubUrl !== null && !/^wss:\/\/[^/]+\/?$/.test(hubUrl))
    throw new AgentFlagError(`--hub-url ${JSON.stringify(hubUrl)} is not wss://host:port`);
  const level = z.enum(LOG_LEVELS).safeParse(text('log-level'));
  if (!level.success) throw new AgentFlagError(`--log-level ${JSON.stringify(text('log-level'))} is not one of ${LOG_LEVELS.join(', ')}`);
  return {
    nodeName,
    hubUrl,
    hubCaFile: text('hub-ca-file'),
    tokenFile: text('token-file'),
    loaderSocket: text('loader-socket'),
    eventsSocket: text('events-socket'),
    plansDir: text('plans-dir'),
    plansMaxBytes: whole('plans-max-mib', text('plans-max-mib'), 1, 65_536) * 1024 * 1024,
    exportFile: optional('export-file'),
    exportMaxBytes: whole('export-max-mb', text('export-max-mb'), 1, 65_536) * 1_000_000,
    exportBackups: whole('export-backups', text('export-backups'), 0, 100),
    metricsListen: listenAddress(text('metrics-listen')),
    cgroupRoot: text('cgroup-root'),
    exemptPaths: [
      ...EXEMPT_EXECUTABLES,
      ...text('exempt')
        .split(',')
        .filter((path) => path !== ''),
    ],
    logLevel: level.data,
    times: {
      redialBaseMs: durationMs('redial-base', text('redial-base')),
      redialMaxMs: durationMs('redial-max', text('redial-max')),
      loaderRetryMs: durationMs('loader-retry', text('loader-retry')),
      loaderDownMs: durationMs('loader-down', text('loader-down')),
      applyRetryMs: durationMs('apply-retry', text('apply-retry')),
      identityWaitMs: durationMs('identity-wait', text('identity-wait')),
      cgroupWalkMs: durationMs('cgroup-walk', text('cgroup-walk')),
      activityMs: durationMs('activity', text('activity')),
      exportFlushMs: durationMs('export-flush', text('export-flush')),
    },
  };
}

function parseValues(argv: readonly string[]): Record<string, string | undefined> {
  const options = Object.fromEntries(FLAGS.map(([name]) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true, allowPositionals: false });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? value : undefined]));
  } catch (error) {
    throw new AgentFlagError(error instanceof Error ? error.message : String(error));
  }
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(name: string, text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const unitMs = UNITS_MS[match?.[2] ?? ''];
  if (match === null || unitMs === undefined)
    throw new AgentFlagError(`--${name} ${JSON.stringify(text)} is no duration; write 200ms, 30s, 5m`);
  return Number(match[1]) * unitMs;
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max)
    throw new AgentFlagError(`--${name} ${JSON.stringify(text)} is not a number from ${min} to ${max}`);
  return value;
}

function listenAddress(text: string): ListenAddress {
  try {
    return parseListenAddress(text);
  } catch (error) {
    throw new AgentFlagError(`--metrics-listen: ${error instanceof Error ? error.message : String(error)}`);
  }
}
