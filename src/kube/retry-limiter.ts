import type { Clock } from '../telemetry/clock.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

/** How long a failed key waits. */
export type RetryLimiter = {
  delayMs(key: string): number;
  failures(key: string): number;
  forget(key: string): void;
};

export type RetryLimiterOptions = {
  readonly clock: Clock;
  readonly baseMs?: number;
  readonly maxMs?: number;
  /** Over all keys. */
  readonly bucket?: TokenBucket;
};

/** client-go's default (util/workqueue/default_rate_limiters.go): per key 5 ms doubling to 1000 s, all keys together 10/s with a burst of 100. */
export function createRetryLimiter(options: RetryLimiterOptions): RetryLimiter {
  const baseMs = options.baseMs ?? 5;
  const maxMs = options.maxMs ?? 1_000_000;
  const bucket = options.bucket ?? createTokenBucket({ clock: options.clock, perSecond: 10, burst: 100 });
  const counts = new Map<string, number>();
  return {
    delayMs: (key) => {
      const failures = counts.get(key) ?? 0;
      counts.set(key, failures + 1);
      return Math.max(Math.min(baseMs * 2 ** Math.min(failures, 40), maxMs), bucket.reserveMs());
    },
    failures: (key) => counts.get(key) ?? 0,
    forget: (key) => void counts.delete(key),
  };
}
