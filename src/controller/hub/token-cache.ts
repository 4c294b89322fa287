import { createHash } from 'node:crypto';
import type { Clock } from '../../telemetry/clock.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';
import type { AccessReviewer, Caller } from './access-review.ts';
import { HubRefusal } from './hub-error.ts';

/** Reviews of tokens, remembered for a while by the sha256 of the token; tokens themselves are not kept. */
export type TokenCache = {
  /** Rejects with a `HubRefusal`. `ReviewFailed` means that the API server could not be asked. */
  authenticate(token: string): Promise<Caller>;
  /** Asks again, whatever is remembered. */
  refresh(token: string): Promise<Caller>;
};

export type TokenCacheOptions = {
  readonly reviewer: AccessReviewer;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly ttlMs: number;
};

const MAX_TOKENS = 16_384;
const MAX_IN_FLIGHT = 32;
const MAX_WAITING = 8_192;
const MAX_TOKEN_CHARS = 16_384;

export function createTokenCache({ reviewer, clock, metrics, ttlMs }: TokenCacheOptions): TokenCache {
  const seconds = metrics.histogram('hub_tokenreview_seconds', 'Time of TokenReviews, waiting for a free slot included.', SECONDS_BUCKETS);
  const cache = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();
  const waiting: (() => void)[] = [];
  let inFlight = 0;

  const acquire = async (): Promise<void> => {
    if (inFlight < MAX_IN_FLIGHT) {
      inFlight += 1;
      return;
    }
    if (waiting.length >= MAX_WAITING) {
      throw new HubRefusal('Busy', 'too many callers wait for the review of their tokens');
    }
    await new Promise<void>((resolve) => void waiting.push(resolve));
  };
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) {
      inFlight -= 1;
    } else {
      next();
    }
  };
  const review = async (token: string, key: string): Promise<Caller> => {
    const startedMs = clock.monotonicMs();
    await acquire();
    try {
      const outcome = await reviewer.reviewForHub(token);
      if (!outcome.isAuthenticated) {
        cache.delete(key);
        throw new HubRefusal('NotAuthenticated', `the token is not valid for the hub: ${outcome.error}`);
      }
      remember(cache, key, { caller: outcome.caller, untilMs: clock.monotonicMs() + ttlMs });
      return outcome.caller;
    } catch (error) {
      throw error instanceof HubRefusal ? error : new HubRefusal('ReviewFailed', 'the API server could not review the token', error);
    } finally {
      release();
      seconds.observe({}, (clock.monotonicMs() - startedMs) / 1_000);
    }
  };

  return {
    authenticate: async (token) => {
      const key = keyOf(token);
      const known = cache.get(key);
      return known !== undefined && known.untilMs > clock.monotonicMs() ? known.caller : review(token, key);
    },
    refresh: (token) => review(token, keyOf(token)),
  };
}

function remember<Value>(cache: Map<string, Value>, key: string, value: Value): void {
  cache.delete(key);
  cache.set(key, value);
  const oldest = cache.keys().next().value;
  if (cache.size > MAX_TOKENS && oldest !== undefined) {
    cache.delete(oldest);
  }
}

function keyOf(token: string): string {
  if (token.length > MAX_TOKEN_CHARS) {
    throw new HubRefusal('NotAuthenticated', `the token is longer than ${MAX_TOKEN_CHARS} characters`);
  }
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(header: string | undefined): string {
  const token = /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
  if (token === undefined) {
    throw new HubRefusal('NoToken', 'send a ServiceAccount token of audience palisade-hub as "Authorization: Bearer TOKEN"');
  }
  return token;
}
