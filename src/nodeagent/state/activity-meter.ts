import { PAL_H_UNPROTECTED_START } from '../../abi/layout.ts';
import type { ActivityRow } from '../../protocol/hub-frames.ts';
import { sleep, type Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LoaderCounters } from '../loader/loader-client.ts';
import { activityRows, type PolicyCounters } from './activity.ts';
import type { RunningPolicy } from './running.ts';

export type ActivityMeterRun = {
  readonly everyMs: () => number;
  /** Null: the loader cannot be asked now; the window then grows. */
  readonly counters: () => Promise<LoaderCounters | null>;
  readonly running: () => ReadonlyMap<string, RunningPolicy>;
  readonly onRows: (windowMs: number, rows: readonly ActivityRow[]) => void;
  /** `unprotectedStarts` changed. */
  readonly onHealth: () => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Reads the kernel's counters every minute and tells the growth. */
export class ActivityMeter {
  readonly #clock: Clock;
  /** By policy number, when its last event came. */
  readonly #lastMs = new Map<number, number>();
  /** By policy number, at the end of the last window. */
  #before: ReadonlyMap<number, PolicyCounters> = new Map();
  #unprotectedStarts = 0;
  /** What the kernel had counted when counting began to mean something. */
  #unprotectedBefore = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Containers that ran their first program before it was known which pod they are of. */
  get unprotectedStarts(): number {
    return this.#unprotectedStarts;
  }

  note(policy: number): void {
    this.#lastMs.set(policy, this.#clock.monotonicMs());
  }

  /** What an adopted generation had counted before this agent began: somebody else has reported it. */
  startFrom(counters: LoaderCounters): void {
    this.#before = counters.policies;
    this.forgetUnprotected(counters);
  }

  /** Until a new node has first heard of its pods, everything in them is of unknown identity: that is not the lateness that is counted. */
  forgetUnprotected(counters: LoaderCounters): void {
    this.#unprotectedBefore = Number(counters.health[PAL_H_UNPROTECTED_START] ?? 0n);
    this.#unprotectedStarts = 0;
  }

  async run(options: ActivityMeterRun): Promise<void> {
    const { clock, signal, log } = options;
    let sinceMs = clock.monotonicMs();
    while (!signal.aborted) {
      await sleep(clock, options.everyMs(), signal);
      if (signal.aborted) return;
      try {
        const counters = await options.counters();
        if (counters === null) continue;
        const nowMs = clock.monotonicMs();
        options.onRows(nowMs - sinceMs, this.#rows(counters, options.running(), nowMs - sinceMs, nowMs));
        sinceMs = nowMs;
        this.#noteHealth(counters, options.onHealth);
      } catch (error) {
        log.warn('Could not read the counters', { error });
      }
    }
  }

  #rows(counters: LoaderCounters, running: ReadonlyMap<string, RunningPolicy>, windowMs: number, nowMs: number): ActivityRow[] {
    const now = new Map<string, PolicyCounters>();
    const before = new Map<string, PolicyCounters>();
    const sinceLastMs = new Map<string, number>();
    const numbers = new Set<number>();
    for (const policy of running.values()) {
      numbers.add(policy.number);
      const counted = counters.policies.get(policy.number);
      if (counted !== undefined) now.set(policy.uid, counted);
      const earlier = this.#before.get(policy.number);
      if (earlier !== undefined) before.set(policy.uid, earlier);
      const lastMs = this.#lastMs.get(policy.number);
      if (lastMs !== undefined) sinceLastMs.set(policy.uid, nowMs - lastMs);
    }
    for (const number of this.#lastMs.keys()) if (!numbers.has(number)) this.#lastMs.delete(number);
    this.#before = counters.policies;
    return activityRows({ now, before, sinceLastMs, windowMs });
  }

  #noteHealth(counters: LoaderCounters, onHealth: () => void): void {
    const counted = Number(counters.health[PAL_H_UNPROTECTED_START] ?? 0n);
    // A counter that is smaller than before is that of another boot or of new tables.
    const unprotected = counted < this.#unprotectedBefore ? counted : counted - this.#unprotectedBefore;
    if (unprotected === this.#unprotectedStarts) return;
    this.#unprotectedStarts = unprotected;
    onHealth();
  }
}
