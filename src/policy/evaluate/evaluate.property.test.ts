import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../canonical-json.ts';
import { effectOf } from '../effect.ts';
import type { Plan, PlanHook, PolicyMode } from '../plan.ts';
import { namespacedSpecArbitrary, specArbitrary } from '../testing/arbitraries.ts';
import { callOf } from '../testing/call-arbitraries.ts';
import { compiled, policyObject } from '../testing/policies.ts';
import { type PolicyVerdict, combine, evaluate, evaluateReturn, severity, unknownMatches } from './evaluate.ts';
import type { HookCall } from './event.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';
const runs = isDeep ? 20_000 : 300;
const timeout = isDeep ? 3_600_000 : 60_000;
const CALLS_PER_HOOK = 10;

type Case = { readonly plan: Plan; readonly mode: PolicyMode; readonly calls: readonly (readonly HookCall[])[] };

/** Random policies with random calls for every hook. */
function casesOf(specs: fc.Arbitrary<object>, kind: 'TracingPolicy' | 'TracingPolicyNamespaced'): fc.Arbitrary<Case> {
  return specs.chain((spec) => {
    const { plan } = compiled(policyObject(spec, kind));
    return fc.record({
      plan: fc.constant(plan),
      mode: fc.constantFrom<PolicyMode>('enforce', 'enforce', 'monitor'),
      calls: fc.tuple(...plan.hooks.map((hook) => fc.array(callOf(hook), { minLength: CALLS_PER_HOOK, maxLength: CALLS_PER_HOOK }))),
    });
  });
}

function forAll(cases: fc.Arbitrary<Case>, check: (plan: Plan, hook: PlanHook, mode: PolicyMode, call: HookCall) => void): void {
  fc.assert(
    fc.property(cases, ({ plan, mode, calls }) => {
      for (const [position, hook] of plan.hooks.entries()) {
        for (const call of calls[position] ?? []) {
          check(plan, hook, mode, call);
        }
      }
    }),
    { numRuns: runs },
  );
}

const clusterCases = casesOf(specArbitrary, 'TracingPolicy');
const namespacedCases = casesOf(namespacedSpecArbitrary, 'TracingPolicyNamespaced');

describe('for random policies and calls', { timeout }, () => {
  it('a policy never does more than the matching selector says', () => {
    let calls = 0;
    let matches = 0;
    forAll(clusterCases, (plan, hook, mode, call) => {
      const verdict = evaluate(plan, hook, mode, call);
      calls += 1;
      matches += verdict.selector === null ? 0 : 1;
      const selector = verdict.selector === null ? undefined : hook.selectors[verdict.selector];
      const effect = selector === undefined ? null : effectOf(selector.actions);
      expect(verdict.errno === null || verdict.errno === effect?.errno).toBe(true);
      expect(!verdict.kill || effect?.kill === true).toBe(true);
      expect(verdict.signal === null || verdict.signal === effect?.signal).toBe(true);
      expect(verdict.others.every((action) => selector?.actions.some((each) => each.type === action.type))).toBe(true);
      if (mode === 'monitor' || call.process.exempt) {
        expect([verdict.errno, verdict.kill, verdict.signal]).toEqual([null, false, null]);
      }
      expect(!verdict.byUnknown || (selector !== undefined && unknownMatches(plan, selector))).toBe(true);
      // Whoever matches by a value that nobody could read is denied, and not killed, if the policy does both.
      expect(!verdict.byUnknown || verdict.errno === null || (!verdict.kill && verdict.signal === null)).toBe(true);
    });
    // The generators are worth something only if policies match, and not always.
    expect(matches / calls).toBeGreaterThan(0.2);
    expect(matches / calls).toBeLessThan(0.8);
  });

  it('adding a policy never weakens what others do', () => {
    const verdict = fc.record({
      errno: fc.constantFrom(null, -1, -2, -5, -13, -4095),
      kill: fc.boolean(),
      signal: fc.constantFrom(null, 1, 15, 64),
    });
    const whole = (part: Pick<PolicyVerdict, 'errno' | 'kill' | 'signal'>): PolicyVerdict => ({
      selector: 0,
      post: true,
      wouldDeny: false,
      wouldKill: false,
      wouldSignal: false,
      byUnknown: false,
      killSuppressed: false,
      others: [],
      ...part,
    });
    fc.assert(
      fc.property(fc.array(verdict.map(whole)), verdict.map(whole), (before, added) => {
        const old = combine(before);
        const now = combine([...before, added]);
        expect(old.errno === null || (now.errno !== null && severity(now.errno) <= severity(old.errno))).toBe(true);
        expect(!old.kill || now.kill).toBe(true);
        expect(old.signal === null || now.kill || now.signal !== null).toBe(true);
        expect(combine([added, ...before.toReversed()])).toEqual(now);
      }),
    );
  });

  it('a policy of a namespace never acts outside it, nor where the namespace is not known', () => {
    forAll(namespacedCases, (plan, hook, mode, call) => {
      const { workload } = call.process;
      const isTheirs = (workload.kind === 'pod' || workload.kind === 'pending') && workload.namespace === 'team-a';
      expect(evaluate(plan, hook, mode, call).selector === null || isTheirs).toBe(true);
    });
  });

  it('the return of a call is about the selector of its entry, denies nothing, and posts only what the entry would', () => {
    forAll(clusterCases, (plan, hook, mode, call) => {
      const entry = evaluate(plan, hook, mode, call);
      const back = evaluateReturn(plan, hook, mode, call, entry);
      expect(back.selector === null || (hook.returns === true && back.selector === entry.selector)).toBe(true);
      expect(back.errno).toBeNull();
      expect(!back.post || entry.post).toBe(true);
    });
  });

  it('a verdict is a function of plan and call: asked twice, it is the same', () => {
    forAll(clusterCases, (plan, hook, mode, call) => {
      expect(evaluate(plan, hook, mode, call)).toEqual(evaluate(plan, hook, mode, call));
    });
  });
});

describe('compile', { timeout }, () => {
  it('gives one digest for every order of keys, also of the formatted text read back', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const { digest } = compiled(policyObject(spec));
        expect(compiled(reversed(policyObject(spec))).digest).toBe(digest);
        expect(compiled(JSON.parse(JSON.stringify(policyObject(spec), null, 3))).digest).toBe(digest);
      }),
      { numRuns: runs },
    );
  });

  it('reads its own canonical text back as the same plan', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const { plan, text } = compiled(policyObject(spec));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(plan)).toBe(text);
      }),
      { numRuns: runs },
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(reversed);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
