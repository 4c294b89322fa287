// @peculiar/x509 needs the metadata reflection API before it is loaded (its dependency tsyringe throws without it).
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, both PEM; the key is PKCS#8. */
export type CertificatePair = { readonly certificatePem: string; readonly privateKeyPem: string };

export type AuthorityOptions = {
  /** `Palisade CA`. */
  readonly commonName: string;
  readonly nowMs: number;
  readonly validForMs: number;
};

export type LeafOptions = AuthorityOptions & {
  readonly authority: CertificatePair;
  /** What clients verify: `palisade-hub.palisade-system.svc`. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
};

const DAY_MS = 24 * 60 * 60 * 1_000;
export const AUTHORITY_VALID_MS = 730 * DAY_MS;
export const LEAF_VALID_MS = 30 * DAY_MS;
/** Certificates hold from an hour ago: clocks of nodes differ. */
export const BACKDATE_MS = 60 * 60 * 1_000;

const KEYS = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A new certificate authority: ECDSA P-256, random serial, may sign end certificates only. */
export async function issueAuthority(options: AuthorityOptions): Promise<CertificatePair> {
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      ...validity(options),
      serialNumber: serialNumber(),
      name: [{ CN: [options.commonName] }],
      keys,
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificatePem: pem(certificate), privateKeyPem: await exportKey(keys.privateKey) };
}

/** A new server certificate, signed by the authority; never outlives it. */
export async function issueLeaf(options: LeafOptions): Promise<CertificatePair> {
  const issuer = new X509Certificate(options.authority.certificatePem);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(options.authority.privateKeyPem), KEYS, false, [
    'sign',
  ]);
  const keys = await webcrypto.subtle.generateKey(KEYS, true, ['sign', 'verify']);
  const names = [
    ...options.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...options.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  const { notBefore, notAfter } = validity(options);
  const certificate = await X509CertificateGenerator.create(
    {
      notBefore,
      notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
      serialNumber: serialNumber(),
      subject: [{ CN: [options.commonName] }],
      issuer: issuer.subject,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: SIGNING,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(names),
        await AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificatePem: pem(certificate), privateKeyPem: await exportKey(keys.privateKey) };
}

function validity(options: AuthorityOptions): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(options.nowMs - BACKDATE_MS), notAfter: new Date(options.nowMs + options.validForMs) };
}

/** 127 random bits: positive, as RFC 5280 demands, and never zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01;
  return bytes.toString('hex');
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${PemConverter.encode(bytes, PemConverter.PrivateKeyTag).trim()}\n`;
}
