import { expect, test } from 'vitest';
import { clampDelay, MAX_TIMER_MS, sleep, systemClock } from './clock.ts';
import { createFakeClock } from './testing/fake-clock.ts';

test('a sleeper wakes when its time has come and not before', async () => {
  const clock = createFakeClock();
  let woke = false;
  const done = sleep(clock, 1_000).then(() => (woke = true));
  await clock.advance(999);
  expect(woke).toBe(false);
  await clock.advance(1);
  await done;
  expect(woke).toBe(true);
});

test('a sleeper wakes at once when its signal is aborted, and leaves no timer behind', async () => {
  const clock = createFakeClock();
  const stopper = new AbortController();
  const done = sleep(clock, 1_000, stopper.signal);
  expect(clock.pendingTimers()).toBe(1);
  stopper.abort();
  await done;
  expect(clock.pendingTimers()).toBe(0);
});

test('timers fire in the order of their times, those set by a timer included', async () => {
  const clock = createFakeClock();
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push('b'));
  clock.setTimer(10, () => {
    fired.push('a');
    clock.setTimer(15, () => fired.push('c'));
  });
  await clock.advance(30);
  expect(fired).toEqual(['a', 'b', 'c']);
});

test('a jump of the wall clock moves no timer', () => {
  const clock = createFakeClock(1_000);
  clock.jump(-500);
  expect(clock.nowMs()).toBe(500);
  expect(clock.monotonicMs()).toBe(0);
});

test('delays that Node would fire at once are cut', () => {
  expect(clampDelay(Number.POSITIVE_INFINITY)).toBe(MAX_TIMER_MS);
  expect(clampDelay(-5)).toBe(0);
});

test('the real clock moves', async () => {
  const before = systemClock.monotonicMs();
  await sleep(systemClock, 2);
  expect(systemClock.monotonicMs()).toBeGreaterThan(before);
});
