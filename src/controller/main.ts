import { Command, Option } from 'commander';
import { loadAccess } from '../kube/credentials.ts';
import { createTransport } from '../kube/transport.ts';
import { systemClock } from '../telemetry/clock.ts';
import { createHealth } from '../telemetry/health.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { parseListenAddress } from '../telemetry/listen-address.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../telemetry/log.ts';
import { createProcessMetrics } from '../telemetry/metrics.ts';
import { stopSignal } from '../telemetry/stop-signal.ts';
import { type ControllerSettings, runController } from './controller.ts';
import { DEFAULT_TIMING } from './timing.ts';
import { formatDuration, TIMING_FLAGS, timingOf } from './timing-flags.ts';

/** `palisade-controller`: reads flags, wires, and ends with SIGTERM after agents are sent away and statuses are written. */
type Flags = {
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly hubListen: string;
  readonly hubAdvertise: readonly string[];
  readonly metricsListen: string;
  readonly allowForeignAgent?: true;
  readonly logLevel: LogLevel;
};

const program = new Command('palisade-controller')
  .description('Controller: compiles TracingPolicies, hands them to the agents of all nodes, and writes what they report into the status')
  .option('--kubeconfig <file>', 'kubeconfig; without it $KUBECONFIG or the ServiceAccount of the pod')
  .option('--namespace <name>', 'where Palisade is installed', 'palisade-system')
  .option('--hub-listen <host:port>', 'where agents, webhooks and the CLI find the hub', ':8443')
  .option('--hub-advertise <names...>', "further names and addresses in the hub's certificate", [])
  .option('--metrics-listen <host:port>', '/metrics, /healthz and /readyz', ':9090')
  .option('--allow-foreign-agent', 'load policies although agents of upstream run in the cluster')
  .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'));
for (const flag of TIMING_FLAGS) {
  program.addOption(new Option(`--${flag.name} <duration>`, `${flag.description} (default: ${formatDuration(DEFAULT_TIMING[flag.key])})`));
}

const flags = program.parse().opts<Flags>();
const log = createLog({ level: flags.logLevel, component: 'controller' });
const signal = stopSignal(log);

try {
  const metrics = createProcessMetrics();
  const health = createHealth();
  const settings = readSettings(flags);
  const access = loadAccess({ clock: systemClock, kubeconfigFile: flags.kubeconfig ?? null });
  const transport = createTransport({ access, clock: systemClock, metrics, userAgent: 'palisade-controller' });
  const probes = new AbortController();
  await startHealthServer({ listen: parseListenAddress(flags.metricsListen), health, metrics, log, signal: probes.signal });
  await runController(settings, { transport, clock: systemClock, log, metrics, health, signal, random: Math.random });
  probes.abort();
  await transport.close();
  log.info('Stopped');
} catch (error) {
  log.error('The controller failed', { error });
  process.exit(1);
}

function readSettings(given: Flags): ControllerSettings {
  const options: Readonly<Record<string, unknown>> = program.opts();
  const values = Object.fromEntries(
    TIMING_FLAGS.map(({ name }) => {
      const value = options[camelCase(name)];
      return [name, typeof value === 'string' ? value : undefined];
    }),
  );
  return {
    namespace: given.namespace,
    hubListen: parseListenAddress(given.hubListen),
    hubAdvertise: given.hubAdvertise,
    timing: timingOf(values),
    foreignAgents: given.allowForeignAgent === true ? 'allow' : 'refuse',
  };
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
