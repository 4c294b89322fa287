import { effectOf, isEnforcing } from '../effect.ts';
import { matchesLabels } from '../label-match.ts';
import type { Plan, PlanPodNamespaceFilter, PlanSelector } from '../plan.ts';
import type { Workload } from './event.ts';

/**
 * Whether a selector of a plan is about processes of a workload at all (engine-spec 3.4). The linker asks this once per scope class, the
 * reference evaluator once per call: there is one answer.
 *
 * Scoped is what has a namespace, a podSelector or a `podNamespace` filter. Scoped selectors never act on the host. On a pending
 * container they act where what is known of it decides, and where it does not only if the policy is a cluster one that says
 * `on-pending: apply`, and the selector enforces.
 */
export function isInScope(plan: Plan, selector: PlanSelector, workload: Workload): boolean {
  const podNamespaces = selector.filters.filter((filter): filter is PlanPodNamespaceFilter => filter.on === 'podNamespace');
  const { namespace, podSelector } = plan.scope;
  if (namespace === null && podSelector === null && podNamespaces.length === 0) {
    return true;
  }
  if (workload.kind === 'host' || workload.kind === 'unknown') {
    return false;
  }
  const inNamespace = all([
    namespace === null ? true : equals(workload.namespace, namespace),
    ...podNamespaces.map((filter) => holds(filter, workload.namespace)),
  ]);
  const inPods = podSelector === null ? true : labelsFit(podSelector, workload);
  const decided = all([inNamespace, inPods]);
  if (decided !== 'undecided') {
    return decided;
  }
  return plan.scope.namespace === null && plan.options.onPending === 'apply' && isEnforcing(effectOf(selector.actions));
}

type Decision = boolean | 'undecided';

function all(decisions: readonly Decision[]): Decision {
  if (decisions.includes(false)) {
    return false;
  }
  return decisions.includes('undecided') ? 'undecided' : true;
}

function equals(actual: string | null, wanted: string): Decision {
  return actual === null ? 'undecided' : actual === wanted;
}

function holds(filter: PlanPodNamespaceFilter, actual: string | null): Decision {
  if (actual === null) {
    return 'undecided';
  }
  return filter.values.includes(actual) === (filter.operator === 'In');
}

function labelsFit(selector: NonNullable<Plan['scope']['podSelector']>, workload: Workload): Decision {
  const isEmpty = Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
  if (isEmpty) {
    return true;
  }
  return workload.kind === 'pod' ? matchesLabels(selector, workload.labels) : 'undecided';
}
