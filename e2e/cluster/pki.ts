import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate with its private key, as PEM. */
export type Issued = { readonly certificate: string; readonly key: string };

export type Subject = {
  readonly commonName: string;
  readonly organization?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
};

/** A certificate authority of one cluster: nothing it signs is of worth outside. */
export type Authority = { readonly certificate: string; readonly issue: (subject: Subject) => Promise<Issued> };

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const lifetimeMs = 30 * 24 * 3600 * 1000;
/** A machine's clock may run behind the one that reads the certificate. */
const clockSkewMs = 3600 * 1000;

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - clockSkewMs), notAfter: new Date(Date.now() + lifetimeMs) };
}

/** Makes a new authority. */
export async function makeAuthority(commonName: string): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    certificate: `${root.toString('pem')}\n`,
    issue: async (subject) => {
      const leafKeys = await makeKeys();
      const names = [
        ...(subject.dns ?? []).map((value) => ({ type: 'dns', value }) as const),
        ...(subject.ip ?? []).map((value) => ({ type: 'ip', value }) as const),
      ];
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `${subject.organization === undefined ? '' : `O=${subject.organization},`}CN=${subject.commonName}`,
        issuer: root.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        ...validity(),
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        ],
      });
      return { certificate: `${leaf.toString('pem')}\n`, key: await keyPem(leafKeys) };
    },
  };
}

/** The keys that sign and check ServiceAccount tokens, as PEM. */
export function makeSigningKeys(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}
