import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { planArbitrary } from '../bind/testing/plan-arbitraries.ts';
import { specArbitrary } from '../testing/arbitraries.ts';
import { kernel612 } from '../testing/kernels.ts';
import { compiled, policyObject } from '../testing/policies.ts';
import { explain } from './explain.ts';
import { explainKernels } from './kernel-sentences.ts';

const mode = fc.constantFrom('enforce' as const, 'monitor' as const);

/** Text that a template made of something that is not there. */
const HOLES = /undefined|\[object|NaN| {2}|^\s|\s$|\(\)/;

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

it('every policy has an explanation, without holes', () => {
  fc.assert(
    fc.property(specArbitrary, (spec) => {
      const policy = compiled(policyObject(spec));
      const explanation = explain(policy, () => undefined);
      const rules = explanation.hooks.flatMap((hook) => hook.rules.map(({ path }) => path));
      const selectors = policy.plan.hooks.flatMap((hook) => hook.selectors.map(({ path }) => path));
      expect(new Set(rules)).toEqual(new Set(selectors));
      const texts = textsOf({ ...explanation, hooks: explanation.hooks.map(({ when, reads, rules }) => ({ when, reads, rules })) });
      expect(texts.filter((text) => HOLES.test(withoutQuoted(text)))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('every plan has an explanation, whatever it holds', () => {
  fc.assert(
    fc.property(planArbitrary, mode, (plan, policyMode) => {
      const { hooks } = explain({ plan, mode: policyMode, nodeSelector: null }, () => undefined);
      expect(new Set(hooks.map(({ path }) => path))).toEqual(new Set(plan.hooks.map(({ path }) => path)));
    }),
    { numRuns: 300 },
  );
});

it('every plan has an explanation for a kernel: it loads or it says why not', () => {
  fc.assert(
    fc.property(planArbitrary, mode, (plan, policyMode) => {
      const hooks = bind(plan, kernel612, policyMode);
      const [told] = explainKernels([{ kernel: '6.12', hooks }]);
      expect(told?.loads).toBe(hooks.every(({ failure }) => failure === null));
      expect(told?.sentences[0]).toMatch(told?.loads === true ? /^loads, and / : /^does not load$/);
    }),
    { numRuns: 200 },
  );
});

/** What users wrote may look like anything. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
}
