import type { LabelSelector } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';

/** A policy as nodes are asked to run it. */
export type Assignment = {
  readonly entry: Entry;
  /** Which nodes; null: all. A held policy goes to all nodes: who runs it is not known. */
  readonly nodeSelector: LabelSelector | null;
  /** When the policy was created, wall clock; decides who comes first where there are too many. */
  readonly createdMs: number;
  /** Length of the plan; 0 where the node is asked to hold what it has. */
  readonly planChars: number;
};

/**
 * Who comes first where a node may not have all: cluster-wide policies, so that no owner of a namespace can push the platform's out; then
 * the oldest, so that a new policy takes no place away from one that runs. The same on every node and after every restart.
 */
export function compareRank(a: Assignment, b: Assignment): number {
  return rankOfKind(a) - rankOfKind(b) || a.createdMs - b.createdMs || (a.entry.uid < b.entry.uid ? -1 : a.entry.uid > b.entry.uid ? 1 : 0);
}

function rankOfKind({ entry }: Assignment): number {
  return entry.kind === 'TracingPolicy' ? 0 : 1;
}
