import { answer } from '../evaluate/filter.ts';
import { isInScope } from '../evaluate/scope.ts';
import type { PlanSelector } from '../plan.ts';
import type { CallResult } from '../policy-tests/call-result.ts';
import type { TestedHook } from '../policy-tests/hook-names.ts';
import { argumentDimensions } from './argument-dimensions.ts';
import { callerDimensions } from './caller-dimensions.ts';
import type { Dimension } from './dimension.ts';
import { type Draft, PLAIN_DRAFT, type Reading, callOf, callerOf, createIdentify, createValueReader, outcomeOf } from './draft.ts';
import { outcomeKey } from './outcome.ts';
import { meaningOfSelector } from './plan-changes.ts';

/** The hooks of one name in both policies; a side may have none. */
export type HookPair = { readonly name: string; readonly before: readonly TestedHook[]; readonly after: readonly TestedHook[] };

export type Found = { readonly draft: Draft; readonly before: CallResult; readonly after: CallResult };

export type SearchResult = {
  /** A call that is treated differently, as plain as possible; null: none was found. */
  readonly found: Found | null;
  readonly triedCount: number;
  /** Every combination of two things was tried, from every starting point. */
  readonly isComplete: boolean;
};

export type SearchLimits = {
  /** True when there is no time left; asked for every call that is tried. */
  readonly isOver: () => boolean;
  readonly seed: number;
};

/**
 * Looks for a call that the two policies treat differently. From a plain call, and for every selector from one that it matches, each thing
 * is varied alone, then every two together, then random ones until the time is over. What is tried comes from the values of both policies.
 */
export function searchDifference(pair: HookPair, limits: SearchLimits): SearchResult {
  const hooks = [...pair.before, ...pair.after];
  const plans = [...new Set(hooks.map(({ policy }) => policy.plan))];
  const planHooks = hooks.map(({ hook }) => hook);
  const reading: Reading = { identify: createIdentify(planHooks), read: createValueReader() };
  const dimensions = [...argumentDimensions(planHooks, reading.identify), ...callerDimensions(plans, planHooks)];
  const namespace = plans.flatMap(({ scope }) => scope.namespace ?? [])[0] ?? 'default';
  let triedCount = 0;

  const tryDraft = (draft: Draft): Found | null => {
    triedCount += 1;
    const process = callerOf(draft, namespace);
    const before = outcomeOf(pair.before, draft, process, reading);
    const after = outcomeOf(pair.after, draft, process, reading);
    return outcomeKey(before) === outcomeKey(after) ? null : { draft, before, after };
  };

  /** How many filters of a selector hold; its scope counts as one. */
  const score = ({ policy, hook }: TestedHook, selector: PlanSelector, draft: Draft): number => {
    const call = callOf(hook, draft, callerOf(draft, namespace), reading);
    const filters = [...selector.filters, ...(selector.returnFilters ?? [])];
    const held = filters.filter((filter) => answer(filter, hook.args, call) === 'yes').length;
    return held + (isInScope(policy.plan, selector, call.process.workload) ? 1 : 0);
  };

  /** A call that a selector matches, or comes near to. */
  const climb = ({ hook, policy }: TestedHook, selector: PlanSelector, start: Draft): Draft => {
    let best = start;
    let bestScore = score({ hook, policy }, selector, start);
    let leftCount = MAX_CLIMB;
    const perfect = selector.filters.length + (selector.returnFilters?.length ?? 0) + 1;
    const isEnough = (): boolean => bestScore === perfect || leftCount === 0 || limits.isOver();
    const consider = (draft: Draft): void => {
      leftCount -= 1;
      const reached = score({ hook, policy }, selector, draft);
      if (reached > bestScore) [best, bestScore] = [draft, reached];
    };
    for (const choose of dimensions.flatMap(({ choices }) => choices)) {
      if (isEnough()) return best;
      consider(choose(best));
    }
    // Two things at once, of which neither alone is a step: a capability, and a user namespace in which it counts.
    for (const [at, first] of dimensions.entries()) {
      for (const choose of first.choices) {
        for (const chooseToo of dimensions.slice(at + 1).flatMap(({ choices }) => choices)) {
          if (isEnough()) return best;
          consider(chooseToo(choose(best)));
        }
      }
    }
    return best;
  };

  const plain = dimensions.reduce((draft, { choices }) => choices[0]?.(draft) ?? draft, PLAIN_DRAFT);
  const starts: Draft[] = [plain];
  const end = (found: Found | null, isComplete: boolean): SearchResult => ({
    found: found === null ? null : simplified(found, dimensions, tryDraft),
    triedCount,
    isComplete,
  });

  const atPlain = tryDraft(plain);
  if (atPlain !== null) return end(atPlain, false);
  for (const { tested, selector } of selectorsOf(pair)) {
    if (limits.isOver()) return end(null, false);
    const start = climb(tested, selector, plain);
    starts.push(start);
    const found = tryDraft(start);
    if (found !== null) return end(found, false);
  }
  for (const start of starts) {
    for (const { choices } of dimensions) {
      for (const choose of choices) {
        if (limits.isOver()) return end(null, false);
        const found = tryDraft(choose(start));
        if (found !== null) return end(found, false);
      }
    }
  }
  for (const start of starts) {
    for (const [at, first] of dimensions.entries()) {
      for (const second of dimensions.slice(at + 1)) {
        for (const choose of first.choices) {
          const half = choose(start);
          for (const chooseToo of second.choices) {
            if (limits.isOver()) return end(null, false);
            const found = tryDraft(chooseToo(half));
            if (found !== null) return end(found, false);
          }
        }
      }
    }
  }
  const random = createSequence(limits.seed);
  for (let count = 0; count < MAX_RANDOM && !limits.isOver(); count += 1) {
    const start = starts[random(starts.length)] ?? plain;
    const draft = dimensions.reduce(
      (current, { choices }) => (random(3) === 0 ? (choices[random(choices.length)]?.(current) ?? current) : current),
      start,
    );
    const found = tryDraft(draft);
    if (found !== null) return end(found, false);
  }
  return end(null, !limits.isOver());
}

/** Calls that are looked at to find one that a selector matches. */
const MAX_CLIMB = 5_000;
const MAX_RANDOM = 20_000;

/** Selectors that only one side has come first. */
function selectorsOf({ before, after }: HookPair): readonly { readonly tested: TestedHook; readonly selector: PlanSelector }[] {
  const all = (hooks: readonly TestedHook[], others: readonly TestedHook[]) => {
    const known = new Set(others.flatMap(({ hook }) => hook.selectors.map(meaningOfSelector)));
    return hooks.flatMap((tested) =>
      tested.hook.selectors.map((selector) => ({ tested, selector, isNew: !known.has(meaningOfSelector(selector)) })),
    );
  };
  const selectors = [...all(after, before), ...all(before, after)];
  return [...selectors.filter(({ isNew }) => isNew), ...selectors.filter(({ isNew }) => !isNew)];
}

/** Whatever is not needed for the difference becomes plain again. */
function simplified(found: Found, dimensions: readonly Dimension[], tryDraft: (draft: Draft) => Found | null): Found {
  return dimensions.reduce((current, { choices }) => {
    const draft = choices[0]?.(current.draft);
    return (draft === undefined ? null : tryDraft(draft)) ?? current;
  }, found);
}

/** Numbers below a bound, the same ones for the same seed (mulberry32). */
function createSequence(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  };
}
