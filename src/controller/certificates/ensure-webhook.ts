import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { type CertificatePair, issueLeaf, LEAF_VALID_MS } from '../../kube/certificates/issue.ts';
import { certificateFacts, isSignedBy, parseTlsSecret, tlsSecretContent, WEBHOOK_TLS_SECRET } from '../../kube/certificates/tls-secret.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../../kube/resource-type.ts';
import { CA_FIELD_MANAGER, type CertificateContext, getIfThere, splitNames } from './ensure-authority.ts';

/** Name of the ValidatingWebhookConfiguration (config/admission). */
export const WEBHOOK_CONFIGURATION = 'palisade';

const configurationSchema = z.looseObject({
  webhooks: z
    .array(
      z.looseObject({
        name: z.string(),
        clientConfig: z.looseObject({
          url: z.string().optional(),
          service: z.looseObject({ name: z.string(), namespace: z.string() }).optional(),
          caBundle: z.string().default(''),
        }),
      }),
    )
    .default([]),
});

type Configuration = z.infer<typeof configurationSchema>;

/** What was found: without a configuration there is nothing to trust yet. */
export type WebhookOutcome = 'trusted' | 'no-configuration';

/**
 * Gives the webhook its certificate (Secret `palisade-webhook-tls`) for the names under which the API server calls it, and the API server
 * the authority to trust (`caBundle`). Does nothing where all is well.
 */
export async function ensureWebhook(context: CertificateContext, authority: CertificatePair): Promise<WebhookOutcome> {
  const object = await getIfThere(context.client, VALIDATING_WEBHOOK_CONFIGURATIONS, null, WEBHOOK_CONFIGURATION);
  const configuration = object === undefined ? null : configurationSchema.parse(object);
  await ensureLeaf(context, authority, serverNames(configuration, context.namespace));
  if (configuration === null) {
    return 'no-configuration';
  }
  const caBundle = Buffer.from(authority.certificatePem, 'utf8').toString('base64');
  if (configuration.webhooks.some((webhook) => webhook.clientConfig.caBundle !== caBundle)) {
    await context.client.apply(
      VALIDATING_WEBHOOK_CONFIGURATIONS,
      { namespace: null, name: WEBHOOK_CONFIGURATION },
      {
        metadata: { name: WEBHOOK_CONFIGURATION },
        webhooks: configuration.webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })),
      },
      { fieldManager: CA_FIELD_MANAGER },
    );
  }
  return 'trusted';
}

/** The Service's name, and hosts of URLs where the API server is told to call one. */
function serverNames(configuration: Configuration | null, namespace: string): readonly string[] {
  const names = (configuration?.webhooks ?? []).flatMap(({ clientConfig }) => [
    ...(clientConfig.service === undefined ? [] : [`${clientConfig.service.name}.${clientConfig.service.namespace}.svc`]),
    ...(clientConfig.url === undefined ? [] : hostOf(clientConfig.url)),
  ]);
  return [...new Set([`palisade-webhook.${namespace}.svc`, ...names])];
}

function hostOf(url: string): string[] {
  const host = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return host === '' ? [] : [host];
}

async function ensureLeaf(context: CertificateContext, authority: CertificatePair, names: readonly string[]): Promise<void> {
  const { client, namespace } = context;
  const existing = await getIfThere(client, SECRETS, namespace, WEBHOOK_TLS_SECRET);
  const current = existing === undefined ? undefined : parseTlsSecret(existing);
  if (current !== undefined && isGoodLeaf(current.certificatePem, authority.certificatePem, names, context.nowMs())) {
    return;
  }
  const { dnsNames, ipAddresses } = splitNames(names);
  const leaf = await issueLeaf({
    authority,
    commonName: names[0] ?? '',
    dnsNames,
    ipAddresses,
    nowMs: context.nowMs(),
    validForMs: LEAF_VALID_MS,
  });
  const secret = {
    metadata: { name: WEBHOOK_TLS_SECRET, namespace },
    ...tlsSecretContent({ ...leaf, authorityPem: authority.certificatePem }),
  };
  if (existing !== undefined) {
    // Whoever changed it meanwhile wins; the next round looks again.
    const metadata = { ...secret.metadata, resourceVersion: existing.metadata.resourceVersion };
    await client.replace(SECRETS, { namespace, name: WEBHOOK_TLS_SECRET }, { ...secret, metadata });
    return;
  }
  try {
    await client.create(SECRETS, namespace, secret);
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) {
      throw error;
    }
  }
}

/** Signed by our authority, for all names, and with a third of its life left. */
function isGoodLeaf(certificatePem: string, authorityPem: string, names: readonly string[], nowMs: number): boolean {
  const facts = certificateFacts(certificatePem);
  if (facts === undefined || !isSignedBy(certificatePem, authorityPem)) {
    return false;
  }
  const certificate = new X509Certificate(certificatePem);
  const { dnsNames, ipAddresses } = splitNames(names);
  const hasNames =
    dnsNames.every((name) => facts.dnsNames.includes(name)) && ipAddresses.every((address) => certificate.checkIP(address) !== undefined);
  return hasNames && facts.notAfterMs - nowMs > (facts.notAfterMs - facts.notBeforeMs) / 3;
}
