import type { Assignment } from './assignment.ts';
import type { DesiredSet } from './desired-set.ts';
import { EMPTY_SET } from './desired-set.ts';
import { admit, hasRoom, type NodeBudget } from './node-budget.ts';
import type { SetBook } from './set-book.ts';

/** What a node is asked to run, and what would fit it but is beyond what one node may have. Never changed. */
export type NodeShare = {
  readonly set: DesiredSet;
  /** By uid. Empty but for very many policies. */
  readonly withheld: ReadonlyMap<string, Assignment>;
};

const NOTHING: ReadonlyMap<string, Assignment> = new Map();

export const EMPTY_SHARE: NodeShare = { set: EMPTY_SET, withheld: NOTHING };

/**
 * Shares of one set that are found again. A set may live as long as the process while what is withheld beside it changes with every
 * policy; nodes whose share was forgotten keep it, and only share it no longer with nodes that come later.
 */
const MAX_SIBLINGS = 8;

/** Makes shares; nodes with equal ones have one object, so that a change costs one computation for all of them. */
export type ShareMaker = {
  /** All assignments that fit the node. */
  of(fitting: Iterable<Assignment>): NodeShare;
  /**
   * What changes for nodes when `assignments` already has the new version of a policy. A node that the policy does not fit is asked with
   * `fits: 'no'`.
   */
  changer(uid: string, assignments: ReadonlyMap<string, Assignment>): (share: NodeShare, fits: 'yes' | 'no') => NodeShare;
};

export function createShareMaker(book: SetBook, budget: NodeBudget): ShareMaker {
  const plain = new WeakMap<DesiredSet, NodeShare>();
  const crowded = new WeakMap<DesiredSet, Map<string, NodeShare>>();

  const shareOf = (set: DesiredSet, withheld: ReadonlyMap<string, Assignment>): NodeShare => {
    if (withheld.size === 0) {
      const known = plain.get(set) ?? { set, withheld: NOTHING };
      plain.set(set, known);
      return known;
    }
    const key = [...withheld.keys()].join(' ');
    const siblings = crowded.get(set) ?? new Map<string, NodeShare>();
    const known = siblings.get(key) ?? { set, withheld };
    // The last one asked for is the last to be forgotten.
    siblings.delete(key);
    siblings.set(key, known);
    for (const oldest of siblings.keys()) {
      if (siblings.size <= MAX_SIBLINGS) break;
      siblings.delete(oldest);
    }
    crowded.set(set, siblings);
    return known;
  };
  const of = (fitting: Iterable<Assignment>): NodeShare => {
    const all = [...fitting];
    const { admitted, withheld } = hasRoom(all, budget) ? { admitted: all, withheld: [] } : admit(all, budget);
    return shareOf(book.of(admitted.map((one) => one.entry)), new Map(withheld.map((one) => [one.entry.uid, one])));
  };

  return {
    of,
    changer: (uid, assignments) => {
      const assignment = assignments.get(uid);
      const put = book.changer(uid, assignment?.entry ?? null);
      const drop = book.changer(uid, null);
      const done = { yes: new Map<NodeShare, NodeShare>(), no: new Map<NodeShare, NodeShare>() };
      const change = (share: NodeShare, isWanted: boolean): NodeShare => {
        // Everything that fits the node is in its share: asked for or withheld.
        const uids = new Set([...share.set.entries.keys(), ...share.withheld.keys()]);
        if (isWanted) {
          uids.add(uid);
        } else {
          uids.delete(uid);
        }
        const fitting = [...uids].flatMap((one) => assignments.get(one) ?? []);
        return share.withheld.size === 0 && hasRoom(fitting, budget)
          ? shareOf(isWanted ? put(share.set) : drop(share.set), NOTHING)
          : of(fitting);
      };
      return (share, fits) => {
        const known = done[fits].get(share);
        if (known !== undefined) {
          return known;
        }
        const changed = change(share, fits === 'yes' && assignment !== undefined);
        done[fits].set(share, changed);
        return changed;
      };
    },
  };
}
