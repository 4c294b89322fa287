import type { LoadReason } from '../reasons.ts';
import type { BoundMethod } from './methods.ts';

/** What `bind` says about one hook of a plan, or about a part of it that is no hook. */
export type BoundHook = {
  /** `loader`, `enforcer` and `scope`: what the plan says beside its hooks. `scope` is there only when it cannot be had. */
  readonly part: 'hook' | 'loader' | 'enforcer' | 'scope';
  /** Position in the plan's hooks; for other parts the number of hooks, where the plan has none. */
  readonly hook: number;
  /** `spec.kprobes[0]`. */
  readonly path: string;
  /** The field that names the hook, for messages: `spec.kprobes[0].call`. */
  readonly field: string;
  /** Equal for hooks that share a program (`attachPointKey`). */
  readonly point: string;
  /** In order of preference; the loader uses the first that loads. Empty: the hook cannot be had, see `failure`, or is skipped. */
  readonly methods: readonly BoundMethod[];
  /** How its return is watched, in order of preference; `kprobe_session` stands for the entry as well. Empty unless the plan asks. */
  readonly returnMethods: readonly BoundMethod[];
  /** What `methods` would be if the engine of this version ran everything that the hook needs; `methods` itself if it does. */
  readonly planned: readonly BoundMethod[];
  /** The same for `returnMethods`. */
  readonly plannedReturns: readonly BoundMethod[];
  /** For a hook that stands for many functions: which, on this kernel, sorted. Null: it is one, or the kernel's names are not known. */
  readonly functions: readonly string[] | null;
  /** What the hook can do on this kernel in this mode, at most. `none`: nothing, it failed or is skipped. */
  readonly effective: 'deny' | 'kill' | 'observe' | 'none';
  /** What is less than wished, or worth knowing; that of the first method included. */
  readonly notes: readonly BindNote[];
  readonly failure: BindFailure | null;
};

export type BindNote = {
  readonly reason: LoadReason;
  /** The field that it is about. */
  readonly field: string;
  /** One sentence. */
  readonly message: string;
};

export type BindFailure = {
  readonly reason: LoadReason;
  /** The field that cannot be had: the hook's name, or a member of the hook. */
  readonly field: string;
  /** One sentence: what is missing on this kernel, and what would help. */
  readonly message: string;
};
