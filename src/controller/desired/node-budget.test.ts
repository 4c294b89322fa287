import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Assignment } from './assignment.ts';
import { admit, hasRoom, NODE_BUDGET } from './node-budget.ts';

const BUDGET = { maxEntries: 100, maxPlanChars: 100 };

function policy(uid: string, planChars: number, namespace: string | null = null, createdMs = 0): Assignment {
  const kind = namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced';
  const entry = { uid, kind, namespace, name: uid, generation: 1, digest: 'ab'.repeat(32), mode: 'enforce' } as const;
  return { entry, nodeSelector: null, createdMs, planChars };
}

const uidsOf = (all: readonly Assignment[]): string[] => all.map((one) => one.entry.uid);

describe('what the plans of one node may add up to', () => {
  test('thousands of usual policies fit', () => {
    const usual = Array.from({ length: 2_000 }, (_, at) => policy(`p${at}`, 7_000, `team-${at % 50}`));
    expect(hasRoom(usual, NODE_BUDGET)).toBe(true);
  });

  test('a tenant with huge policies fills his own share and nobody else’s', () => {
    const huge = Array.from({ length: 10 }, (_, at) => policy(`huge${at}`, 10, 'team-evil', at));
    const late = policy('late', 10, 'team-a', 99);
    const platform = policy('platform', 60, null, 100);
    const { admitted, withheld } = admit([...huge, late, platform], BUDGET);
    expect(uidsOf(admitted)).toEqual(['platform', 'huge0', 'huge1', 'late']);
    expect(withheld).toHaveLength(8);
  });

  test('one that is too large for what is left does not hold up smaller ones behind it', () => {
    expect(uidsOf(admit([policy('a', 90, null, 1), policy('b', 20, null, 2), policy('c', 10, null, 3)], BUDGET).admitted)).toEqual([
      'a',
      'c',
    ]);
  });

  test('is never exceeded, whoever wants what, and a newcomer of the last rank takes nothing away', () => {
    const any = fc.record({ chars: fc.nat(60), namespace: fc.constantFrom(null, 'a', 'b', 'c') });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (wanted) => {
        const all = wanted.map(({ chars, namespace }, at) => policy(`p${at}`, chars, namespace, at));
        const { admitted, withheld } = admit(all, BUDGET);
        const sum = (some: readonly Assignment[]): number => some.reduce((total, one) => total + one.planChars, 0);
        expect(sum(admitted)).toBeLessThanOrEqual(100);
        for (const namespace of ['a', 'b', 'c']) {
          expect(sum(admitted.filter((one) => one.entry.namespace === namespace))).toBeLessThanOrEqual(25);
        }
        expect(hasRoom(all, BUDGET)).toBe(withheld.length === 0);
        const more = admit([...all, policy('newcomer', 5, 'a', 1_000)], BUDGET);
        expect(uidsOf(more.admitted.filter((one) => one.entry.uid !== 'newcomer'))).toEqual(uidsOf(admitted));
      }),
    );
  });
});
