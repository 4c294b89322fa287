/** What is wrong with a node, whatever its policies are. Pure. */
import type { LoadReason } from '../../policy/reasons.ts';
import type { PlanFailure } from './choose-plans.ts';

export type NodeState = {
  /** Why plans cannot be stored; null: they can. */
  readonly storeFault: string | null;
  /** Why events do not reach the export file; null: they do. */
  readonly exportFault: string | null;
  /** Why the last attempt to make the kernel what it should be did not come to an end; null: it did. */
  readonly applyFault: PlanFailure | null;
  /** Pods beyond the number of different ones that the kernel can tell apart. */
  readonly unclassedPods: number;
  readonly isPurged: boolean;
};

/** The one fault that the hub is told: what concerns protection, the worst first. */
export function healthFault(state: NodeState): { fault?: LoadReason } {
  if (state.storeFault !== null) return { fault: 'CacheUnwritable' };
  if (state.applyFault !== null) return { fault: state.applyFault.reason };
  return state.unclassedPods === 0 ? {} : { fault: 'ScopeClassBudget' };
}

/** All faults, in sentences for people. */
export function faultTexts(state: NodeState): string[] {
  const { unclassedPods } = state;
  return [
    state.isPurged ? 'everything was removed from this node (purge)' : null,
    state.storeFault,
    state.exportFault,
    state.applyFault?.message ?? null,
    unclassedPods === 0 ? null : `more different pods than can be told apart: policies about pods do not see ${unclassedPods} of them`,
  ].filter((text) => text !== null);
}
