import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent, request } from 'undici';
import type { TlsMaterial } from '../kube/certificates/tls-secret.ts';
import { systemClock } from '../telemetry/clock.ts';
import { silentLog } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type { Review } from './review/review.ts';
import { REVIEW_PATH, startAdmissionServer, type AdmissionServer } from './server.ts';
import { issueTestAuthority, issueTestLeaf } from './testing/certificates.ts';

const authority = await issueTestAuthority();
let material: TlsMaterial;
let server: AdmissionServer;
let metrics: Metrics;
let agent: Agent;
let decide: () => Review;

beforeEach(async () => {
  material = await issueTestLeaf(authority, 'localhost');
  metrics = createMetrics();
  decide = () => ({ response: { uid: 'r1', allowed: true }, rules: [] });
  server = await startAdmissionServer({
    material,
    listen: { host: '127.0.0.1', port: 0 },
    review: () => decide(),
    clock: systemClock,
    log: silentLog,
    metrics,
  });
  agent = new Agent({ connect: { ca: authority.certificatePem } });
});

afterEach(async () => {
  await agent.destroy();
  await server.close();
});

const QUESTION = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { uid: 'r1', kind: { group: 'cilium.io', version: 'v1alpha1', kind: 'TracingPolicy' }, operation: 'CREATE', object: {} },
};

async function ask(body: string, contentType = 'application/json'): Promise<{ status: number; text: string }> {
  const answer = await request(`https://127.0.0.1:${server.address.port}${REVIEW_PATH}`, {
    method: 'POST',
    body,
    headers: { 'content-type': contentType },
    dispatcher: agent,
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** What a new connection is shown. */
function handshake(options: { maxVersion?: 'TLSv1.2' } = {}): Promise<{ serial: string; protocol: string | null }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.address.port, ca: authority.certificatePem, ...options }, () => {
      resolve({ serial: socket.getPeerCertificate().serialNumber, protocol: socket.getProtocol() });
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('a review over HTTPS', () => {
  test('is answered in the envelope of the API', async () => {
    const { status, text } = await ask(JSON.stringify(QUESTION));
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'r1', allowed: true },
    });
    expect(await metrics.text()).toContain('admission_seconds_count{kind="TracingPolicy",allowed="true",dry_run="false"} 1');
  });

  test.each(['', 'garbage', '{}', '[]', '{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}', '{"__proto__":{"x":1}}'])(
    'that is %j is a bad request',
    async (body) => {
      expect((await ask(body)).status).toBe(400);
    },
  );

  test('of more than three megabytes, or of another type, is refused', async () => {
    expect((await ask(' '.repeat((3 << 20) + 1))).status).toBe(413);
    expect((await ask('{}', 'text/plain')).status).toBe(415);
  });

  test('that makes a rule fail is our fault, without a word about the inside', async () => {
    decide = () => {
      throw new Error('secret detail');
    };
    const { status, text } = await ask(JSON.stringify(QUESTION));
    expect(status).toBe(500);
    expect(text).not.toContain('secret');
    expect(await metrics.text()).toContain('admission_failures_total{cause="internal"} 1');
  });

  test('beyond sixteen at once is told to come back', async () => {
    const open = Array.from({ length: 16 }, () => connect({ host: '127.0.0.1', port: server.address.port, ca: authority.certificatePem }));
    for (const socket of open) {
      socket.on('error', () => {});
      socket.write('POST /admission HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n');
    }
    await expect.poll(async () => (await ask(JSON.stringify(QUESTION))).status).toBe(429);
    for (const socket of open) {
      socket.destroy();
    }
    await expect.poll(async () => (await ask(JSON.stringify(QUESTION))).status).toBe(200);
  });
});

describe('the certificate', () => {
  test('changes for new connections, without a restart', async () => {
    const before = await handshake();
    server.setCertificate(await issueTestLeaf(authority, 'localhost'));
    expect((await handshake()).serial).not.toBe(before.serial);
  });

  test('stays as it is when the new pair does not fit', async () => {
    const before = await handshake();
    const other = await issueTestLeaf(authority, 'localhost');
    expect(() => server.setCertificate({ ...material, privateKeyPem: other.privateKeyPem })).toThrow();
    expect((await handshake()).serial).toBe(before.serial);
  });

  test('is shown over TLS 1.3 only, after a change as well', async () => {
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
    server.setCertificate(await issueTestLeaf(authority, 'localhost'));
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect((await handshake()).protocol).toBe('TLSv1.3');
  });
});
