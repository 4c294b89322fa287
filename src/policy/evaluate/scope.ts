import { effectOf, isEnforcing, isEnforcingHook } from '../effect.ts';
import { matchesLabels } from '../label-match.ts';
import type { LabelSelector, Plan, PlanScope, PlanSelector } from '../plan.ts';
import type { PlanPodNamespaceFilter } from '../plan-process-filters.ts';
import type { Workload } from './event.ts';

/**
 * Whether a selector of a plan is about processes of a workload at all (engine-spec 3.4). The linker asks this once per scope class, the
 * reference evaluator once per call: there is one answer.
 *
 * Scoped is what has a namespace, a selector of pods, containers or the host, or a `podNamespace` filter. The policy's scope, the one of
 * the selector (`matchWorkloads`) and the filters must all hold. On a pending container they act where what is known of it decides. Where
 * it does not, only a cluster policy that says `on-pending: apply` acts: with its enforcing selectors, and with those that stand beside
 * one and ask for no pods themselves, because they are the exceptions from it.
 */
export function isInScope(plan: Plan, selector: PlanSelector, workload: Workload): boolean {
  const ofPolicy = scopeHolds(plan.scope, workload);
  const ofSelector = all([
    selector.workload === undefined ? true : scopeHolds({ ...selector.workload, namespace: null }, workload),
    ...selector.filters.flatMap((filter) => (filter.on === 'podNamespace' ? [podNamespaceHolds(filter, workload)] : [])),
  ]);
  const decided = all([ofPolicy, ofSelector]);
  if (decided !== 'undecided') {
    return decided;
  }
  if (plan.scope.namespace !== null || plan.options.onPending !== 'apply') {
    return false;
  }
  return isEnforcing(effectOf(selector.actions)) || (ofSelector === true && standsByEnforcing(plan, selector));
}

/** One of the selectors of its hook enforces. */
export function standsByEnforcing(plan: Plan, selector: PlanSelector): boolean {
  return plan.hooks.some((hook) => hook.selectors.includes(selector) && isEnforcingHook(hook));
}

type Decision = boolean | 'undecided';

function all(decisions: readonly Decision[]): Decision {
  if (decisions.includes(false)) {
    return false;
  }
  return decisions.includes('undecided') ? 'undecided' : true;
}

/** What is about everything is about processes of unknown workloads too; what is about pods or the host is not. */
function scopeHolds(scope: PlanScope, workload: Workload): Decision {
  const { namespace, podSelector, containerSelector, host } = scope;
  if (namespace === null && podSelector === null && containerSelector === undefined && host === undefined) {
    return true;
  }
  switch (workload.kind) {
    case 'unknown':
      return false;
    case 'host':
      return host !== undefined;
    default:
      return host === 'only'
        ? false
        : all([
            namespace === null ? true : equals(workload.namespace, namespace),
            podSelector === null ? true : podFits(podSelector, workload),
            containerSelector === undefined ? true : containerFits(containerSelector, workload),
          ]);
  }
}

type InPod = Extract<Workload, { readonly kind: 'pending' | 'pod' }>;

function equals(actual: string | null, wanted: string): Decision {
  return actual === null ? 'undecided' : actual === wanted;
}

function podNamespaceHolds(filter: PlanPodNamespaceFilter, workload: Workload): Decision {
  if (workload.kind === 'host' || workload.kind === 'unknown') {
    return false;
  }
  return workload.namespace === null ? 'undecided' : filter.values.includes(workload.namespace) === (filter.operator === 'In');
}

/** Label by which a pod selector can name the namespace (upstream's). */
const NAMESPACE_LABEL = 'k8s:io.kubernetes.pod.namespace';

function podFits(selector: LabelSelector, workload: InPod): Decision {
  if (isEmpty(selector)) {
    return true;
  }
  return workload.kind === 'pod' ? matchesLabels(selector, { ...workload.labels, [NAMESPACE_LABEL]: workload.namespace }) : 'undecided';
}

function containerFits(selector: LabelSelector, workload: InPod): Decision {
  if (isEmpty(selector)) {
    return true;
  }
  return workload.kind === 'pod' && workload.container !== undefined ? matchesLabels(selector, workload.container) : 'undecided';
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
}
