import { HUB_LIMITS } from '../../protocol/hub-frames.ts';
import { type Assignment, compareRank } from './assignment.ts';

/** What one node may be asked to run. */
export type NodeBudget = {
  /** A frame has room for so many policies. */
  readonly maxEntries: number;
  /** Characters of all plans together: an agent keeps, parses and links them within the memory of its container. */
  readonly maxPlanChars: number;
};

/** 16 Mi characters of plans take an agent to about 420 MB of its 512 MiB (measured: values of 64 characters on four hooks, linked twice). */
export const NODE_BUDGET: NodeBudget = { maxEntries: HUB_LIMITS.maxEntries, maxPlanChars: 16 * 1024 * 1024 };

/** The share of the characters that policies of one namespace may have; its largest policy fits. */
export const NAMESPACE_SHARE = 1 / 4;

/** Whether a node may run all of them. */
export function hasRoom(all: readonly Assignment[], budget: NodeBudget): boolean {
  const chars = all.reduce((sum, one) => sum + one.planChars, 0);
  const isWithinAnyShare = chars <= budget.maxPlanChars * NAMESPACE_SHARE;
  return all.length <= budget.maxEntries && chars <= budget.maxPlanChars && (isWithinAnyShare || admit(all, budget).withheld.length === 0);
}

/**
 * Which of them a node may run, by rank. One that is too large for what is left is passed over, so that smaller ones behind it still run; none
 * takes room away from one before it.
 */
export function admit(
  all: readonly Assignment[],
  budget: NodeBudget,
): { readonly admitted: readonly Assignment[]; readonly withheld: readonly Assignment[] } {
  const admitted: Assignment[] = [];
  const withheld: Assignment[] = [];
  const ofNamespace = new Map<string, number>();
  let chars = 0;
  for (const one of all.toSorted(compareRank)) {
    const { namespace } = one.entry;
    const owned = one.planChars + (namespace === null ? 0 : (ofNamespace.get(namespace) ?? 0));
    const isOverShare = namespace !== null && owned > budget.maxPlanChars * NAMESPACE_SHARE;
    if (admitted.length >= budget.maxEntries || chars + one.planChars > budget.maxPlanChars || isOverShare) {
      withheld.push(one);
      continue;
    }
    admitted.push(one);
    chars += one.planChars;
    if (namespace !== null) {
      ofNamespace.set(namespace, owned);
    }
  }
  return { admitted, withheld };
}
