import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CanonicalValue, canonicalJson } from './canonical-json.ts';
import { digestOfPlan, digestOfPlanText, serializePlan } from './digest.ts';
import { readPlan } from './plan-schema.ts';
import { specArbitrary } from './testing/arbitraries.ts';
import { compiled, policyObject } from './testing/policies.ts';

/** The same JSON with the members of every object in another order. */
function shuffled(value: CanonicalValue): CanonicalValue {
  if (Array.isArray(value)) {
    return value.map(shuffled);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, child]) => [key, shuffled(child)]),
    );
  }
  return value;
}

/** As it comes from the API server. */
const jsonOf = (value: object): CanonicalValue => z.json().parse(JSON.parse(JSON.stringify(value)));

describe('plans', () => {
  it('have one digest, in whatever order the fields of the policy are written', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        expect(compiled(shuffled(jsonOf(policyObject(spec)))).digest).toBe(compiled(policyObject(spec)).digest);
      }),
    );
  });

  it('have one digest, in whatever order the values of a filter are written', () => {
    const withValues = (values: string[]) =>
      policyObject({ lsmhooks: [{ hook: 'file_open', selectors: [{ matchBinaries: [{ operator: 'In', values }] }] }] });
    fc.assert(
      fc.property(fc.shuffledSubarray(['/a', '/b', '/c', '/a', '/ä'], { minLength: 5 }), (values) => {
        expect(compiled(withValues(values)).digest).toBe(compiled(withValues(['/a', '/b', '/c', '/ä'])).digest);
      }),
    );
  });

  it('are equal when compiled twice, and survive the way over the wire', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const { plan, text, digest } = compiled(policyObject(spec));
        expect(compiled(policyObject(spec)).text).toBe(text);
        const received = readPlan(text);
        expect(received).toEqual({ ok: true, plan });
        expect(serializePlan(plan)).toBe(text);
        expect([digestOfPlan(plan), digestOfPlanText(text)]).toEqual([digest, digest]);
      }),
    );
  });

  it('name no policy: two policies that mean the same share a plan', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const other = { ...policyObject(spec), metadata: { name: 'other', uid: 'u-2', generation: 9, labels: { a: 'b' } } };
        expect(compiled(other).digest).toBe(compiled(policyObject(spec)).digest);
      }),
    );
  });
});

const canonicalValue: fc.Arbitrary<CanonicalValue> = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
  ),
})).value;

describe('canonical JSON', () => {
  it('is the JSON of the same value, whatever the order of its members', () => {
    fc.assert(
      fc.property(canonicalValue, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(shuffled(value))).toBe(text);
      }),
    );
  });

  it('refuses numbers that have several spellings', () => {
    expect(() => canonicalJson(0.5)).toThrow(RangeError);
    expect(() => canonicalJson(2 ** 60)).toThrow(RangeError);
  });
});
