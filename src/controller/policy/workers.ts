import type { WorkQueue } from '../../kube/work-queue.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';
import type { Reconciler } from './reconcile.ts';

export type WorkersOptions = {
  readonly queue: WorkQueue;
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Takes keys from the queue until it is shut down. Looks at policies are short and synchronous, so that one worker is enough. */
export async function workOff({ queue, reconciler, clock, log, metrics }: WorkersOptions): Promise<void> {
  const seconds = metrics.histogram('reconcile_seconds', 'Time of one look at one policy.', SECONDS_BUCKETS);
  const outcomes = metrics.counter('reconcile_total', 'Looks at policies by outcome.', ['outcome']);
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const startedMs = clock.monotonicMs();
    try {
      const outcome = reconciler.reconcile(key);
      outcomes.inc({ outcome: outcome.kind });
      queue.forget(key);
      if (outcome.kind === 'wait') {
        queue.addAfter(key, outcome.delayMs);
      }
    } catch (error) {
      outcomes.inc({ outcome: 'retry' });
      log.error('A look at a policy failed', { policy: key, error });
      queue.addRateLimited(key);
    } finally {
      queue.done(key);
      seconds.observe({}, (clock.monotonicMs() - startedMs) / 1_000);
    }
    // Other work of the event loop must get its turn between two policies.
    await new Promise((resolve) => void setImmediate(resolve));
  }
}
