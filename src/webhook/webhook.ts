import { readFile } from 'node:fs/promises';
import { createKubeClient } from '../kube/client.ts';
import type { ObjectRef } from '../kube/resource-type.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Health } from '../telemetry/health.ts';
import { formatListenAddress, type ListenAddress } from '../telemetry/listen-address.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { certificateFromDirectory, certificateFromSecret, type CertificateSource } from './certificate/certificate-source.ts';
import { createCertificateWatch, type CertificateWatch } from './certificate/certificate-watch.ts';
import { followCatalogue } from './fleet/catalogue-subscriber.ts';
import { createFleetMemory } from './fleet/fleet-memory.ts';
import type { AdmissionRequest } from './review/admission-review.ts';
import { review, type Review } from './review/review.ts';
import { startAdmissionServer, type AdmissionServer } from './server.ts';

export type WebhookSettings = {
  readonly listen: ListenAddress;
  /** Null: no checks against the fleet's kernels. */
  readonly hub: { readonly hubUrl: URL; readonly caFile: string | null; readonly tokenFile: string } | null;
  readonly certificate:
    | { readonly kind: 'directory'; readonly directory: string }
    | { readonly kind: 'secret'; readonly ref: ObjectRef; readonly kubeconfigFile: string | null };
};

export type WebhookOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly signal: AbortSignal;
};

/**
 * Serves until the signal is aborted, then answers what is under way. Listens as soon as there is a certificate; without a hub, or before
 * it has spoken, policies are checked without the fleet's kernels. Rejects when it cannot listen.
 */
export async function runWebhook(settings: WebhookSettings, options: WebhookOptions): Promise<void> {
  const { clock, log, metrics, health } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const memory = createFleetMemory(clock);
  const opened = await openSource(settings, options);
  const certificates = createCertificateWatch({ source: opened.source, clock, log, metrics });
  let server: AdmissionServer | undefined;
  health.addReadiness('draining', () => (signal.aborted ? 'the process is ending' : undefined));
  health.addReadiness('certificate', () => certificates.fault());
  health.addReadiness('listener', () => (server === undefined ? 'not listening yet' : undefined));
  const { hub } = settings;
  const readAuthority = async (): Promise<string> => authorityOf(hub?.caFile ?? null, certificates);
  const following = hub === null ? Promise.resolve() : followCatalogue({ ...hub, readAuthority, memory, clock, log, metrics }, signal);
  try {
    const material = await certificates.first(signal);
    if (material !== undefined) {
      const decide = (request: AdmissionRequest): Review => review(request, { fleet: memory.view(), nowMs: clock.monotonicMs() });
      const started = await startAdmissionServer({ material, listen: settings.listen, review: decide, clock, log, metrics });
      server = started;
      log.info('Serving admission requests', { address: formatListenAddress(started.address) });
      await certificates.follow((changed) => started.setCertificate(changed), signal);
    }
  } finally {
    failed.abort();
    await following;
    await server?.close();
    await opened.close();
  }
}

/** Hub and webhook have certificates of one authority, so the one that came with the webhook's own will do where no file is named. */
async function authorityOf(caFile: string | null, certificates: CertificateWatch): Promise<string> {
  const pem = caFile === null ? certificates.authorityPem() : await readFile(caFile, 'utf8');
  if (pem === undefined || pem === '') {
    throw new Error("the hub's authority is not known: there is no --hub-ca-file, and no ca.crt beside the webhook's certificate yet");
  }
  return pem;
}

type OpenedSource = { readonly source: CertificateSource; close(): Promise<void> };

async function openSource(settings: WebhookSettings, options: WebhookOptions): Promise<OpenedSource> {
  const { clock, metrics } = options;
  const { certificate } = settings;
  if (certificate.kind === 'directory') {
    return { source: certificateFromDirectory(certificate.directory), close: async () => {} };
  }
  // Loaded here only: reading a kubeconfig takes a library of tens of MiB, which a webhook in the cluster does not need.
  const [{ loadAccess }, { createTransport }] = await Promise.all([import('../kube/credentials.ts'), import('../kube/transport.ts')]);
  const access = loadAccess({ clock, kubeconfigFile: certificate.kubeconfigFile });
  const transport = createTransport({ access, clock, metrics, userAgent: 'palisade-webhook' });
  return { source: certificateFromSecret(createKubeClient(transport), certificate.ref), close: () => transport.close() };
}
