import type { Clock } from '../telemetry/clock.ts';

/** Limits how often something happens, on average and at once. */
export type TokenBucket = {
  /** Takes a token, from the future if need be, and says how long to wait until it is there. */
  reserveMs(): number;
  /** Takes a token only if one is there now. */
  tryTake(): boolean;
};

export type TokenBucketOptions = { readonly clock: Clock; readonly perSecond: number; readonly burst: number };

export function createTokenBucket({ clock, perSecond, burst }: TokenBucketOptions): TokenBucket {
  let tokens = burst;
  let atMs = clock.monotonicMs();
  const refill = (): void => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(burst, tokens + ((nowMs - atMs) / 1_000) * perSecond);
    atMs = nowMs;
  };
  return {
    reserveMs: () => {
      refill();
      tokens -= 1;
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1_000;
    },
    tryTake: () => {
      refill();
      if (tokens < 1) {
        return false;
      }
      tokens -= 1;
      return true;
    },
  };
}
