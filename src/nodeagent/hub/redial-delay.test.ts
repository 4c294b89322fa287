import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redialDelayMs } from './redial-delay.ts';

const OPTIONS = { baseMs: 30_000, maxMs: 300_000 };

describe('how long an agent waits before it dials the hub again', () => {
  test('after a broken connection up to half a minute, then twice as long with every dial that fails, and never over five minutes', () => {
    const bounds = [0, 1, 2, 3, 4, 50].map((failures) => redialDelayMs(OPTIONS, { kind: 'failed', failures }, 0.999_999_9));
    expect(bounds).toEqual([29_999, 59_999, 119_999, 239_999, 299_999, 299_999]);
  });

  test('a whole fleet that lost its hub at once comes back spread over all of that time', () => {
    expect(redialDelayMs(OPTIONS, { kind: 'failed', failures: 0 }, 0)).toBe(0);
    expect(redialDelayMs(OPTIONS, { kind: 'failed', failures: 0 }, 0.5)).toBe(15_000);
  });

  test('a hub that sent the agent away has chosen the moment: it dials at once, not after that time a second time', () => {
    expect(redialDelayMs(OPTIONS, { kind: 'sent-away' }, 0.999)).toBe(999);
    expect(redialDelayMs({ baseMs: 100, maxMs: 300 }, { kind: 'sent-away' }, 0.999)).toBe(99);
  });

  test('a hub that is still reading the cluster is asked again when it said, and not by all agents in step', () => {
    expect(redialDelayMs(OPTIONS, { kind: 'put-off', afterMs: 1_000 }, 0)).toBe(1_000);
    expect(redialDelayMs(OPTIONS, { kind: 'put-off', afterMs: 1_000 }, 0.5)).toBe(1_500);
  });

  test('a hub that says "at once" is not dialled in a loop, nor by all agents in step', () => {
    const delays = [0, 0.5].map((random) => redialDelayMs(OPTIONS, { kind: 'put-off', afterMs: 0 }, random));
    expect(delays).toEqual([1_000, 1_500]);
    expect(redialDelayMs({ baseMs: 100, maxMs: 300 }, { kind: 'put-off', afterMs: 0 }, 0)).toBe(300);
  });

  test('whatever a hub says, no agent stays away for longer than the longest delay', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.double({ min: 0, max: 0.999, noNaN: true }), (afterMs, random) => {
        expect(redialDelayMs(OPTIONS, { kind: 'put-off', afterMs }, random)).toBeLessThanOrEqual(OPTIONS.maxMs);
      }),
    );
  });
});
