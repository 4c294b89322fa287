import type { PolicyActivity, PolicyStatus } from '../../policy/schema/status.ts';
import type { PolicyMode } from '../../policy/plan.ts';
import type { Problem } from '../../policy/problem.ts';
import type { Alarms } from './alarms.ts';
import type { Target } from './node-fact.ts';
import type { Tally } from './tally.ts';

/** What became of a policy's text, and of the wish to run it at all. */
export type PolicyVerdict =
  | { readonly kind: 'good' }
  /** `parse` found problems. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** `compile` found problems. */
  | { readonly kind: 'uncompilable'; readonly problems: readonly Problem[] }
  /** Agents of upstream run in this cluster; `pods` of them. */
  | { readonly kind: 'foreign'; readonly pods: number };

/** How much of the fleet a controller that has just started has heard of. */
export type Coverage =
  | { readonly isSettled: true }
  /** Fewer than 95 % of the agents have reported, and the wait is not over. */
  | { readonly isSettled: false; readonly remainingMs: number };

export type StatusInput = {
  readonly generation: number;
  readonly verdict: PolicyVerdict;
  /** What nodes are asked to run: the last good version where the newest is not good. Null: nothing was ever good. */
  readonly target: Target | null;
  /** `policy-mode` of the newest spec; null where it cannot be read. */
  readonly mode: PolicyMode | null;
  readonly tally: Tally;
  readonly coverage: Coverage;
  readonly alarms: Alarms;
  /** Null: nothing to say. */
  readonly activity: PolicyActivity | null;
  /** The status as it is stored; null: none. */
  readonly previous: PolicyStatus | null;
};
