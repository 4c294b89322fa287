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
        tracker.resume('s', 0n, []);
        const losses = arrival.flatMap(({ seq }) => tracker.note('s', BigInt(seq), 0).losses);
        losses.push(...tracker.sweep(10));
        const lost = losses.reduce((sum, { count }) => sum + Number(count), 0);
        expect(lost).toBe(Math.max(...present) - present.length);
      }),
    );
  });

  test('takes every record once, however often and from wherever the loader sends it again', () => {
    const restarts = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(restarts, (backs) => {
        const tracker = new SequenceTracker({ graceMs: 10 });
        const taken: number[] = [];
        let at = 0;
        for (const back of [...backs, 0]) {
          for (let seq = Math.max(0, at - back); seq < at + 10; seq += 1) {
            const { kind } = tracker.note('s', BigInt(seq), 0);
            if (kind === 'new') taken.push(seq);
          }
          at += 10;
        }
        expect(taken).toEqual(Array.from({ length: at }, (_, seq) => seq));
        expect(tracker.sweep(100)).toEqual([]);
      }),
    );
  });

  test('takes a record that comes long after it was told as lost, once', () => {
    const tracker = new SequenceTracker({ graceMs: 10 });
    for (const seq of [1n, 2n, 5n]) tracker.note('s', seq, 0);
    expect(tracker.sweep(10)).toEqual([{ stream: 's', count: 2n, cause: 'gap' }]);
    expect([4n, 6n, 4n].map((seq) => tracker.note('s', seq, 20).kind)).toEqual(['new', 'new', 'again']);
    expect(tracker.sweep(1000)).toEqual([]);
  });

  test('takes a number once, even when it comes twice in a row: every record of a call has its own', () => {
    const tracker = new SequenceTracker({ graceMs: 10 });
    expect([1n, 2n, 2n, 3n, 2n].map((seq) => tracker.note('s', seq, 0).kind)).toEqual(['new', 'new', 'again', 'new', 'again']);
    expect(tracker.sweep(1000)).toEqual([]);
  });

  test('takes up where an agent that died left off, and blames the restart for what does not come again', () => {
    const tracker = new SequenceTracker({ graceMs: 10 });
    tracker.resume('s', 9n, [
      { from: 4n, to: 5n },
      { from: 8n, to: 9n },
    ]);
    expect([3n, 4n, 6n, 8n].map((seq) => tracker.note('s', seq, 0).kind)).toEqual(['again', 'new', 'again', 'new']);
    expect(tracker.sweep(1000)).toEqual([]);
    tracker.note('s', 11n, 1000);
    tracker.note('s', 13n, 1000);
    expect(tracker.sweep(1010)).toEqual([
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
