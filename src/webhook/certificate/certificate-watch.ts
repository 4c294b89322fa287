import { certificateFacts, type TlsMaterial } from '../../kube/certificates/tls-secret.ts';
import { sleep, type Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { CertificateSource } from './certificate-source.ts';

export type CertificateWatchOptions = {
  readonly source: CertificateSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** The content is compared: a Secret volume swaps a symlink, which watching the file would miss. */
const POLL_MS = 10_000;
/** While there is no certificate, nothing can be served. */
const FIRST_POLL_MS = 500;
/** Unready when less than this is left. */
const MIN_LEFT_MS = 60 * 60_000;

export type CertificateWatch = {
  /** The pair to start with, as soon as there is one; undefined when the signal was aborted before. Never rejects. */
  first(signal: AbortSignal): Promise<TlsMaterial | undefined>;
  /**
   * Calls back with each pair that differs from the one before, until the signal is aborted; never rejects. What the callback throws (key
   * and certificate do not fit) is counted, and the old pair stays.
   */
  follow(onChange: (material: TlsMaterial) => void, signal: AbortSignal): Promise<void>;
  /** The authority's certificate beside the current pair; undefined before the first one, empty where the source has none. */
  authorityPem(): string | undefined;
  /** For readiness. */
  fault(): string | undefined;
};

export function createCertificateWatch(options: CertificateWatchOptions): CertificateWatch {
  const { source, clock, metrics } = options;
  const log = options.log.with({ source: source.name });
  const reloads = metrics.counter('certificate_reloads_total', 'Certificates that were taken into use, or could not be.', ['result']);
  const expiry = metrics.gauge('certificate_expiry_seconds', 'Time until the certificate expires.', ['name']);
  let current: TlsMaterial | undefined;
  let expiresAtMs: number | undefined;
  metrics.onScrape(() => {
    if (expiresAtMs !== undefined) {
      expiry.set({ name: 'webhook' }, (expiresAtMs - clock.nowMs()) / 1_000);
    }
  });

  /** A pair that was not there before, after it was handed to `use`. */
  const poll = async (use: (material: TlsMaterial) => void): Promise<TlsMaterial | undefined> => {
    try {
      const material = await source.read();
      if (material === undefined || (current !== undefined && isEqual(material, current))) {
        return undefined;
      }
      use(material);
      current = material;
      expiresAtMs = certificateFacts(material.certificatePem)?.notAfterMs;
      reloads.inc({ result: 'ok' });
      log.info('Took a certificate into use', { expires: expiresAtMs === undefined ? '' : new Date(expiresAtMs).toISOString() });
      return material;
    } catch (error) {
      reloads.inc({ result: 'error' });
      log.error('Could not take a certificate into use', { error });
      return undefined;
    }
  };

  return {
    first: async (signal) => {
      let material: TlsMaterial | undefined;
      while (material === undefined && !signal.aborted) {
        material = await poll(() => {});
        if (material === undefined) {
          await sleep(clock, FIRST_POLL_MS, signal);
        }
      }
      return material;
    },
    follow: async (onChange, signal) => {
      while (!signal.aborted) {
        await sleep(clock, POLL_MS, signal);
        if (!signal.aborted) {
          await poll(onChange);
        }
      }
    },
    authorityPem: () => current?.authorityPem,
    fault: () => {
      if (current === undefined) {
        return `${source.name} holds no certificate yet`;
      }
      const leftMs = (expiresAtMs ?? Number.POSITIVE_INFINITY) - clock.nowMs();
      return leftMs < MIN_LEFT_MS ? `the certificate expires in ${Math.round(leftMs / 60_000)} min` : undefined;
    },
  };
}

function isEqual(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.certificatePem === b.certificatePem && a.privateKeyPem === b.privateKeyPem && a.authorityPem === b.authorityPem;
}
