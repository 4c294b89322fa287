import type { PlanHook, PolicyMode } from '../../policy/plan.ts';

/**
 * What the numbers in a hook record mean: which hook of which policy matched. The linker decides the numbers, whoever applied the
 * generation keeps their meaning.
 */
export type MatchMeaning = {
  readonly policyName: string;
  /** Null for the cluster kind. */
  readonly policyNamespace: string | null;
  readonly policyUid: string;
  readonly mode: PolicyMode;
  readonly hook: PlanHook;
  /** Slot of the record that holds the hook's i-th argument; a number that no slot has where this way of attaching cannot read it. */
  readonly slotOfArg: readonly number[];
  /** The same for records of the late companion of an execve hook, which carry the entry hook's id. */
  readonly lateSlotOfArg?: readonly number[];
};

export type Meanings = {
  match(generation: number, hookId: number, policy: number, selector: number): MatchMeaning | undefined;
  /** Name of a policy number, for loss records. */
  policyName(policy: number): string | undefined;
};

export const NO_MEANINGS: Meanings = { match: () => undefined, policyName: () => undefined };
