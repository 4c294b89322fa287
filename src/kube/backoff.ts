import type { Clock } from '../telemetry/clock.ts';

export type BackoffOptions = {
  readonly baseMs: number;
  readonly maxMs: number;
  /** A delay is multiplied by 1…1 + jitter, so that many clients do not come back together. */
  readonly jitter: number;
  /** After this long without a failure the next one counts as the first. */
  readonly resetAfterMs: number;
};

/** Delays that double with every failure in a row. */
export type Backoff = { nextMs(): number };

/** client-go's for watches: 800 ms doubling to 30 s, jitter 1.0, reset after 2 min (tools/cache/reflector.go). */
export const REFLECTOR_BACKOFF: BackoffOptions = { baseMs: 800, maxMs: 30_000, jitter: 1, resetAfterMs: 120_000 };

export function createBackoff(clock: Clock, random: () => number, options: BackoffOptions): Backoff {
  let failures = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    nextMs: () => {
      const nowMs = clock.monotonicMs();
      if (nowMs - lastMs > options.resetAfterMs) {
        failures = 0;
      }
      const delayMs = Math.min(options.baseMs * 2 ** Math.min(failures, 30), options.maxMs) * (1 + random() * options.jitter);
      failures += 1;
      // Measured from when the delay will be over: waiting is not health.
      lastMs = nowMs + delayMs;
      return delayMs;
    },
  };
}
