import type { PlanSelector } from '../plan.ts';
import type { Policy } from '../policy.ts';
import type { ProblemSink } from '../problem.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { HOOK_SECTIONS } from '../schema/spec.ts';
import type { Subject } from './subject.ts';
import { enforces, placesOf } from './narrowing.ts';

/**
 * The first selector that matches acts, and no other. So one without filters hides all after it, and one without actions lets pass what it
 * matches, which is the contrary of what is meant where the next one stops everything.
 */
export function warnOfSelectorOrder(sink: ProblemSink, { policy, plan }: Subject): void {
  const written = actionsByPath(policy);
  const hooks = new Map(placesOf(plan.hooks).map(({ hook }) => [hook.path, hook]));
  for (const hook of hooks.values()) {
    const wide = hook.selectors.findIndex(isWide);
    const hidden = wide === -1 ? undefined : hook.selectors[wide + 1];
    if (hidden !== undefined) {
      const hint = 'put it last: the first selector that matches acts, later ones are not looked at';
      sink.warn('UnreachableSelector', hidden.path, `is never looked at: the selector before it has no filters`, hint);
    }
    const last = hook.selectors[wide];
    const before = hook.selectors[wide - 1];
    if (last === undefined || before === undefined || !enforces({ hook, selector: last }) || written.get(before.path) !== 'none') {
      continue;
    }
    const message = 'has no matchActions, so what it matches is reported and let pass, and all the rest is stopped by the next selector';
    const hint = 'if that is meant write "matchActions: [{action: Post}]", else move matchActions here and remove the next selector';
    sink.warn('ImplicitException', before.path, message, hint);
  }
}

/** Nothing in it says which calls or which processes. */
function isWide(selector: PlanSelector): boolean {
  return selector.filters.length === 0 && selector.workload === undefined && (selector.returnFilters ?? []).length === 0;
}

/** By the path of the selector: whether its author wrote what shall happen. A macro may bring it. */
function actionsByPath({ spec }: Policy): ReadonlyMap<string, 'none' | 'some'> {
  const isBrought = (name: string): boolean => (spec.selectorsMacros?.[name]?.matchActions ?? []).length > 0;
  const writes = ({ matchActions = [], macros = [] }: SelectorSpec): boolean => matchActions.length > 0 || macros.some(isBrought);
  return new Map(
    HOOK_SECTIONS.flatMap((section) =>
      (spec[section] ?? []).flatMap((hook, at) =>
        (hook.selectors ?? []).map((selector, index): [string, 'none' | 'some'] => [
          `spec.${section}[${at}].selectors[${index}]`,
          writes(selector) ? 'some' : 'none',
        ]),
      ),
    ),
  );
}
