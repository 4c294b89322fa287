import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { KubeObject } from '../kube-object.ts';
import type { CertificatePair } from './issue.ts';

/** What a server presents, and what its clients trust. */
export type TlsMaterial = CertificatePair & { readonly authorityPem: string };

/** Fixed names (DESIGN 13). */
export const AUTHORITY_SECRET = 'palisade-ca';
export const HUB_CA_CONFIG_MAP = 'palisade-hub-ca';
export const WEBHOOK_TLS_SECRET = 'palisade-webhook-tls';
/** Key of the certificate in the ConfigMap. */
export const CA_KEY = 'ca.crt';

/** Type and data of a `kubernetes.io/tls` Secret. */
export type TlsSecretContent = { readonly type: 'kubernetes.io/tls'; readonly data: Readonly<Record<string, string>> };

export function tlsSecretContent(material: TlsMaterial): TlsSecretContent {
  return {
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': encode(material.certificatePem),
      'tls.key': encode(material.privateKeyPem),
      [CA_KEY]: encode(material.authorityPem),
    },
  };
}

const secretSchema = z.looseObject({
  data: z.object({ 'tls.crt': z.string().min(1), 'tls.key': z.string().min(1), [CA_KEY]: z.string().default('') }),
});

/** Undefined where the Secret does not hold certificate and key. */
export function parseTlsSecret(secret: KubeObject): TlsMaterial | undefined {
  const data = secretSchema.safeParse(secret).data?.data;
  return data === undefined
    ? undefined
    : { certificatePem: decode(data['tls.crt']), privateKeyPem: decode(data['tls.key']), authorityPem: decode(data[CA_KEY]) };
}

export type CertificateFacts = { readonly notBeforeMs: number; readonly notAfterMs: number; readonly dnsNames: readonly string[] };

/** Undefined where the text is no certificate. */
export function certificateFacts(certificatePem: string): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(certificatePem);
    return {
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
      dnsNames: (certificate.subjectAltName ?? '')
        .split(', ')
        .filter((entry) => entry.startsWith('DNS:'))
        .map((entry) => entry.slice('DNS:'.length)),
    };
  } catch {
    return undefined;
  }
}

/** True where the certificate was signed by the authority. */
export function isSignedBy(certificatePem: string, authorityPem: string): boolean {
  try {
    const authority = new X509Certificate(authorityPem);
    return new X509Certificate(certificatePem).verify(authority.publicKey);
  } catch {
    return false;
  }
}

function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
