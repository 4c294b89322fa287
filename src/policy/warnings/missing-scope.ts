import { isEverything } from '../compile/workloads.ts';
import { isEnforcingSelector } from '../effect.ts';
import type { Policy } from '../policy.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { isMonitor, namesSomeProcesses, placesOf } from './narrowing.ts';

/** A policy that denies or kills in every process of every node: sshd, the runtime's helpers and all of kube-system among them. */
export function warnOfMissingScope(sink: ProblemSink, { policy, plan }: Subject): void {
  // Who writes hostSelector means the host.
  if (policy.namespace !== null || policy.spec.hostSelector !== undefined || !isEverything(plan.scope)) {
    return;
  }
  if (namesSomeNodes(policy) || isMonitor(policy)) {
    return;
  }
  const place = placesOf(plan.hooks).find(
    (candidate) =>
      isEnforcingSelector(candidate.selector) &&
      candidate.hook.user === undefined &&
      candidate.selector.workload === undefined &&
      !candidate.selector.filters.some(namesSomeProcesses),
  );
  if (place !== undefined) {
    const hint = 'add "podSelector: {}" (all pods, no host process), or try it with policy-mode monitor';
    sink.warn('NoScope', place.selector.path, 'enforces in every process of every node, the host and kube-system too', hint);
  }
}

/** An empty nodeSelector means all nodes, as an absent one does. */
function namesSomeNodes({ spec: { nodeSelector } }: Policy): boolean {
  return Object.keys(nodeSelector?.matchLabels ?? {}).length + (nodeSelector?.matchExpressions ?? []).length > 0;
}
