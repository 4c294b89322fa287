import type { PolicyNodeCounts } from '../../policy/schema/status.ts';
import { findReason, type Reason } from '../../policy/reasons.ts';
import { NAMESPACE_SHARE, NODE_BUDGET } from '../desired/node-budget.ts';
import type { Cell, NodeFact, Target } from './node-fact.ts';

export type NodeBucket = 'loaded' | 'pending' | 'joining' | 'failed' | 'unhealthy' | 'unreachable';

/** A node's place in the count, and why where that needs explaining. */
export type Verdict = { readonly bucket: NodeBucket; readonly reason: string; readonly hook: string; readonly message: string };

export type FailureGroup = {
  readonly reason: string;
  readonly hook: string;
  /** `failed` holds Ready, `unhealthy` is the node's own, `limited` runs with less than was wished. */
  readonly weight: 'failed' | 'unhealthy' | 'limited';
  readonly nodes: number;
  /** Sorted, at most `MAX_SAMPLES`. */
  readonly kernels: readonly string[];
  readonly sampleNodes: readonly string[];
  readonly message: string;
};

/** All of the status' numbers of nodes. */
export type Counts = Readonly<Record<keyof PolicyNodeCounts, number>>;

export type Tally = {
  readonly counts: Counts;
  /** Loaded nodes that can deny or kill now. */
  readonly enforcing: number;
  /** Loaded nodes that should and cannot. */
  readonly cannotEnforce: number;
  /** Matched, reachable nodes that have not said yet that they hold the target. */
  readonly undelivered: number;
  /** Failed nodes on which an older version goes on. */
  readonly failedOlder: number;
  /** Most important first. */
  readonly groups: readonly FailureGroup[];
};

export type TallyLimits = { readonly joiningMs: number; readonly unsupportedGraceMs: number };

/** Nodes that are not matched: they only have numbers. */
export type Outsiders = { readonly notSelected: number; readonly withoutAgent: number };

export const MAX_SAMPLES = 3;

/** Counts what the nodes say about one policy. The order of the nodes does not matter. */
export function tallyNodes(nodes: Iterable<NodeFact>, outsiders: Outsiders, target: Target, limits: TallyLimits): Tally {
  const counts = { matched: 0, loaded: 0, pending: 0, joining: 0, failed: 0, unhealthy: 0, unreachable: 0, older: 0, ...outsiders };
  const groups = new Map<string, GroupDraft>();
  let enforcing = 0;
  let cannotEnforce = 0;
  let undelivered = 0;
  let failedOlder = 0;
  for (const node of nodes) {
    const verdict = judge(node, target, limits);
    counts.matched += 1;
    counts[verdict.bucket] += 1;
    const runsOlder = isOlder(node.cell, target);
    counts.older += runsOlder ? 1 : 0;
    failedOlder += runsOlder && verdict.bucket === 'failed' ? 1 : 0;
    undelivered += node.reachable && !node.isDelivered && !node.isWithheld ? 1 : 0;
    if (verdict.bucket === 'failed' || verdict.bucket === 'unhealthy') {
      addToGroup(groups, verdict.bucket, verdict, node);
    } else if (verdict.bucket === 'loaded' && node.cell !== null) {
      const wantsEnforcement = target.hasEnforcement && node.cell.mode === 'enforce';
      enforcing += wantsEnforcement && node.cell.canEnforce ? 1 : 0;
      cannotEnforce += wantsEnforcement && !node.cell.canEnforce ? 1 : 0;
      if (verdict.reason !== '') {
        addToGroup(groups, 'limited', verdict, node);
      }
    }
    if (node.notice !== null && verdict.bucket !== 'unhealthy') {
      addToGroup(groups, 'limited', { reason: node.notice, hook: '', message: '' }, node);
    }
  }
  return { counts, enforcing, cannotEnforce, undelivered, failedOlder, groups: finishGroups(groups) };
}

