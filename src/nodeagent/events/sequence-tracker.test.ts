import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SequenceTracker } from './sequence-tracker.ts';

describe('The sequence tracker', () => {
  test('counts exactly the numbers that never came, in whatever order the others did', () => {
    const near = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { minLength: 1 }), near, (present, jitter) => {
        const arrival = present.toSorted((a, b) => a - b).map((seq, index) => ({ seq, at: seq + (jitter[index] ?? 0) }));
        arrival.sort((a, b) => a.at - b.at);
        const tracker = new SequenceTracker({ graceMs: 10 });
        tracker.expectNext('s', 1n);
        const losses = arrival.flatMap(({ seq }) => tracker.note('s', BigInt(seq), 0));
        losses.push(...tracker.sweep(10));
        const lost = losses.reduce((sum, { count }) => sum + Number(count), 0);
        expect(lost).toBe(Math.max(...present) - present.length);
      }),
    );
  });

  test('blames a restart for what is missing before the first record after it, less what was exported in the end', () => {
    const tracker = new SequenceTracker({ graceMs: 10 });
    tracker.expectNext('s', 5n);
    tracker.creditRestart(2);
    tracker.note('s', 10n, 0);
    tracker.note('s', 12n, 0);
    expect(tracker.sweep(10)).toEqual([
      { stream: 's', count: 1n, cause: 'gap' },
      { stream: 's', count: 3n, cause: 'restart' },
    ]);
  });

  test('says nothing of a stream whose beginning it has not seen', () => {
    const tracker = new SequenceTracker({ graceMs: 10 });
    tracker.note('s', 1000n, 0);
    expect(tracker.sweep(100)).toEqual([]);
  });
});
