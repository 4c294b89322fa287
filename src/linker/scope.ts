/** Which pods the selectors of a hook are about, and the scope class of a pod. */
import { PAL_CLASS_PENDING } from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { effectOf, isEnforcing } from '../policy/effect.ts';
import type { Workload } from '../policy/evaluate/event.ts';
import { isInScope } from '../policy/evaluate/scope.ts';
import type { Plan, PlanSelector } from '../policy/plan.ts';
import { digestKey } from './allocation.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkPod } from './link-input.ts';

/** Selectors of one hook that are about the same pods; plan and selector are those of one of them. */
export type ScopeRule = { readonly plan: Plan; readonly selector: PlanSelector; readonly selectors: SelectorMask };

const PENDING: Workload = { kind: 'pending', namespace: null };

/** False: the selector applies to every process of the node, host processes included. */
export function isScoped(plan: Plan, selector: PlanSelector): boolean {
  return (
    plan.scope.namespace !== null || plan.scope.podSelector !== null || selector.filters.some((filter) => filter.on === 'podNamespace')
  );
}

export function collectScopeRules(
  members: readonly { readonly member: HookMemberInput; readonly firstBit: number }[],
): readonly ScopeRule[] {
  const rules = new Map<string, ScopeRule>();
  for (const { member, firstBit } of members) {
    const plan = member.policy.plan;
    member.hook.selectors.forEach((selector, index) => {
      if (!isScoped(plan, selector)) return;
      const key = ruleKey(plan, selector);
      const rule = rules.get(key) ?? { plan, selector, selectors: 0n };
      rules.set(key, { ...rule, selectors: rule.selectors | bitMask(firstBit + index) });
    });
  }
  return [...rules].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
}

/** The row of a pod's class: the selectors that apply to it. The rows of host and unknown cgroups are empty. */
export function classRow(rules: readonly ScopeRule[], pod: LinkPod): SelectorMask {
  return rowOf(rules, { kind: 'pod', namespace: pod.namespace, labels: pod.labels });
}

/** All rows that are not empty, by class. `pods` has one pod of each class. */
export function scopeRows(rules: readonly ScopeRule[], pods: ReadonlyMap<number, LinkPod>): ReadonlyMap<number, SelectorMask> {
  const rows = new Map<number, SelectorMask>([[PAL_CLASS_PENDING, rowOf(rules, PENDING)]]);
  for (const [number, pod] of pods) rows.set(number, classRow(rules, pod));
  return new Map([...rows].filter(([, row]) => row !== 0n));
}

/** Pods with equal namespace and labels share a class, whatever policies there are: so a change of policies moves no pod. */
export function classKey(pod: LinkPod): string {
  const labels = Object.entries(pod.labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return digestKey(JSON.stringify([pod.namespace, labels]));
}

/** Equal texts give equal rows for every pod there may ever be. */
export function describeRules(rules: readonly ScopeRule[]): string {
  return JSON.stringify(rules.map((rule) => [ruleKey(rule.plan, rule.selector), rule.selectors.toString(16)]));
}

function rowOf(rules: readonly ScopeRule[], workload: Workload): SelectorMask {
  return rules.reduce((row, rule) => (isInScope(rule.plan, rule.selector, workload) ? row | rule.selectors : row), 0n);
}

/** All that `isInScope` looks at. */
function ruleKey(plan: Plan, selector: PlanSelector): string {
  const podNamespaces = selector.filters.filter((filter) => filter.on === 'podNamespace');
  return JSON.stringify([plan.scope, podNamespaces, plan.options.onPending, isEnforcing(effectOf(selector.actions))]);
}
