import { type Effect, effectOf, isDenying } from '../effect.ts';
import type { CompiledPolicy } from '../compile.ts';
import type { Plan, PlanHook, PlanSelector, PolicyMode } from '../plan.ts';
import { deedSentences, eventSentence } from './action-sentences.ts';
import { allActions, besideSentences } from './beside-sentences.ts';
import { costOf } from './cost.ts';
import type { Explanation, HookExplanation, RuleExplanation } from './explanation.ts';
import { filterClause } from './filter-clauses.ts';
import { readSentences, remarksOf, whenAnySentence, whenSentence } from './hook-sentences.ts';
import { scopeSentences, workloadClause } from './scope-sentences.ts';
import type { ArgumentNames } from './value-names.ts';
import { andList } from './words.ts';

export type ExplainedPlan = Pick<CompiledPolicy, 'plan' | 'mode' | 'nodeSelector'>;

/** Pure: a compiled policy in plain sentences. `names` may know what a kernel calls arguments. */
export function explain({ plan, mode, nodeSelector }: ExplainedPlan, names: ArgumentNames): Explanation {
  return {
    summary: summaryOf(plan, mode),
    who: scopeSentences(plan.scope, nodeSelector),
    hooks: [...functionLists(plan.hooks).values()].flatMap((hooks) => explainHooks(hooks, names)),
    beside: besideSentences(plan, mode),
    cost: costOf(plan),
  };
}

/** `denies and kills`. */
function summaryOf(plan: Plan, mode: PolicyMode): string {
  const effects = allActions(plan).map(effectOf);
  // A function of a program that is not run denies nobody anything.
  const ofKernel = allActions({ ...plan, hooks: plan.hooks.filter(({ kind }) => kind !== 'uprobe') }).map(effectOf);
  const altersPrograms = effects.some(({ alters }) => alters) || effects.filter(isDenying).length > ofKernel.filter(isDenying).length;
  const deeds = [
    ...(ofKernel.some(isDenying) ? ['denies'] : []),
    ...(effects.some(({ kill, notify }) => kill || notify?.signal === SIGKILL) ? ['kills'] : []),
    ...(effects.some(sendsSignal) ? ['sends signals'] : []),
    ...(altersPrograms ? ['changes what programs do'] : []),
  ];
  if (deeds.length === 0) return 'observes';
  return mode === 'monitor' ? `observes (monitor mode; else it ${andList(deeds)})` : andList(deeds);
}

const SIGKILL = 9;

/** One that does not kill. */
function sendsSignal({ kill, signal, notify }: Effect): boolean {
  return (signal !== null && !kill) || (notify !== null && notify.signal !== 0 && notify.signal !== SIGKILL);
}

/** Functions of a list differ in nothing but their names, and are explained together. */
function functionLists(hooks: readonly PlanHook[]): ReadonlyMap<string, readonly PlanHook[]> {
  return Map.groupBy(hooks, (hook) =>
    JSON.stringify({ ...hook, target: hook.kind === 'kprobe' || hook.kind === 'fentry' ? '' : hook.target }),
  );
}

function explainHooks(hooks: readonly PlanHook[], names: ArgumentNames): readonly HookExplanation[] {
  const [hook] = hooks;
  if (hook === undefined) return [];
  const isList = hooks.length > 1;
  // Each function calls its arguments as it likes.
  const known = isList ? () => undefined : names;
  const all = hook.selectors.map((selector) => explainRule(hook, selector, known));
  const last = all.findIndex(({ conditions }) => conditions.length === 0);
  return [
    {
      path: hook.path,
      when: isList ? whenAnySentence(hooks) : whenSentence(hook),
      reads: readSentences(hook, known),
      rules: all.map((rule, at) => (last >= 0 && at > last ? neverReached(rule) : rule)),
      hasRest: last < 0,
      remarks: remarksOf(hook),
    },
  ];
}

function neverReached({ path, conditions }: RuleExplanation): RuleExplanation {
  return { path, conditions, effects: ['this rule is never reached: one before it has no conditions'] };
}

function explainRule(hook: PlanHook, selector: PlanSelector, names: ArgumentNames): RuleExplanation {
  const { path, filters, actions, workload } = selector;
  const clauses = filters.map((filter) => filterClause(hook, filter, names));
  const conditions = [...(workload === undefined ? [] : [workloadClause(workload)]), ...clauses];
  const deeds = deedSentences(hook, actions, names);
  if (hook.returns !== true) return { path, conditions, effects: [...deeds, eventSentence(actions)] };
  if (effectOf(actions).errno !== null) {
    return { path, conditions, effects: [...deeds, `${eventSentence(actions)} at once, because a denied call does not return`] };
  }
  // One event tells of both sides, when the call returns: if the entry does not forbid it, and the return neither.
  const returnActions = selector.returnActions ?? [];
  return {
    path,
    conditions,
    effects: deeds.length === 0 ? ['its return is waited for'] : deeds,
    atReturn: {
      conditions: (selector.returnFilters ?? []).map((filter) => filterClause(hook, filter, names)),
      effects: [...deedSentences(hook, returnActions, names), eventSentence([...returnActions, ...actions])],
    },
  };
}
