import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExportCheckpoint, rangesOf, without } from './checkpoint.ts';

const small = fc.bigInt({ min: 0n, max: 60n });

describe('The checkpoint of the export', () => {
  test('leaves of ranges exactly the numbers that are not taken out, in their order', () => {
    fc.assert(
      fc.property(fc.array(small), fc.array(small), (present, taken) => {
        const left = rangesOf([...new Set(present)].filter((number) => !taken.includes(number)));
        const ranges = without(rangesOf(present).toReversed(), taken);
        expect(
          rangesOf(ranges.flatMap(({ from, to }) => Array.from({ length: Number(to - from) + 1 }, (_, i) => from + BigInt(i)))),
        ).toEqual(left);
        expect(ranges).toEqual(ranges.toSorted((a, b) => Number(a.from - b.from)));
      }),
    );
  });

  test('owes exactly what it has not received, in whatever order that comes', () => {
    fc.assert(
      fc.property(fc.array(small), fc.uniqueArray(small), (owed, received) => {
        const checkpoint = new ExportCheckpoint();
        checkpoint.resume('critical-0', { high: 60n, open: rangesOf(owed).toReversed() });
        for (const seq of received) {
          checkpoint.begin({ stream: 'critical-0', seq }, 0);
          checkpoint.settle({ stream: 'critical-0', seq }, 0);
        }
        expect(checkpoint.progress().get('critical-0')?.open).toEqual(without(rangesOf(owed), received));
      }),
    );
  });

  test('takes ten thousands of scattered numbers out in one pass: an agent that was killed under load starts as fast as any', () => {
    const count = 50_000;
    const every = Array.from({ length: count }, (_, i) => BigInt(2 * i));
    const fromMs = performance.now();
    expect(without([{ from: 0n, to: BigInt(2 * count) }], every)).toHaveLength(count);
    // Number by number it took more than a minute.
    expect(performance.now() - fromMs).toBeLessThan(5000);
  });
});
