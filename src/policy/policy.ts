import type { PolicyKind } from './plan.ts';
import type { Problem } from './problem.ts';
import type { TracingPolicySpec } from './schema/spec.ts';

/** A policy whose shape is right: every field known, every type fitting, defaults filled in. What it says may still be wrong. */
export type Policy = {
  readonly kind: PolicyKind;
  /** Null for the cluster kind. */
  readonly namespace: string | null;
  readonly name: string;
  /** Empty where the object was never stored (files, the CLI). */
  readonly uid: string;
  /** 0 where the object was never stored. */
  readonly generation: number;
  readonly spec: TracingPolicySpec;
};

/** A value with the warnings that came up, or all problems (at least one error, warnings among them). */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