/** Which count a node belongs to. A reported state always wins over the age of the agent. */
export function judge(node: NodeFact, target: Target, limits: TallyLimits): Verdict {
  const { cell } = node;
  if (!node.reachable) {
    return plain('unreachable');
  }
  if (node.fault !== null) {
    return { bucket: 'unhealthy', reason: node.fault, hook: '', message: '' };
  }
  if (node.isWithheld) {
    return { bucket: 'failed', ...WITHHELD };
  }
  if (cell === null) {
    return plain(node.expectedForMs < limits.joiningMs ? 'joining' : 'pending');
  }
  const explained = { reason: cell.reason, hook: cell.hook, message: cell.message };
  switch (cell.state) {
    case 'loaded':
    case 'degraded':
      return { bucket: runsTarget(cell, target) ? 'loaded' : 'pending', ...explained };
    case 'loading':
      return plain(runsTarget(cell, target) ? 'loaded' : 'pending');
    case 'unsupported':
      return cell.ageMs < limits.unsupportedGraceMs ? plain('pending') : { bucket: 'failed', ...explained };
    case 'failed':
    case 'fallback':
    case 'excluded':
      // What a node said about an older target says nothing about this one.
      return node.isDelivered ? { bucket: isNodeFault(node, cell) ? 'unhealthy' : 'failed', ...explained } : plain('pending');
  }
}

/** What the hub says of a policy that it does not give to a node (control-plane 3.3, state `withheld`). */
export const WITHHELD: Omit<Verdict, 'bucket'> = {
  reason: 'TooManyPolicies' satisfies Reason,
  hook: '',
  message:
    `a node may have ${NODE_BUDGET.maxEntries} policies and ${mebi(NODE_BUDGET.maxPlanChars)} Mi characters of plans, ` +
    `a namespace ${mebi(NODE_BUDGET.maxPlanChars * NAMESPACE_SHARE)} Mi of them: cluster-wide ones first, then the oldest`,
};

function mebi(count: number): number {
  return count / (1024 * 1024);
}

function plain(bucket: NodeBucket): Verdict {
  return { bucket, reason: '', hook: '', message: '' };
}

/** A held policy (no digest) is loaded where any version of it runs; agents say so in a row. */
function runsTarget(cell: Cell, target: Target): boolean {
  if (target.digest === null) {
    return cell.runs !== null;
  }
  return cell.runs === target.digest && cell.mode === target.mode;
}

function isOlder(cell: Cell | null, target: Target): boolean {
  return cell !== null && cell.runs !== null && target.digest !== null && cell.runs !== target.digest;
}

/** Names that this version does not know come from newer nodes; a stranger's word never makes a policy fail in everybody's GitOps. */
function isNodeFault(node: NodeFact, cell: Cell): boolean {
  return node.isFailingMost || (findReason(cell.reason)?.blame ?? 'node') === 'node';
}

type GroupDraft = {
  readonly reason: string;
  readonly hook: string;
  readonly weight: FailureGroup['weight'];
  nodes: number;
  readonly kernels: Set<string>;
  sampleNodes: string[];
  /** Of the first node by name, so that the order of arrival does not matter. */
  message: string;
  messageFrom: string;
};

function addToGroup(
  groups: Map<string, GroupDraft>,
  weight: FailureGroup['weight'],
  why: { readonly reason: string; readonly hook: string; readonly message: string },
  node: NodeFact,
): void {
  const reason = why.reason === '' ? 'Other' : why.reason;
  const key = JSON.stringify([weight, reason, why.hook]);
  let group = groups.get(key);
  if (group === undefined) {
    group = {
      reason,
      hook: why.hook,
      weight,
      nodes: 0,
      kernels: new Set(),
      sampleNodes: [],
      message: why.message,
      messageFrom: node.name,
    };
    groups.set(key, group);
  }
  group.nodes += 1;
  if (node.kernel !== '') {
    group.kernels.add(node.kernel);
  }
  if (node.name < group.messageFrom) {
    group.message = why.message;
    group.messageFrom = node.name;
  }
  group.sampleNodes.push(node.name);
  if (group.sampleNodes.length > 64) {
    group.sampleNodes = firstSorted(group.sampleNodes);
  }
}

function firstSorted(names: Iterable<string>): string[] {
  return [...names].toSorted().slice(0, MAX_SAMPLES);
}

const WEIGHTS: readonly FailureGroup['weight'][] = ['failed', 'unhealthy', 'limited'];

function finishGroups(drafts: ReadonlyMap<string, GroupDraft>): FailureGroup[] {
  const groups = Array.from(drafts.values(), (draft) => ({
    reason: draft.reason,
    hook: draft.hook,
    weight: draft.weight,
    nodes: draft.nodes,
    kernels: firstSorted(draft.kernels),
    sampleNodes: firstSorted(draft.sampleNodes),
    message: draft.message,
  }));
  return groups.toSorted(
    (a, b) =>
      WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight) || b.nodes - a.nodes || compare(a.reason, b.reason) || compare(a.hook, b.hook),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
