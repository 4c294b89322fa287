import { effectOf, isDenying } from '../effect.ts';
import type { CompiledPolicy } from '../compile.ts';
import type { Plan, PlanAction, PlanHook, PlanSelector, PolicyMode } from '../plan.ts';
import { deedSentences, eventSentence } from './action-sentences.ts';
import { costOf } from './cost.ts';
import type { Explanation, HookExplanation, RuleExplanation } from './explanation.ts';
import { filterClause } from './filter-clauses.ts';
import { readSentences, remarksOf, whenSentence } from './hook-sentences.ts';
import { scopeSentences, workloadClause } from './scope-sentences.ts';
import type { ArgumentNames } from './value-names.ts';
import { andList, many, shortened } from './words.ts';

export type ExplainedPlan = Pick<CompiledPolicy, 'plan' | 'mode' | 'nodeSelector'>;

/** Pure: a compiled policy in plain sentences. `names` may know what a kernel calls arguments. */
export function explain({ plan, mode, nodeSelector }: ExplainedPlan, names: ArgumentNames): Explanation {
  return {
    summary: summaryOf(plan, mode),
    who: scopeSentences(plan.scope, nodeSelector),
    hooks: plan.hooks.map((hook) => explainHook(hook, names)),
    beside: besideSentences(plan, mode),
    cost: costOf(plan),
  };
}

/** `denies and kills`. */
function summaryOf(plan: Plan, mode: PolicyMode): string {
  const effects = allActions(plan).map(effectOf);
  const deeds = [
    ...(effects.some(isDenying) ? ['denies'] : []),
    ...(effects.some(({ kill }) => kill) ? ['kills'] : []),
    ...(effects.some(({ signal, notify }) => signal !== null || (notify?.signal ?? 0) > 0) ? ['sends signals'] : []),
    ...(effects.some(({ alters }) => alters) ? ['changes what programs do'] : []),
  ];
  if (deeds.length === 0) return 'observes';
  return mode === 'monitor' ? `observes (monitor mode; else it ${andList(deeds)})` : andList(deeds);
}

function allActions({ hooks }: Plan): readonly (readonly PlanAction[])[] {
  return hooks.flatMap(({ selectors }) => selectors.flatMap(({ actions, returnActions = [] }) => [actions, returnActions]));
}

function explainHook(hook: PlanHook, names: ArgumentNames): HookExplanation {
  const rules = hook.selectors.map((selector) => explainRule(hook, selector, names));
  return {
    path: hook.path,
    when: whenSentence(hook),
    reads: readSentences(hook, names),
    rules,
    hasRest: rules.at(-1)?.conditions.length !== 0,
    remarks: remarksOf(hook),
  };
}

function explainRule(hook: PlanHook, selector: PlanSelector, names: ArgumentNames): RuleExplanation {
  const { path, filters, actions, workload } = selector;
  const clauses = filters.map((filter) => filterClause(hook, filter, names));
  const conditions = [...(workload === undefined ? [] : [workloadClause(workload)]), ...clauses];
  const deeds = deedSentences(hook, actions, names);
  if (hook.returns !== true) return { path, conditions, effects: [...deeds, eventSentence(actions)] };
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

function besideSentences(plan: Plan, mode: PolicyMode): readonly string[] {
  const { options, enforcer, loader } = plan;
  const denies = allActions(plan).some((actions) => isDenying(effectOf(actions)));
  return [
    ...(mode === 'monitor' ? ['monitor mode: nothing is denied, killed or changed; events say what would have been done'] : []),
    ...(loader === true ? ['every program and library that any process maps is reported, with its build id'] : []),
    ...(enforcer === undefined
      ? []
      : [`the enforcer can act in ${many(enforcer.calls.length, 'call')}: ${andList(shortened(enforcer.calls))}`]),
    unknownSentence(plan, denies),
    ...pendingSentences(plan),
    ...(options.substitute === 'kill' ? ['where a kernel cannot deny, the process is killed instead, and the status says so'] : []),
    ...(options.overrideMethod === undefined
      ? []
      : [`calls are denied by ${options.overrideMethod === 'fmod_ret' ? 'fmod_ret' : 'bpf_override_return'} only`]),
    `at most ${options.eventRatePerSecond} events a second for each pod; more are counted, not sent`,
  ];
}

function pendingSentences({ scope, options, hooks }: Plan): readonly string[] {
  const isScoped = scope.namespace !== null || scope.podSelector !== null || scope.containerSelector !== undefined;
  const asksForPods = hooks.some(({ selectors }) =>
    selectors.some(({ workload, filters }) => workload !== undefined || filters.some(({ on }) => on === 'podNamespace')),
  );
  if (!isScoped && !asksForPods) return [];
  return [
    options.onPending === 'apply'
      ? 'while the pod of a container is not known yet, rules that deny or kill act as if they were about it'
      : 'while the pod of a container is not known yet, nothing is done there',
  ];
}

function unknownSentence({ options }: Plan, denies: boolean): string {
  const value = 'a value that cannot be read (a path that is too long, memory that is not there)';
  if (options.onUnknown !== null) return `${value} ${options.onUnknown === 'match' ? 'fulfils' : 'does not fulfil'} every condition on it`;
  return denies ? `${value} fulfils the conditions of rules that deny, and of no others` : `${value} does not fulfil the conditions on it`;
}
