import { isDeepStrictEqual } from 'node:util';
import type { PolicyStatus } from '../../policy/schema/status.ts';

/** How much a new status matters, which says how soon it is worth a write. */
export type StatusChange = 'none' | 'activity' | 'counts' | 'transition';

export function classify(previous: PolicyStatus | null, next: PolicyStatus): StatusChange {
  if (previous === null || !isDeepStrictEqual(milestones(previous), milestones(next))) {
    return 'transition';
  }
  const { activity: before, ...restBefore } = previous;
  const { activity: after, ...restAfter } = next;
  if (!isDeepStrictEqual(ordered(restBefore), ordered(restAfter))) {
    return 'counts';
  }
  return isDeepStrictEqual(before, after) ? 'none' : 'activity';
}

/** The API server may keep conditions in another order than they were applied in. */
function ordered(status: PolicyStatus): PolicyStatus {
  return status.conditions === undefined
    ? status
    : { ...status, conditions: status.conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1)) };
}

function milestones(status: PolicyStatus): unknown {
  const conditions = (status.conditions ?? []).map(({ type, status: value, reason, observedGeneration }) => ({
    type,
    value,
    reason,
    observedGeneration,
  }));
  return {
    conditions: conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
    observedGeneration: status.observedGeneration,
    mode: status.mode,
    digest: status.digest,
  };
}
