import type { CertificatePair } from '../../kube/certificates/issue.ts';
import { certificateFacts } from '../../kube/certificates/tls-secret.ts';
import { type Clock, sleep } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

export type HubCertificateOptions = {
  readonly authority: CertificatePair;
  readonly first: CertificatePair;
  issue(): Promise<CertificatePair>;
  /** Serves with it from now on. */
  renew(certificate: CertificatePair): void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

const LOOK_MS = 3_600_000;

/** Replaces the hub's certificate when a third of its life is left, until the signal is aborted; a controller may run for months. */
export async function keepHubCertificate(options: HubCertificateOptions): Promise<void> {
  const { clock, log, signal } = options;
  const expiry = options.metrics.gauge('certificate_expiry_seconds', 'Time until a certificate expires.', ['name']);
  let current = options.first;
  options.metrics.onScrape(() => {
    expiry.set({ name: 'hub' }, remainingMs(current, clock) / 1_000);
    expiry.set({ name: 'authority' }, remainingMs(options.authority, clock) / 1_000);
  });
  while (!signal.aborted) {
    await sleep(clock, LOOK_MS, signal);
    if (signal.aborted || remainingMs(current, clock) > lifeMs(current) / 3) {
      continue;
    }
    try {
      const next = await options.issue();
      options.renew(next);
      current = next;
      log.info('Renewed the certificate of the hub', { remainingMs: remainingMs(next, clock) });
    } catch (error) {
      log.error('Could not renew the certificate of the hub', { error });
    }
  }
}

function remainingMs(certificate: CertificatePair, clock: Clock): number {
  return (certificateFacts(certificate.certificatePem)?.notAfterMs ?? 0) - clock.nowMs();
}

function lifeMs(certificate: CertificatePair): number {
  const facts = certificateFacts(certificate.certificatePem);
  return facts === undefined ? 0 : facts.notAfterMs - facts.notBeforeMs;
}
