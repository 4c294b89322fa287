import type { Labels } from '../../policy/label-match.ts';
import { matchesLabels } from '../../policy/label-match.ts';
import type { LabelSelector } from '../../policy/plan.ts';
import type { Assignment } from './assignment.ts';
import type { DesiredSet } from './desired-set.ts';
import { NODE_BUDGET, type NodeBudget } from './node-budget.ts';
import { createShareMaker, EMPTY_SHARE, type NodeShare } from './node-share.ts';
import type { SetBook } from './set-book.ts';

/** Which node should run what. Knows names and labels of nodes, and nothing of connections. */
export type DesiredState = {
  /** Null removes the policy from all nodes. */
  assign(uid: string, assignment: Assignment | null): void;
  /** The node exists, with these labels. */
  putNode(name: string, labels: Labels): void;
  /** The node exists, and its labels are not known (any more): the last known ones hold. */
  keepNode(name: string): void;
  removeNode(name: string): void;
  /** The empty set for nodes that are not known. */
  setOf(node: string): DesiredSet;
  /** The policy fits the node, and the node has as much as it may have without it. */
  isWithheld(node: string, uid: string): boolean;
  /** Places of policies on nodes that could not be given. */
  withheld(): number;
  /** From now on every node's set is empty, whatever is assigned. */
  clearForGood(): void;
  /** Distinct sets among the nodes. */
  cohorts(): number;
};

type NodeState = { labels: Labels; share: NodeShare };

/** `onChange` is told of every node whose set is another one now. */
export function createDesiredState(book: SetBook, onChange: (node: string) => void, budget: NodeBudget = NODE_BUDGET): DesiredState {
  const shares = createShareMaker(book, budget);
  const assignments = new Map<string, Assignment>();
  const nodes = new Map<string, NodeState>();
  let isCleared = false;

  const move = (name: string, node: NodeState, share: NodeShare): void => {
    const before = node.share;
    node.share = share;
    if (before.set !== share.set) {
      onChange(name);
    }
  };
  const shareFor = (labels: Labels): NodeShare =>
    isCleared ? EMPTY_SHARE : shares.of(assignments.values().filter((one) => fits(one.nodeSelector, labels)));

  const putNode = (name: string, labels: Labels): void => {
    const node = nodes.get(name);
    if (node === undefined) {
      const created: NodeState = { labels, share: EMPTY_SHARE };
      nodes.set(name, created);
      move(name, created, shareFor(labels));
    } else {
      node.labels = labels;
      move(name, node, shareFor(labels));
    }
  };

  return {
    assign: (uid, assignment) => {
      if (assignment === null) {
        assignments.delete(uid);
      } else {
        assignments.set(uid, assignment);
      }
      if (isCleared) {
        return;
      }
      const change = shares.changer(uid, assignments);
      for (const [name, node] of nodes) {
        const isWanted = assignment !== null && fits(assignment.nodeSelector, node.labels);
        move(name, node, change(node.share, isWanted ? 'yes' : 'no'));
      }
    },
    putNode,
    keepNode: (name) => {
      if (!nodes.has(name)) {
        putNode(name, {});
      }
    },
    removeNode: (name) => void nodes.delete(name),
    setOf: (name) => (nodes.get(name)?.share ?? EMPTY_SHARE).set,
    isWithheld: (name, uid) => nodes.get(name)?.share.withheld.has(uid) === true,
    withheld: () => nodes.values().reduce((sum, node) => sum + node.share.withheld.size, 0),
    clearForGood: () => {
      isCleared = true;
      for (const [name, node] of nodes) {
        move(name, node, EMPTY_SHARE);
      }
    },
    cohorts: () => new Set([...nodes.values()].map((node) => node.share.set)).size,
  };
}

/** Whether a node with these labels should run a policy with this selector. */
export function fits(selector: LabelSelector | null, labels: Labels): boolean {
  return selector === null || matchesLabels(selector, labels);
}
