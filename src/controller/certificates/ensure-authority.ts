import { AUTHORITY_VALID_MS, type CertificatePair, issueAuthority, issueLeaf, LEAF_VALID_MS } from '../../kube/certificates/issue.ts';
import { AUTHORITY_SECRET, CA_KEY, HUB_CA_CONFIG_MAP, parseTlsSecret, tlsSecretContent } from '../../kube/certificates/tls-secret.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { CONFIG_MAPS, type ResourceType, SECRETS } from '../../kube/resource-type.ts';

/** Fixed name in the hub's certificate, wherever it is dialled (DESIGN §13). */
export function hubServerName(namespace: string): string {
  return `palisade-hub.${namespace}.svc`;
}

export const CA_FIELD_MANAGER = 'palisade-ca';

export type CertificateContext = { readonly client: KubeClient; readonly namespace: string; nowMs(): number };

/** The certificate authority in Secret `palisade-ca`; made if there is none. What is there is never replaced here. */
export async function ensureAuthority(context: CertificateContext): Promise<CertificatePair> {
  const { client, namespace } = context;
  const existing = await getIfThere(client, SECRETS, namespace, AUTHORITY_SECRET);
  if (existing !== undefined) {
    return readAuthority(existing);
  }
  const issued = await issueAuthority({ commonName: 'Palisade CA', nowMs: context.nowMs(), validForMs: AUTHORITY_VALID_MS });
  const secret = {
    metadata: { name: AUTHORITY_SECRET, namespace },
    ...tlsSecretContent({ ...issued, authorityPem: issued.certificatePem }),
  };
  try {
    await client.create(SECRETS, namespace, secret);
    return issued;
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) {
      return readAuthority(await client.get(SECRETS, { namespace, name: AUTHORITY_SECRET }));
    }
    throw error;
  }
}

function readAuthority(secret: KubeObject): CertificatePair {
  const material = parseTlsSecret(secret);
  if (material === undefined) {
    throw new Error(`secret ${AUTHORITY_SECRET} has no tls.crt and tls.key; delete it to have a new authority made`);
  }
  return material;
}

/** Publishes the authority where agents and webhooks read it: ConfigMap `palisade-hub-ca`. */
export async function publishAuthority(context: CertificateContext, authorityPem: string): Promise<void> {
  const { client, namespace } = context;
  const existing = await getIfThere(client, CONFIG_MAPS, namespace, HUB_CA_CONFIG_MAP);
  const data = { [CA_KEY]: authorityPem };
  if (existing === undefined) {
    try {
      await client.create(CONFIG_MAPS, namespace, { metadata: { name: HUB_CA_CONFIG_MAP, namespace }, data });
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) {
        throw error;
      }
    }
  } else if (!hasData(existing, authorityPem)) {
    await client.mergePatch(CONFIG_MAPS, { namespace, name: HUB_CA_CONFIG_MAP }, { data }, { fieldManager: CA_FIELD_MANAGER });
  }
}

function hasData(configMap: KubeObject, authorityPem: string): boolean {
  const data = configMap['data'];
  return typeof data === 'object' && data !== null && Reflect.get(data, CA_KEY) === authorityPem;
}

/** A fresh certificate for the hub; kept in memory only. */
export function issueHubCertificate(
  context: CertificateContext,
  authority: CertificatePair,
  extraNames: readonly string[],
): Promise<CertificatePair> {
  const name = hubServerName(context.namespace);
  const { dnsNames, ipAddresses } = splitNames([name, 'palisade-hub', ...extraNames]);
  return issueLeaf({ authority, commonName: name, dnsNames, ipAddresses, nowMs: context.nowMs(), validForMs: LEAF_VALID_MS });
}

export function splitNames(names: readonly string[]): { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } {
  const isAddress = (name: string): boolean => /^[0-9.]+$/.test(name) || name.includes(':');
  const distinct = [...new Set(names)];
  return { dnsNames: distinct.filter((name) => !isAddress(name)), ipAddresses: distinct.filter(isAddress) };
}

export async function getIfThere(
  client: KubeClient,
  type: ResourceType,
  namespace: string | null,
  name: string,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(type, { namespace, name });
  } catch (error) {
    if (isKubeError(error, 'NotFound')) {
      return undefined;
    }
    throw error;
  }
}
