import { X509Certificate } from 'node:crypto';
import { connect, createServer } from 'node:tls';
import { expect, test } from 'vitest';
import { AUTHORITY_VALID_MS, BACKDATE_MS, issueAuthority, issueLeaf, LEAF_VALID_MS } from './issue.ts';
import { certificateFacts, isSignedBy, parseTlsSecret, tlsSecretContent } from './tls-secret.ts';

const nowMs = Date.now();
const authority = await issueAuthority({ commonName: 'Palisade CA', nowMs, validForMs: AUTHORITY_VALID_MS });
const leafOf = (validForMs = LEAF_VALID_MS) =>
  issueLeaf({
    authority,
    commonName: 'palisade-hub',
    dnsNames: ['palisade-hub.palisade-system.svc'],
    ipAddresses: ['127.0.0.1', '::1'],
    nowMs,
    validForMs,
  });

test('a leaf is signed by its authority, and names its hosts', async () => {
  const leaf = await leafOf();
  expect(isSignedBy(leaf.certificatePem, authority.certificatePem)).toBe(true);
  expect(new X509Certificate(leaf.certificatePem).checkHost('palisade-hub.palisade-system.svc')).toBeDefined();
  expect(new X509Certificate(leaf.certificatePem).checkIP('127.0.0.1')).toBeDefined();
  expect(certificateFacts(leaf.certificatePem)?.dnsNames).toEqual(['palisade-hub.palisade-system.svc']);
});

test('a leaf of another authority is told apart', async () => {
  const other = await issueAuthority({ commonName: 'Palisade CA', nowMs, validForMs: AUTHORITY_VALID_MS });
  expect(isSignedBy((await leafOf()).certificatePem, other.certificatePem)).toBe(false);
  expect(isSignedBy('garbage', other.certificatePem)).toBe(false);
});

test('certificates hold from an hour ago, and a leaf never outlives its authority', async () => {
  const facts = certificateFacts((await leafOf(AUTHORITY_VALID_MS * 2)).certificatePem);
  expect(Math.abs((facts?.notBeforeMs ?? 0) - (nowMs - BACKDATE_MS))).toBeLessThan(1_000);
  expect(facts?.notAfterMs).toBe(certificateFacts(authority.certificatePem)?.notAfterMs);
});

test('no two certificates have the same serial', async () => {
  const serials = await Promise.all(
    Array.from({ length: 8 }, async () => new X509Certificate((await leafOf()).certificatePem).serialNumber),
  );
  expect(new Set(serials).size).toBe(8);
});

test('a TLS 1.3 client that trusts the authority accepts the leaf', async () => {
  const leaf = await leafOf();
  const server = createServer({ cert: leaf.certificatePem, key: leaf.privateKeyPem, minVersion: 'TLSv1.3' }, (socket) => socket.end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const isAuthorized = await new Promise<boolean>((resolve, reject) => {
    const socket = connect(
      { port, host: '127.0.0.1', ca: authority.certificatePem, servername: 'palisade-hub.palisade-system.svc' },
      () => {
        resolve(socket.authorized);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
  server.close();
  expect(isAuthorized).toBe(true);
});

test('a TLS secret comes out as it went in', async () => {
  const material = { ...(await leafOf()), authorityPem: authority.certificatePem };
  const metadata = { name: 'palisade-webhook-tls', uid: 'u', resourceVersion: '1' };
  expect(parseTlsSecret({ metadata, ...tlsSecretContent(material) })).toEqual(material);
  expect(parseTlsSecret({ metadata, data: {} })).toBeUndefined();
  expect(certificateFacts('garbage')).toBeUndefined();
});
