import type { LabelSelector, PlanScope } from '../plan.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { LabelSelectorSpec } from '../schema/label-selector.ts';
import { compileLabelSelector } from './label-selectors.ts';

export type WorkloadSpec = {
  readonly podSelector?: LabelSelectorSpec | undefined;
  readonly containerSelector?: LabelSelectorSpec | undefined;
  readonly hostSelector?: LabelSelectorSpec | undefined;
};

/** Which processes; without the Kubernetes namespace of a namespaced policy. */
export type Workload = Omit<PlanScope, 'namespace'>;

const EVERYTHING: Workload = { podSelector: null };

/**
 * Pods, containers and host in normal form, one spelling for one meaning. Nothing given, and everything given and empty, are both: every
 * process. Pods or containers without the other: all containers, all pods. The host alone: nothing else.
 */
export function compileWorkload(sink: ProblemSink, path: string, spec: WorkloadSpec): Workload {
  const pods = spec.podSelector === undefined ? null : compileLabelSelector(sink, fieldPath(path, 'podSelector'), spec.podSelector);
  const containers =
    spec.containerSelector === undefined
      ? null
      : compileLabelSelector(sink, fieldPath(path, 'containerSelector'), spec.containerSelector, 'containers');
  const host = spec.hostSelector !== undefined;
  const anyPod = pods === null || isEmpty(pods);
  const anyContainer = containers === null || isEmpty(containers);
  if (pods === null && containers === null) {
    return host ? { podSelector: null, host: 'only' } : EVERYTHING;
  }
  if (host && anyPod && anyContainer) {
    return EVERYTHING;
  }
  return {
    podSelector: anyPod ? (anyContainer ? { matchLabels: {}, matchExpressions: [] } : null) : pods,
    ...(anyContainer ? {} : { containerSelector: containers }),
    ...(host ? { host: 'also' as const } : {}),
  };
}

/** True for a scope that leaves nothing out. */
export function isEverything(workload: Workload): boolean {
  return workload.podSelector === null && workload.containerSelector === undefined && workload.host === undefined;
}

function isEmpty(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
}
