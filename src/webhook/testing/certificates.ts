import { issueAuthority, issueLeaf, type CertificatePair } from '../../kube/certificates/issue.ts';
import type { TlsMaterial } from '../../kube/certificates/tls-secret.ts';

const HOUR_MS = 3_600_000;

export const issueTestAuthority = (): Promise<CertificatePair> =>
  issueAuthority({ commonName: 'Test CA', nowMs: Date.now(), validForMs: 48 * HOUR_MS });

export async function issueTestLeaf(authority: CertificatePair, dnsName: string, validForMs = 24 * HOUR_MS): Promise<TlsMaterial> {
  const leaf = await issueLeaf({
    authority,
    commonName: dnsName,
    dnsNames: [dnsName],
    ipAddresses: ['127.0.0.1'],
    nowMs: Date.now(),
    validForMs,
  });
  return { ...leaf, authorityPem: authority.certificatePem };
}
