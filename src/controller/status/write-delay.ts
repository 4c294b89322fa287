import type { PolicyActivity, PolicyStatus } from '../../policy/schema/status.ts';
import type { Timing } from '../timing.ts';
import type { StatusChange } from './classify.ts';

export type WriteDelayInput = {
  readonly change: StatusChange;
  readonly previous: PolicyStatus | null;
  readonly next: PolicyStatus;
  /** Since this policy's status was last written; Infinity: never by this process. */
  readonly sinceLastWriteMs: number;
  /** 0 ≤ n < 1, fixed for the policy, so that quiet policies do not write together. */
  readonly jitter: number;
};

/** How long a new status waits before it is worth a write (control-plane 2.4); null: it is not worth one. */
export function writeDelayMs(input: WriteDelayInput, timing: Timing): number | null {
  const due = (gapMs: number): number => Math.max(0, gapMs - input.sinceLastWriteMs);
  switch (input.change) {
    case 'none':
      return null;
    case 'transition':
      return due(timing.transitionGapMs);
    case 'counts':
      return due(isRollingOut(input.next) ? rolloutGapMs(input.next, timing) : timing.countsGapMs * (0.8 + 0.4 * input.jitter));
    case 'activity':
      return isMaterial(input.previous?.activity, input.next.activity) ? due(timing.activityGapMs) : null;
  }
}

function isRollingOut(status: PolicyStatus): boolean {
  return status.conditions?.some((condition) => condition.type === 'Reconciling') === true;
}

/** 2 s up to 100 nodes, 5 s up to 1,000, 10 s beyond. */
function rolloutGapMs(status: PolicyStatus, timing: Timing): number {
  const matched = status.nodes?.matched ?? 0;
  return timing.rolloutGapMs * (matched <= 100 ? 1 : matched <= 1_000 ? 2.5 : 5);
}

const COUNTERS = ['events', 'wouldEnforce', 'enforced', 'lost', 'unprotectedStarts'] as const;

/** A counter left zero, or moved by a tenth. */
function isMaterial(before: PolicyActivity | undefined, after: PolicyActivity | undefined): boolean {
  return COUNTERS.some((name) => {
    const old = before?.[name] ?? 0;
    const now = after?.[name] ?? 0;
    return old !== now && (old === 0 || now === 0 || Math.abs(now - old) * 10 >= old);
  });
}
