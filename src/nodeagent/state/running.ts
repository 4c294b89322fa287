import type { PolicyMode } from '../../policy/plan.ts';
import type { LoadReason } from '../../policy/reasons.ts';

/** One hook of a policy as it is attached now. */
export type RunningHook = {
  /** `spec.kprobes[0]`. */
  readonly path: string;
  /** `kprobe:security_file_open`, as people name it. */
  readonly name: string;
  /** An `AttachMethod`, without what it is put on. Empty for a hook that is skipped on this kernel. */
  readonly method: string;
  /** What is less than wished: NotPersistent, DegradedKillOnly, HookIgnored. */
  readonly notes: readonly LoadReason[];
};

/** A policy that is in the active generation. */
export type RunningPolicy = {
  readonly uid: string;
  readonly generation: number;
  readonly digest: string;
  readonly mode: PolicyMode;
  /** Number in records and index of its counters. */
  readonly number: number;
  /** One for each hook of the plan, in its order. */
  readonly hooks: readonly RunningHook[];
};
