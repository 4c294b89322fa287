/** A policy in plain sentences, for people and for programs (`palisade explain -o json`). Sentences have no full stop. */
export type Explanation = {
  /** `denies`, `kills`, … or `observes`; what the policy does at most. */
  readonly summary: string;
  /** Whom it is about. */
  readonly who: readonly string[];
  readonly hooks: readonly HookExplanation[];
  /** What is true for all hooks: the mode, the rate of events, unknown values. */
  readonly beside: readonly string[];
  readonly cost: CostExplanation;
};

export type HookExplanation = {
  readonly path: string;
  /** What is watched: `a file is about to be opened (kernel function security_file_open)`. */
  readonly when: string;
  /** What is read of it, for conditions and events. */
  readonly reads: readonly string[];
  /** The first that holds acts. */
  readonly rules: readonly RuleExplanation[];
  /** Every rule has conditions, so that there is a rest for which nothing happens. */
  readonly hasRest: boolean;
  readonly remarks: readonly string[];
};

export type RuleExplanation = {
  readonly path: string;
  /** All hold; empty: always. */
  readonly conditions: readonly string[];
  readonly effects: readonly string[];
  /** When the function returns; absent: nothing is asked or done there. */
  readonly atReturn?: { readonly conditions: readonly string[]; readonly effects: readonly string[] };
};

export type CostClass = 'low' | 'medium' | 'high';
export type CostExplanation = { readonly class: CostClass; readonly reasons: readonly string[] };
