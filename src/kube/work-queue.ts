import type { Clock, Timer } from '../telemetry/clock.ts';
import { clampDelay } from '../telemetry/clock.ts';
import { SECONDS_BUCKETS, type Metrics } from '../telemetry/metrics.ts';
import { createRetryLimiter, type RetryLimiter } from './retry-limiter.ts';

/**
 * Keys that wait for work, each at most once. A port of the behaviour of client-go's util/workqueue: a key that is added while it is
 * being worked on comes again when that work is done, and never to two workers at a time.
 */
export type WorkQueue = {
  add(key: string): void;
  /** An earlier delay of the same key wins. */
  addAfter(key: string, delayMs: number): void;
  /** After a failure: a delay that grows with each failure of the key, and is limited over all keys. */
  addRateLimited(key: string): void;
  /** After a success: the key's next failure counts as its first. */
  forget(key: string): void;
  retries(key: string): number;
  /** The next key, when there is one; undefined once the queue is shut down and empty. `done` must follow. */
  take(): Promise<string | undefined>;
  done(key: string): void;
  /** No new keys; those that wait are still handed out, delayed ones are dropped. */
  shutDown(): void;
  readonly length: number;
};

export type WorkQueueOptions = {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limiter?: RetryLimiter;
};

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, name } = options;
  const meter = createQueueMeter(options);
  const limiter = options.limiter ?? createRetryLimiter({ clock });
  const waiting: string[] = [];
  /** Keys that need work: waiting, or added again while being worked on. */
  const dirty = new Map<string, number>();
  const processing = new Map<string, number>();
  const delayed = new Map<string, { readonly dueMs: number; readonly timer: Timer }>();
  const takers: ((key: string | undefined) => void)[] = [];
  let isShutDown = false;

  const hand = (): void => {
    while (takers.length > 0 && waiting.length > 0) {
      const key = waiting.shift();
      if (key !== undefined) {
        const nowMs = clock.monotonicMs();
        meter.waited({ name }, (nowMs - (dirty.get(key) ?? nowMs)) / 1_000);
        dirty.delete(key);
        processing.set(key, nowMs);
        takers.shift()?.(key);
      }
    }
    if (isShutDown && waiting.length === 0 && processing.size === 0) {
      for (const taker of takers.splice(0)) {
        taker(undefined);
      }
    }
    meter.depth({ name }, waiting.length);
  };
  const add = (key: string): void => {
    if (isShutDown || dirty.has(key)) {
      return;
    }
    meter.adds({ name });
    dirty.set(key, clock.monotonicMs());
    if (!processing.has(key)) {
      waiting.push(key);
      hand();
    }
  };
  const addAfter = (key: string, delayMs: number): void => {
    if (delayMs <= 0) {
      add(key);
      return;
    }
    const dueMs = clock.monotonicMs() + clampDelay(delayMs);
    const existing = delayed.get(key);
    if (isShutDown || (existing !== undefined && existing.dueMs <= dueMs)) {
      return;
    }
    existing?.timer.cancel();
    const timer = clock.setTimer(delayMs, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { dueMs, timer });
  };

  return {
    add,
    addAfter,
    addRateLimited: (key) => {
      meter.retries({ name });
      addAfter(key, limiter.delayMs(key));
    },
    forget: (key) => limiter.forget(key),
    retries: (key) => limiter.failures(key),
    take: () =>
      new Promise((resolve) => {
        takers.push(resolve);
        hand();
      }),
    done: (key) => {
      const startedMs = processing.get(key);
      if (startedMs === undefined) {
        return;
      }
      processing.delete(key);
      meter.worked({ name }, (clock.monotonicMs() - startedMs) / 1_000);
      if (dirty.has(key)) {
        waiting.push(key);
      }
      hand();
    },
    shutDown: () => {
      isShutDown = true;
      for (const { timer } of delayed.values()) {
        timer.cancel();
      }
      delayed.clear();
      hand();
    },
    get length() {
      return waiting.length;
    },
  };
}

type QueueLabels = { readonly name: string };

/** The usual names of Kubernetes' queues, with our prefix. */
function createQueueMeter({ metrics }: WorkQueueOptions) {
  const depth = metrics.gauge('workqueue_depth', 'Keys that wait.', ['name']);
  const adds = metrics.counter('workqueue_adds_total', 'Keys that were added and not there yet.', ['name']);
  const retries = metrics.counter('workqueue_retries_total', 'Keys that were added after a failure.', ['name']);
  const waited = metrics.histogram('workqueue_queue_duration_seconds', 'Time from adding a key to work on it.', SECONDS_BUCKETS, ['name']);
  const worked = metrics.histogram('workqueue_work_duration_seconds', 'Time of work on a key.', SECONDS_BUCKETS, ['name']);
  return {
    depth: (labels: QueueLabels, value: number) => depth.set(labels, value),
    adds: (labels: QueueLabels) => adds.inc(labels),
    retries: (labels: QueueLabels) => retries.inc(labels),
    waited: (labels: QueueLabels, seconds: number) => waited.observe(labels, seconds),
    worked: (labels: QueueLabels, seconds: number) => worked.observe(labels, seconds),
  };
}
