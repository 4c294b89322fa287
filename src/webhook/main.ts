import { Command, Option } from 'commander';
import { systemClock } from '../telemetry/clock.ts';
import { createHealth } from '../telemetry/health.ts';
import { parseListenAddress } from '../telemetry/listen-address.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../telemetry/log.ts';
import { createProcessMetrics } from '../telemetry/metrics.ts';
import { stopSignal } from '../telemetry/stop-signal.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import type { ObjectRef } from '../kube/resource-type.ts';
import { runWebhook, type WebhookSettings } from './webhook.ts';

/** `palisade-webhook`: the admission webhook's process. Reads flags, wires, and ends with SIGTERM after what is under way is answered. */
type Flags = {
  readonly kubeconfig?: string;
  readonly hubUrl?: string;
  readonly hubCaFile?: string;
  readonly tokenFile: string;
  readonly listen: string;
  readonly tlsDir?: string;
  readonly tlsSecret?: string;
  readonly metricsListen: string;
  readonly logLevel: LogLevel;
};

const program = new Command('palisade-webhook')
  .description('Admission webhook: refuses TracingPolicies that are wrong or would fail on every node')
  .option('--kubeconfig <file>', 'kubeconfig; used with --tls-secret only; without it the ServiceAccount of the pod')
  .option('--hub-url <url>', "the controller's hub, for checks against the fleet's kernels; without it they are skipped")
  .option('--hub-ca-file <file>', "authority of the hub's certificate; without it the ca.crt beside the webhook's own certificate")
  .option('--token-file <file>', 'projected token of audience palisade-hub', '/var/run/secrets/palisade/hub/token')
  .option('--listen <host:port>', 'where the API server finds the webhook', ':9443')
  .addOption(new Option('--tls-dir <directory>', 'tls.crt and tls.key, as a mounted Secret').conflicts('tlsSecret'))
  .addOption(new Option('--tls-secret <namespace/name>', 'Secret with tls.crt and tls.key, read through the API').conflicts('tlsDir'))
  .option('--metrics-listen <host:port>', '/metrics, /healthz and /readyz', ':9090')
  .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'));

const flags = program.parse().opts<Flags>();
const log = createLog({ level: flags.logLevel, component: 'webhook' });
const signal = stopSignal(log);

try {
  const metrics = createProcessMetrics();
  const health = createHealth();
  const settings = readSettings(flags);
  const probes = new AbortController();
  await startHealthServer({ listen: parseListenAddress(flags.metricsListen), health, metrics, log, signal: probes.signal });
  await runWebhook(settings, { clock: systemClock, log, metrics, health, signal });
  probes.abort();
  log.info('Stopped');
} catch (error) {
  log.error('The webhook failed', { error });
  process.exit(1);
}

function readSettings(given: Flags): WebhookSettings {
  return {
    listen: parseListenAddress(given.listen),
    hub: given.hubUrl === undefined ? null : { hubUrl: new URL(given.hubUrl), caFile: given.hubCaFile ?? null, tokenFile: given.tokenFile },
    certificate:
      given.tlsDir === undefined
        ? {
            kind: 'secret',
            ref: parseRef(given.tlsSecret ?? 'palisade-system/palisade-webhook-tls'),
            kubeconfigFile: given.kubeconfig ?? null,
          }
        : { kind: 'directory', directory: given.tlsDir },
  };
}

function parseRef(text: string): ObjectRef {
  const [namespace, name, ...rest] = text.split('/');
  if (namespace === undefined || namespace === '' || name === undefined || name === '' || rest.length > 0) {
    throw new RangeError(`--tls-secret ${JSON.stringify(text.slice(0, 100))} must be namespace/name`);
  }
  return { namespace, name };
}
