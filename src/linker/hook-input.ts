import type { BoundMethod } from '../policy/bind/methods.ts';
import type { PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import type { LinkPolicy } from './link-input.ts';
import type { Prototype } from './prototype.ts';

/** One hook of one policy, to be fused with others on the same attach point. */
export type HookMemberInput = {
  readonly policy: LinkPolicy;
  readonly policyNumber: number;
  readonly hookIndex: number;
  readonly hook: PlanHook;
  readonly methods: readonly BoundMethod[];
  readonly late: boolean;
  readonly substituted: boolean;
};

/** Everything that goes into one fused hook. */
export type HookInput = {
  readonly id: number;
  /** The id in the configuration: that of the entry hook, so that a late hook finds its marks and its events count as the entry's. */
  readonly entryId: number;
  readonly key: string;
  readonly convention: Convention;
  readonly methods: readonly string[];
  /** In the order of their bits. */
  readonly members: readonly HookMemberInput[];
  readonly prototype: Prototype | null | undefined;
  /** Number of a binary set by its key. */
  readonly binarySets: ReadonlyMap<string, number>;
  readonly hostNamespaces: readonly number[];
  /** True: there is a late hook that decides what this one cannot read. */
  readonly decidesLate: boolean;
  /** Set for a late hook: the entry hook for which it decides, and whose slot numbers its records use. */
  readonly lateOf: Pick<HookInput, 'members' | 'convention' | 'prototype'> | null;
  /** For `raw_tp_sys_enter`, else -1. */
  readonly syscallNumber: number;
};
