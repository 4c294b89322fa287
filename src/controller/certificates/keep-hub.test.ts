import { describe, expect, test } from 'vitest';
import { type CertificatePair, issueAuthority, issueLeaf, LEAF_VALID_MS } from '../../kube/certificates/issue.ts';
import { eventually } from '../../kube/testing/eventually.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { keepHubCertificate } from './keep-hub.ts';

const DAY_MS = 24 * 3_600_000;

describe('the certificate of the hub', () => {
  test('is replaced when a third of its life is left, and not before', async () => {
    const clock = createFakeClock();
    const authority = await issueAuthority({ commonName: 'test', nowMs: clock.nowMs(), validForMs: 365 * DAY_MS });
    const issue = (): Promise<CertificatePair> =>
      issueLeaf({ authority, commonName: 'hub', dnsNames: ['hub'], ipAddresses: [], nowMs: clock.nowMs(), validForMs: LEAF_VALID_MS });
    const renewed: CertificatePair[] = [];
    const stopper = new AbortController();
    const metrics = createMetrics();
    const kept = keepHubCertificate({
      authority,
      first: await issue(),
      issue,
      renew: (certificate) => void renewed.push(certificate),
      clock,
      log: silentLog,
      metrics,
      signal: stopper.signal,
    });
    await clock.advance(19 * DAY_MS);
    expect(renewed).toHaveLength(0);
    expect(await metrics.text()).toMatch(/certificate_expiry_seconds\{name="hub"\} 9504\d\d/);
    await clock.advance(2 * DAY_MS);
    await eventually('the new certificate', () => renewed.length === 1);
    stopper.abort();
    await kept;
  });
});
