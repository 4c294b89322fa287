import type { BoundMethod } from '../policy/bind/methods.ts';
import type { PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import type { LinkPolicy } from './link-input.ts';
import type { LinkTarget } from './link-target.ts';
import type { Prototype, Prototypes } from './prototype.ts';

/** `late`: the second chance of execve. `return`: what happens when the call returns. Both are companions of an entry hook. */
export type HookPart = 'entry' | 'late' | 'return';

/** One hook of one policy, to be fused with others on the same attach point. */
export type HookMemberInput = {
  readonly policy: LinkPolicy;
  readonly policyNumber: number;
  readonly hookIndex: number;
  readonly hook: PlanHook;
  readonly methods: readonly BoundMethod[];
  readonly part: HookPart;
  /** Names everything of the policy that the hook is made from: its plan, its mode, and all numbers that it has. */
  readonly stamp: string;
  readonly substituted: boolean;
};

/** With the bit of its first selector. */
export type PlacedMember = { readonly member: HookMemberInput; readonly firstBit: number };

/** Everything that goes into one fused hook. */
export type HookInput = {
  readonly id: number;
  /** The id in the configuration: that of the entry hook, so that a companion finds its marks and frames and its events count as the entry's. */
  readonly entryId: number;
  readonly key: string;
  /** Which of several engines on one attach point: 0…3. */
  readonly lane: number;
  readonly convention: Convention;
  readonly methods: readonly string[];
  /** In the order of their bits. Of a return companion: all of the entry hook, since both number their selectors alike. */
  readonly members: readonly HookMemberInput[];
  readonly prototype: Prototype | null | undefined;
  /** Members that arguments with `resolve` lead to are in here by their queries. */
  readonly prototypes: Prototypes;
  /** Number of a node-wide set by its key. */
  readonly sets: ReadonlyMap<string, number>;
  readonly hostNamespaces: readonly number[];
  /** Of the machine: numbers of system calls depend on it. */
  readonly arch: string;
  /** True: there is a late hook that decides what this one cannot read. */
  readonly decidesLate: boolean;
  /** Set for a companion: the entry hook, whose slot numbers its records use. */
  readonly companionOf: Pick<HookInput, 'members' | 'convention' | 'prototype' | 'prototypes'> | null;
  /** For `raw_tp_sys_enter`, else -1. */
  readonly syscallNumber: number;
  readonly target: LinkTarget;
};
