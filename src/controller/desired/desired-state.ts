import type { Labels } from '../../policy/label-match.ts';
import { matchesLabels } from '../../policy/label-match.ts';
import type { LabelSelector } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { type DesiredSet, EMPTY_SET } from './desired-set.ts';
import type { SetBook } from './set-book.ts';

/** A policy as nodes are asked to run it. */
export type Assignment = {
  readonly entry: Entry;
  /** Which nodes; null: all. A held policy goes to all nodes: who runs it is not known. */
  readonly nodeSelector: LabelSelector | null;
};

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
  /** From now on every node's set is empty, whatever is assigned. */
  clearForGood(): void;
  /** Distinct sets among the nodes. */
  cohorts(): number;
};

type NodeState = { labels: Labels; set: DesiredSet };

/** `onChange` is told of every node whose set is another one now. */
export function createDesiredState(book: SetBook, onChange: (node: string) => void): DesiredState {
  const assignments = new Map<string, Assignment>();
  const nodes = new Map<string, NodeState>();
  let isCleared = false;

  const move = (name: string, node: NodeState, set: DesiredSet): void => {
    if (node.set !== set) {
      node.set = set;
      onChange(name);
    }
  };
  const computeSet = (labels: Labels): DesiredSet =>
    isCleared ? EMPTY_SET : book.of([...assignments.values()].filter((one) => fits(one.nodeSelector, labels)).map((one) => one.entry));

  const putNode = (name: string, labels: Labels): void => {
    const node = nodes.get(name);
    if (node === undefined) {
      const created: NodeState = { labels, set: EMPTY_SET };
      nodes.set(name, created);
      move(name, created, computeSet(labels));
    } else {
      node.labels = labels;
      move(name, node, computeSet(labels));
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
      const put = book.changer(uid, assignment?.entry ?? null);
      const drop = book.changer(uid, null);
      for (const [name, node] of nodes) {
        const wanted = assignment !== null && fits(assignment.nodeSelector, node.labels);
        move(name, node, wanted ? put(node.set) : drop(node.set));
      }
    },
    putNode,
    keepNode: (name) => {
      if (!nodes.has(name)) {
        putNode(name, {});
      }
    },
    removeNode: (name) => void nodes.delete(name),
    setOf: (name) => nodes.get(name)?.set ?? EMPTY_SET,
    clearForGood: () => {
      isCleared = true;
      for (const [name, node] of nodes) {
        move(name, node, EMPTY_SET);
      }
    },
    cohorts: () => new Set([...nodes.values()].map((node) => node.set)).size,
  };
}

/** Whether a node with these labels should run a policy with this selector. */
export function fits(selector: LabelSelector | null, labels: Labels): boolean {
  return selector === null || matchesLabels(selector, labels);
}
