import { type CertificatePair } from '../../kube/certificates/issue.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { type Clock, sleep } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { CertificateContext } from './ensure-authority.ts';
import { ensureWebhook, type WebhookOutcome } from './ensure-webhook.ts';

const LOOK_AGAIN_MS = 60_000;
/** While the configuration is not there yet, or the API server does not answer. */
const LOOK_SOON_MS = 2_000;

/** Keeps certificate and trust of the webhook in place until the signal is aborted: manifests may be applied later, or again. */
export async function keepWebhookTrusted(
  context: CertificateContext,
  authority: CertificatePair,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  let last: WebhookOutcome | 'failed' | null = null;
  while (!signal.aborted) {
    const outcome = await tryOnce(context, authority, log);
    if (outcome !== last) {
      log.info('Looked after the trust of the webhook', { outcome });
      last = outcome;
    }
    await sleep(clock, outcome === 'trusted' ? LOOK_AGAIN_MS : LOOK_SOON_MS, signal);
  }
}

async function tryOnce(context: CertificateContext, authority: CertificatePair, log: Log): Promise<WebhookOutcome | 'failed'> {
  try {
    return await ensureWebhook(context, authority);
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) {
      log.warn('Could not look after the trust of the webhook', { error });
    }
    return 'failed';
  }
}
