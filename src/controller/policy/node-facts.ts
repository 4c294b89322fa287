import type { LabelSelector } from '../../policy/plan.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { fits } from '../desired/desired-state.ts';
import { faultOf, type Fleet, type FleetNode, isReachable, noticeOf } from '../fleet/fleet.ts';
import { isLinux, type NodeItem } from '../fleet/node-projection.ts';
import { cellOf, isDelivered } from '../fleet/node-report.ts';
import type { NodeFact } from '../status/node-fact.ts';
import type { Outsiders } from '../status/tally.ts';

export type NodeFactsInput = {
  readonly uid: string;
  readonly nodeSelector: LabelSelector | null;
  /** All nodes have answered once: nodes that were selected lately are joining, whatever the age of their agents. */
  readonly isCompleted: boolean;
  readonly selectedSince: ReadonlyMap<string, number>;
  readonly nowMs: number;
  readonly unreachableMs: number;
};

export type NodeFacts = {
  readonly nodes: readonly NodeFact[];
  readonly outsiders: Outsiders;
  /** Selected nodes that have said nothing yet, and since when they are selected; for the next look. */
  readonly selectedSince: ReadonlyMap<string, number>;
  /** Every selected node has reported since this controller started: there is nothing to wait for. */
  readonly haveAllReported: boolean;
  /** Of all selected nodes. */
  readonly unprotectedStarts: number;
};

/** What all nodes say about one policy, put together from the cluster's nodes, the fleet's reports and what each node was asked to run. */
export function nodeFactsOf(input: NodeFactsInput, cluster: Iterable<NodeItem>, fleet: Fleet, desired: DesiredState): NodeFacts {
  const { nowMs } = input;
  const nodes: NodeFact[] = [];
  const selectedSince = new Map<string, number>();
  let notSelected = 0;
  let withoutAgent = 0;
  let unprotectedStarts = 0;
  let haveAllReported = true;
  for (const node of cluster) {
    const member = fleet.get(node.name);
    const hasAgent = member !== undefined && member.agentSinceMs !== null;
    if (!fits(input.nodeSelector, node.labels)) {
      notSelected += hasAgent ? 1 : 0;
      continue;
    }
    if (!hasAgent) {
      withoutAgent += isLinux(node) ? 1 : 0;
      continue;
    }
    const sinceMs = input.selectedSince.get(node.name) ?? nowMs;
    const fact = nodeFactOf(member, sinceMs, input, desired);
    if (fact.cell === null) {
      selectedSince.set(node.name, sinceMs);
    }
    haveAllReported &&= member.hasReported;
    unprotectedStarts += member.health?.unprotectedStarts ?? 0;
    nodes.push(fact);
  }
  return { nodes, outsiders: { notSelected, withoutAgent }, selectedSince, haveAllReported, unprotectedStarts };
}

function nodeFactOf(node: FleetNode, selectedSinceMs: number, input: NodeFactsInput, desired: DesiredState): NodeFact {
  const { nowMs, uid } = input;
  const agentForMs = nowMs - (node.agentSinceMs ?? nowMs);
  return {
    name: node.name,
    kernel: node.kernel?.release ?? '',
    reachable: isReachable(node, nowMs, input.unreachableMs),
    fault: faultOf(node),
    notice: noticeOf(node),
    isFailingMost: node.report?.isFailingMost ?? false,
    expectedForMs: input.isCompleted ? Math.min(agentForMs, nowMs - selectedSinceMs) : agentForMs,
    isWithheld: desired.isWithheld(node.name, uid),
    isDelivered: isDelivered(node.report, desired.setOf(node.name), uid),
    cell: node.report === null ? null : cellOf(node.report, uid, '', nowMs),
  };
}
