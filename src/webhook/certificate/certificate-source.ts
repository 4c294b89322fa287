import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTlsSecret, type TlsMaterial } from '../../kube/certificates/tls-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { SECRETS, type ObjectRef } from '../../kube/resource-type.ts';

/** Reads certificate and key as they are now; undefined while there are none. Rejects when it cannot be known. */
export type CertificateSource = { readonly name: string; read(): Promise<TlsMaterial | undefined> };

/** Files as a Secret volume projects them, or as cert-manager's: `tls.crt`, `tls.key`, `ca.crt` (optional). */
export function certificateFromDirectory(directory: string): CertificateSource {
  return {
    name: directory,
    read: async () => {
      const [certificatePem, privateKeyPem, authorityPem] = await Promise.all(
        ['tls.crt', 'tls.key', 'ca.crt'].map((name) => readIfThere(join(directory, name))),
      );
      return certificatePem === undefined || privateKeyPem === undefined
        ? undefined
        : { certificatePem, privateKeyPem, authorityPem: authorityPem ?? '' };
    },
  };
}

/** A `kubernetes.io/tls` Secret, read through the API: for a webhook that runs outside the cluster. */
export function certificateFromSecret(client: KubeClient, ref: ObjectRef): CertificateSource {
  return {
    name: `secret ${ref.namespace ?? ''}/${ref.name}`,
    read: async () => {
      try {
        return parseTlsSecret(await client.get(SECRETS, ref));
      } catch (error) {
        if (isKubeError(error, 'NotFound')) {
          return undefined;
        }
        throw error;
      }
    },
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
