/**
 * Time, as everything long-lived is given it. Durations are measured with `monotonicMs`, which no one can set; times that are stored or
 * shown come from `nowMs`.
 */
export type Clock = {
  /** Wall clock, milliseconds since 1970 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds since some moment; never goes backwards. */
  monotonicMs(): number;
  /** Calls back once after the delay. Delays beyond `MAX_TIMER_MS` are cut to it: Node would fire them at once. */
  setTimer(delayMs: number, callback: () => void): Timer;
};

export type Timer = { cancel(): void };

/** The longest delay that a Node timer keeps (2^31 − 1 ms, almost 25 days). */
export const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const handle = setTimeout(callback, clampDelay(delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
};

export function clampDelay(delayMs: number): number {
  return Math.min(Math.max(0, delayMs), MAX_TIMER_MS);
}

/** Resolves after the delay, or as soon as the signal is aborted; whoever must tell the two apart asks the signal. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      resolve();
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
