import { digestOfPlan } from '../digest.ts';
import type { Plan } from '../plan.ts';
import { type TestedHook, type TestedPolicy, hookNames } from '../policy-tests/hook-names.ts';
import type { TestCase } from '../policy-tests/test-schema.ts';
import { caseOf, createIdentify } from './draft.ts';
import { expectationOf, outcomeWords } from './outcome.ts';
import { type ComparedPolicy, type PlanChange, planChanges } from './plan-changes.ts';
import { type Found, type HookPair, searchDifference } from './search.ts';

/** One side: all policies of a file. */
export type DiffPolicy = TestedPolicy & ComparedPolicy;

export type PolicyChange = PlanChange & { readonly policy: string };

/** A call that is treated differently, as a test. */
export type DiffExample = {
  readonly hook: string;
  readonly test: TestCase;
  /** The side that the test passes with: the second one, unless that does not have the hook at all. */
  readonly passesWith: 'before' | 'after';
  /** In words: `allow, no event`. */
  readonly before: string;
  readonly after: string;
};

export type PolicyDiff = {
  /** Plans and modes are equal, word for word. */
  readonly isSamePlan: boolean;
  readonly changes: readonly PolicyChange[];
  readonly examples: readonly DiffExample[];
  readonly triedCount: number;
  /** Everything that the search would try was tried in time. */
  readonly isComplete: boolean;
};

export type DiffLimits = {
  /** Of any clock that does not go back. */
  readonly nowMs: () => number;
  readonly searchMs: number;
  readonly maxExamples: number;
};

const SEED = 1;

/** What changes in behaviour between two sets of policies. */
export function diffPolicies(before: readonly DiffPolicy[], after: readonly DiffPolicy[], limits: DiffLimits): PolicyDiff {
  const pairs = pairPolicies(before, after);
  const isSamePlan = pairs.every(({ was, is }) => was !== undefined && is !== undefined && isEqual(was, is));
  if (isSamePlan) return { isSamePlan, changes: [], examples: [], triedCount: 0, isComplete: true };
  const changes = pairs.flatMap(({ was, is }) => changesOf(was, is));
  const hookPairs = pairHooks(before, after);
  const startMs = limits.nowMs();
  const examples: DiffExample[] = [];
  let triedCount = 0;
  let isComplete = true;
  for (const [index, pair] of hookPairs.entries()) {
    if (examples.length === limits.maxExamples) break;
    // Every hook gets its share of what time is left.
    const leftMs = startMs + limits.searchMs - limits.nowMs();
    const endMs = limits.nowMs() + leftMs / (hookPairs.length - index);
    const result = searchDifference(pair, { isOver: () => limits.nowMs() >= endMs, seed: SEED });
    triedCount += result.triedCount;
    isComplete &&= result.isComplete || result.found !== null;
    if (result.found !== null) examples.push(exampleOf(pair, result.found));
  }
  return { isSamePlan, changes, examples, triedCount, isComplete };
}

type PolicyPair = { readonly was: DiffPolicy | undefined; readonly is: DiffPolicy | undefined };

/** By name; one on each side are a pair, whatever they are called. */
function pairPolicies(before: readonly DiffPolicy[], after: readonly DiffPolicy[]): readonly PolicyPair[] {
  if (before.length === 1 && after.length === 1) return [{ was: before[0], is: after[0] }];
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  return names.map((name) => ({ was: before.find((one) => one.name === name), is: after.find((one) => one.name === name) }));
}

function isEqual(was: DiffPolicy, is: DiffPolicy): boolean {
  const sameNodes = JSON.stringify(was.nodeSelector) === JSON.stringify(is.nodeSelector);
  return was.mode === is.mode && sameNodes && digestOfPlan(was.plan) === digestOfPlan(is.plan);
}

function changesOf(was: DiffPolicy | undefined, is: DiffPolicy | undefined): readonly PolicyChange[] {
  if (was === undefined || is === undefined) {
    const sentence = was === undefined ? 'the policy is new' : 'the policy is gone';
    return [{ policy: was?.name ?? is?.name ?? '', path: 'spec', sentence, isSearchable: true }];
  }
  return planChanges(was, is).map((change) => ({ ...change, policy: is.name }));
}

/** Hooks that are the same on both sides are left out, and of those that differ in the same way, as functions of a list, all but one. */
function pairHooks(before: readonly DiffPolicy[], after: readonly DiffPolicy[]): readonly HookPair[] {
  const left = byName(before);
  const right = byName(after);
  const known = new Set<string>();
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((name): readonly HookPair[] => {
    const pair: HookPair = { name, before: left.get(name) ?? [], after: right.get(name) ?? [] };
    const [was, is] = [pair.before.map(meaningOf).join('\n'), pair.after.map(meaningOf).join('\n')];
    const key = JSON.stringify([was, is]);
    if (was === is || known.has(key)) return [];
    known.add(key);
    return [pair];
  });
}

function byName(policies: readonly DiffPolicy[]): ReadonlyMap<string, readonly TestedHook[]> {
  const named = policies.flatMap((policy) => policy.plan.hooks.flatMap((hook) => hookNames(hook).map((name) => ({ name, policy, hook }))));
  const groups = Map.groupBy(named, ({ name }) => name);
  return new Map([...groups].map(([name, hooks]) => [name, hooks.map(({ policy, hook }) => ({ policy, hook }))]));
}

/** All that decides about a call of the hook. Which other places of the program it watches does not. */
function meaningOf({ policy, hook }: TestedHook): string {
  const { index: _, path: __, target: ___, user: ____, selectors, ...rest } = hook;
  const { onUnknown, onPending }: Plan['options'] = policy.plan.options;
  const bare = selectors.map(({ path: _____, ...selector }) => selector);
  return JSON.stringify([policy.mode, policy.plan.scope, onUnknown, onPending, rest, bare]);
}

function exampleOf(pair: HookPair, { draft, before, after }: Found): DiffExample {
  // A side without the hook has no names for values, and a test of it would name a hook that is not there.
  const passesWith = pair.after.length > 0 ? 'after' : 'before';
  const [mine, other] = passesWith === 'after' ? [after, before] : [before, after];
  const identify = createIdentify([...pair.before, ...pair.after].map(({ hook }) => hook));
  const test = {
    name: `${pair.name}: ${outcomeWords(mine)}`,
    ...caseOf(
      pair.name,
      draft,
      pair[passesWith].map(({ hook }) => hook),
      identify,
    ),
    expect: expectationOf(mine, other),
  };
  return { hook: pair.name, test, passesWith, before: outcomeWords(before), after: outcomeWords(after) };
}
