import { describe, expect, test } from 'vitest';
import type { Assignment } from './assignment.ts';
import { createShareMaker } from './node-share.ts';
import { createSetBook } from './set-book.ts';

function fitting(uid: string, createdMs: number): Assignment {
  const entry = {
    uid,
    kind: 'TracingPolicy',
    namespace: null,
    name: uid,
    generation: 1,
    digest: 'ab'.repeat(32),
    mode: 'enforce',
  } as const;
  return { entry, nodeSelector: null, createdMs, planChars: 1 };
}

describe('a node has room for one policy', () => {
  const runs = fitting('runs', 0);

  test('nodes with the same one and the same withheld ones share one object', () => {
    const shares = createShareMaker(createSetBook(), { maxEntries: 1, maxPlanChars: 1_000 });
    const [x, y] = [shares.of([runs, fitting('x', 1)]), shares.of([runs, fitting('y', 1)])];
    expect(shares.of([runs, fitting('x', 1)])).toBe(x);
    expect(shares.of([runs, fitting('y', 1)])).toBe(y);
    expect(x.set).toBe(y.set);
  });

  test('what is withheld may change without end, and what nobody asks for again is forgotten', () => {
    const shares = createShareMaker(createSetBook(), { maxEntries: 1, maxPlanChars: 1_000 });
    const share = (uid: string) => shares.of([runs, fitting(uid, 1)]);
    const [first, kept] = [share('first'), share('kept')];
    for (let change = 0; change < 100; change += 1) {
      share(`policy-${change}`);
      expect(share('kept')).toBe(kept);
    }
    expect(share('first')).not.toBe(first);
    expect([...share('first').withheld.keys()]).toEqual(['first']);
  });
});
