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
  /** Slot of the record that holds the hook's i-th argument; null: this way of attaching cannot read it. */
  readonly slotOfArg: readonly (number | null)[];
};

/** The numbers of one match, as a record carries them. */
export type MatchPlace = {
  readonly generation: number;
  readonly hookId: number;
  readonly policy: number;
  readonly selector: number;
  /** The second chance of an execve whose path could not be read at its entry. */
  readonly isLate: boolean;
};

export type Meanings = {
  match(place: MatchPlace): MatchMeaning | undefined;
  /** Name of a policy number, for loss records. */
  policyName(policy: number): string | undefined;
};

export const NO_MEANINGS: Meanings = { match: () => undefined, policyName: () => undefined };
