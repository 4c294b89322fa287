/** Which pods the selectors of a hook are about, and the scope class of a pod. */
import { PAL_CLASS_HOST, PAL_CLASS_PENDING } from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { effectOf, isEnforcing } from '../policy/effect.ts';
import type { ContainerFacts, Workload } from '../policy/evaluate/event.ts';
import { isInScope, standsByEnforcing } from '../policy/evaluate/scope.ts';
import type { Plan, PlanScope, PlanSelector } from '../policy/plan.ts';
import { digestKey } from './allocation.ts';
import type { PlacedMember } from './hook-input.ts';
import type { LinkPod } from './link-input.ts';

/** Selectors of one hook that are about the same pods; plan and selector are those of one of them. */
export type ScopeRule = { readonly plan: Plan; readonly selector: PlanSelector; readonly selectors: SelectorMask };

const PENDING: Workload = { kind: 'pending', namespace: null };

/** False: the selector applies to every process of the node, whatever is known of it. */
export function isScoped(plan: Plan, selector: PlanSelector): boolean {
  return (
    plan.scope.namespace !== null ||
    isNarrow(plan.scope) ||
    (selector.workload !== undefined && isNarrow(selector.workload)) ||
    selector.filters.some((filter) => filter.on === 'podNamespace')
  );
}

function isNarrow({ podSelector, containerSelector, host }: Omit<PlanScope, 'namespace'>): boolean {
  return podSelector !== null || containerSelector !== undefined || host !== undefined;
}

export function collectScopeRules(members: readonly PlacedMember[]): readonly ScopeRule[] {
  const rules = new Map<string, ScopeRule>();
  for (const { member, firstBit } of members) {
    const plan = member.policy.plan;
    member.hook.selectors.forEach((selector, index) => {
      // Who was in scope at the entry of a call is at its return.
      if (member.part === 'return' || !isScoped(plan, selector)) return;
      const key = ruleKey(plan, selector);
      const rule = rules.get(key) ?? { plan, selector, selectors: 0n };
      rules.set(key, { ...rule, selectors: rule.selectors | bitMask(firstBit + index) });
    });
  }
  return [...rules].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule);
}

/** What the members of a class have in common. */
export type ScopeMember = Pick<LinkPod, 'namespace' | 'labels'> & { readonly container?: ContainerFacts };

/** The row of a class: the selectors that apply to its pods, or to its container of them. */
export function classRow(rules: readonly ScopeRule[], { namespace, labels, container }: ScopeMember): SelectorMask {
  return rowOf(rules, { kind: 'pod', namespace, labels, ...(container === undefined ? {} : { container }) });
}

/** All rows that are not empty, by class. `pods` has one member of each class. The row of unknown cgroups is always empty. */
export function scopeRows(rules: readonly ScopeRule[], pods: ReadonlyMap<number, ScopeMember>): ReadonlyMap<number, SelectorMask> {
  const rows = new Map<number, SelectorMask>([
    [PAL_CLASS_HOST, rowOf(rules, { kind: 'host' })],
    [PAL_CLASS_PENDING, rowOf(rules, PENDING)],
  ]);
  for (const [number, pod] of pods) rows.set(number, classRow(rules, pod));
  return new Map([...rows].filter(([, row]) => row !== 0n));
}

/**
 * Pods with equal namespace and labels share a class, and so do their containers with equal name and image, whatever policies there are:
 * so a change of policies moves no pod.
 */
export function classKey({ namespace, labels, container }: ScopeMember): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return digestKey(JSON.stringify([namespace, sorted, ...(container === undefined ? [] : [container.name, container.repo])]));
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
  const { onPending } = plan.options;
  const acts = onPending === 'apply' && [isEnforcing(effectOf(selector.actions)), standsByEnforcing(plan, selector)];
  return JSON.stringify([plan.scope, selector.workload, podNamespaces, onPending, acts]);
}
