import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { classOf } from '../arg-types.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { hookName } from '../policy-tests/hook-names.ts';
import { specArbitrary } from '../testing/arbitraries.ts';
import { callOf } from '../testing/call-arbitraries.ts';
import { compiled, policyObject } from '../testing/policies.ts';
import { runTestText } from '../testing/policy-tests.ts';
import { type DiffPolicy, diffPolicies } from './diff-policies.ts';

/** On a busy machine. */
const SLOW_MS = 120_000;

function side(spec: object): DiffPolicy {
  const { plan, mode, nodeSelector } = compiled(policyObject(spec));
  return { name: 'test', plan, mode, nodeSelector };
}

function diff(before: DiffPolicy, after: DiffPolicy, tries: number): ReturnType<typeof diffPolicies> {
  let ticks = 0;
  return diffPolicies([before], [after], { nowMs: () => (ticks += 1), searchMs: tries, maxExamples: 5 });
}

/** The printed text of an example, as a test file of one of the sides. */
function passes(test: object, policy: DiffPolicy): boolean | string {
  const { problems, cases } = runTestText(stringify({ cases: [test] }, { version: '1.1' }), [policy]);
  return problems.length > 0 ? problems.join('\n') : cases.every(({ mismatches }) => mismatches.length === 0);
}

function hasConflict({ plan }: DiffPolicy, name: string | undefined): boolean {
  const args = plan.hooks.filter((hook) => hookName(hook) === name).flatMap((hook) => hook.args);
  return args.some((one) =>
    args.some((other) => one.index === other.index && one.from === other.from && classOf(one.type) !== classOf(other.type)),
  );
}

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The spec without one block of one of its selectors; null if there is none. */
function withoutOneBlock(spec: Json, at: number): Json | null {
  const places: { readonly section: string; readonly hook: number; readonly selector: number; readonly block: string }[] = [];
  for (const [section, hooks] of Object.entries(spec)) {
    for (const [hook, one] of (Array.isArray(hooks) ? hooks : []).entries()) {
      const selectors: unknown = isJson(one) ? one['selectors'] : undefined;
      for (const [selector, blocks] of (Array.isArray(selectors) ? selectors : []).entries()) {
        for (const block of isJson(blocks) ? Object.keys(blocks) : []) places.push({ section, hook, selector, block });
      }
    }
  }
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return null;
  const copy: unknown = structuredClone(spec);
  const hooks: unknown = isJson(copy) ? copy[place.section] : undefined;
  const hook: unknown = Array.isArray(hooks) ? hooks[place.hook] : undefined;
  const selectors: unknown = isJson(hook) ? hook['selectors'] : undefined;
  const selector: unknown = Array.isArray(selectors) ? selectors[place.selector] : undefined;
  if (!isJson(selector) || !isJson(copy)) return null;
  Reflect.deleteProperty(selector, place.block);
  return copy;
}

describe('examples of any two policies', () => {
  it(
    'are tests that pass with the side that they are said to pass with, and fail with the other',
    () => {
      fc.assert(
        fc.property(specArbitrary, specArbitrary, (one, two) => {
          const [before, after] = [side(one), side(two)];
          for (const { test, passesWith } of diff(before, after, 1_500).examples) {
            const [mine, other] = passesWith === 'after' ? [after, before] : [before, after];
            // Two hooks of one policy on one function that take an argument for different things: no test can be right for both.
            if (hasConflict(mine, test.hook)) continue;
            expect(passes(test, mine)).toBe(true);
            expect(passes(test, other)).not.toBe(true);
          }
        }),
        { seed: 1, numRuns: 100 },
      );
    },
    SLOW_MS,
  );

  it(
    'are the same whenever they are looked for',
    () => {
      fc.assert(
        fc.property(specArbitrary, specArbitrary, (one, two) => {
          const result = diff(side(one), side(two), 500);
          expect(diff(side(one), side(two), 500)).toEqual(result);
        }),
        { seed: 2, numRuns: 30 },
      );
    },
    SLOW_MS,
  );
});

describe('the search', () => {
  it(
    'nearly always finds a difference that random calls show',
    () => {
      const missed: string[] = [];
      let shownCount = 0;
      fc.assert(
        fc.property(specArbitrary, fc.nat({ max: 50 }), fc.nat(), (spec, at, seed) => {
          const changed = withoutOneBlock(spec, at);
          if (changed === null) return;
          const [before, after] = [side(spec), side(changed)];
          const isShown = before.plan.hooks.some((hook, index) => {
            const twin = after.plan.hooks[index];
            // What is sent is decided at the return there, if the return is watched.
            if (twin === undefined || hook.returns === true) return false;
            return fc.sample(callOf(hook), { numRuns: 100, seed }).some((call) => {
              const { selector: _, byUnknown: __, ...was } = evaluate(before.plan, hook, 'enforce', call);
              const { selector: ___, byUnknown: ____, ...is } = evaluate(after.plan, twin, 'enforce', call);
              return (
                JSON.stringify({ ...was, others: [] }) !== JSON.stringify({ ...is, others: [] }) && was.killSuppressed === is.killSuppressed
              );
            });
          });
          if (!isShown) return;
          shownCount += 1;
          const { examples, changes } = diff(before, after, 30_000);
          if (examples.length === 0) missed.push(JSON.stringify([changes.map(({ sentence }) => sentence), spec]));
        }),
        { seed: 3, numRuns: 250 },
      );
      expect(shownCount).toBeGreaterThan(40);
      expect(missed.slice(0, 3)).toEqual([]);
    },
    SLOW_MS,
  );
});
