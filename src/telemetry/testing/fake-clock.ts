import { clampDelay, type Clock } from '../clock.ts';

export type FakeClock = Clock & {
  /** Moves both clocks, firing timers in their order and letting promises settle after each. */
  advance(durationMs: number): Promise<void>;
  /** Moves the wall clock alone, as an administrator or NTP does. */
  jump(durationMs: number): void;
  /** Timers that have not fired. */
  pendingTimers(): number;
};

type FakeTimer = { readonly dueMs: number; readonly order: number; readonly callback: () => void };

/** A clock that stands still until the test moves it. */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let wallMs = startMs;
  let elapsedMs = 0;
  let order = 0;
  const timers = new Set<FakeTimer>();

  const nextDue = (untilMs: number): FakeTimer | undefined => {
    let next: FakeTimer | undefined;
    for (const timer of timers) {
      const isEarlier = next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order);
      if (timer.dueMs <= untilMs && isEarlier) {
        next = timer;
      }
    }
    return next;
  };
  const moveTo = (targetMs: number): void => {
    wallMs += targetMs - elapsedMs;
    elapsedMs = targetMs;
  };

  return {
    nowMs: () => wallMs,
    monotonicMs: () => elapsedMs,
    setTimer: (delayMs, callback) => {
      order += 1;
      const timer = { dueMs: elapsedMs + clampDelay(delayMs), order, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    advance: async (durationMs) => {
      const targetMs = elapsedMs + durationMs;
      await settle();
      for (let timer = nextDue(targetMs); timer !== undefined; timer = nextDue(targetMs)) {
        timers.delete(timer);
        moveTo(timer.dueMs);
        timer.callback();
        await settle();
      }
      moveTo(targetMs);
      await settle();
    },
    jump: (durationMs) => {
      wallMs += durationMs;
    },
    pendingTimers: () => timers.size,
  };
}

/** Two turns of the event loop: promises and what they queued. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
