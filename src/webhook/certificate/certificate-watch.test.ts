import { mkdtemp, rename, rm, symlink, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TlsMaterial } from '../../kube/certificates/tls-secret.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { issueTestAuthority, issueTestLeaf } from '../testing/certificates.ts';
import { certificateFromDirectory } from './certificate-source.ts';
import { createCertificateWatch, type CertificateWatch } from './certificate-watch.ts';

const authority = await issueTestAuthority();
const HOUR_MS = 3_600_000;

let clock: FakeClock;
let metrics: Metrics;
let stopper: AbortController;
let held: TlsMaterial | undefined;
let failure: Error | undefined;
let watch: CertificateWatch;

beforeEach(() => {
  clock = createFakeClock(Date.now());
  metrics = createMetrics();
  stopper = new AbortController();
  held = undefined;
  failure = undefined;
  const source = {
    name: 'test',
    read: async () => {
      if (failure !== undefined) {
        throw failure;
      }
      return held;
    },
  };
  watch = createCertificateWatch({ source, clock, log: silentLog, metrics });
});

afterEach(() => stopper.abort());

describe('a certificate', () => {
  test('is waited for, and its absence makes the webhook unready', async () => {
    const first = watch.first(stopper.signal);
    await clock.advance(5_000);
    expect(watch.fault()).toBe('test holds no certificate yet');
    held = await issueTestLeaf(authority, 'webhook');
    await clock.advance(1_000);
    expect(await first).toEqual(held);
    expect(watch.fault()).toBeUndefined();
    expect(watch.authorityPem()).toBe(authority.certificatePem);
  });

  test('that never comes does not keep the process from ending', async () => {
    const first = watch.first(stopper.signal);
    stopper.abort();
    expect(await first).toBeUndefined();
  });

  test('is handed on once when it changes, and not when it does not', async () => {
    held = await issueTestLeaf(authority, 'webhook');
    await watch.first(stopper.signal);
    const taken: TlsMaterial[] = [];
    const following = watch.follow((material) => void taken.push(material), stopper.signal);
    await clock.advance(60_000);
    expect(taken).toEqual([]);
    held = await issueTestLeaf(authority, 'webhook');
    await clock.advance(60_000);
    expect(taken).toEqual([held]);
    stopper.abort();
    await following;
  });

  test('that cannot be read or used is counted, and tried again', async () => {
    held = await issueTestLeaf(authority, 'webhook');
    await watch.first(stopper.signal);
    let attempts = 0;
    const following = watch.follow(() => {
      attempts += 1;
      throw new Error('key does not fit');
    }, stopper.signal);
    held = await issueTestLeaf(authority, 'webhook');
    await clock.advance(10_000);
    failure = new Error('no answer');
    await clock.advance(10_000);
    failure = undefined;
    await clock.advance(10_000);
    expect(attempts).toBe(2);
    expect(await metrics.text()).toContain('certificate_reloads_total{result="error"} 3');
    stopper.abort();
    await following;
  });

  test('that expires within the hour makes the webhook unready', async () => {
    held = await issueTestLeaf(authority, 'webhook', 2 * HOUR_MS);
    await watch.first(stopper.signal);
    expect(watch.fault()).toBeUndefined();
    await clock.advance(1.5 * HOUR_MS);
    expect(watch.fault()).toBe('the certificate expires in 30 min');
    expect(await metrics.text()).toMatch(/certificate_expiry_seconds\{name="webhook"\} 1(799|800)/);
  });
});

describe('files of a mounted Secret', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'palisade-tls-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = async (version: string, material: TlsMaterial): Promise<void> => {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'tls.crt'), material.certificatePem);
    await writeFile(join(folder, version, 'tls.key'), material.privateKeyPem);
    await writeFile(join(folder, version, 'ca.crt'), material.authorityPem);
  };

  test('are absent until they are there', async () => {
    expect(await certificateFromDirectory(folder).read()).toBeUndefined();
  });

  test('are followed when the kubelet swaps the link under them', async () => {
    const [first, second] = [await issueTestLeaf(authority, 'a'), await issueTestLeaf(authority, 'b')];
    await write('v1', first);
    await write('v2', second);
    const data = join(folder, 'data');
    await symlink('v1', data);
    const source = certificateFromDirectory(data);
    expect(await source.read()).toEqual(first);
    await symlink('v2', `${data}.new`);
    await rename(`${data}.new`, data);
    expect(await source.read()).toEqual(second);
  });
});
