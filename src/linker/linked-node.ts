/** The result of a link: what the loader is to be given, and what the agent must know to read events and reports. */
import type { LoadReason } from '../policy/reasons.ts';
import type { PolicyMode, PolicyRef } from '../policy/plan.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';
import type { Allocation } from './allocation.ts';
import type { ScopeRule } from './scope.ts';

export type LinkedNode = {
  /** Sorted by id. */
  readonly hooks: readonly LinkedHook[];
  /** Rows of the node-wide map of sets by path, packed. */
  readonly binarySets: Buffer;
  /** The same by process id; empty where no policy follows forks. */
  readonly pidSets: Buffer;
  /** Sets that pass on to descendants. */
  readonly followedSets: SelectorMask;
  /** Of what these three are made from. */
  readonly setsDigest: string;
  /** Policies that are in the tables, sorted by uid. */
  readonly policies: readonly LinkedPolicy[];
  /** Why policies are not in the tables. A policy is in wholly or not at all. */
  readonly problems: readonly LinkProblem[];
  /** Scope class of every pod that has one, by pod uid. */
  readonly podClasses: ReadonlyMap<string, number>;
  /** Scope class of every container that is known, by its id. */
  readonly containerClasses: ReadonlyMap<string, number>;
  /** Pods without a class because there are too many different ones: they stay pending. */
  readonly unclassedPods: readonly string[];
  readonly allocation: Allocation;
  /** sha256 of all that COMMIT would make active, pods left out: they change in place. */
  readonly label: Buffer;
};

export type LinkedHook = {
  /** Node-wide, stable while the hook exists. */
  readonly id: number;
  /** The hook id in its records: its own, or for a late hook that of the entry hook for which it decides. */
  readonly recordHook: number;
  /** Of the pin directory: `[a-z0-9_]`, unique by the id in it. */
  readonly name: string;
  /** What identifies the hook between links. */
  readonly key: string;
  /** Several hooks share an attach point when one cannot hold all its policies: 0…3. */
  readonly lane: number;
  /** In order of preference; all take the same configuration. */
  readonly methods: readonly string[];
  /** `struct pal_cfg`. */
  readonly config: Buffer;
  /** `struct pal_tbl`. */
  readonly table: Buffer;
  readonly rows: HookRows;
  /** Tables of what the engine of this version does not run; all empty in what it gets. */
  readonly further: FurtherTables;
  /** Columns of binary sets: `cols` has 256 entries for each. */
  readonly columns: number;
  /** Of everything that this hook was made from: equal means that making it again gives the same. */
  readonly inputDigest: string;
  /** sha256 of the configuration: equal means the verified program can be kept. */
  readonly configDigest: string;
  /** sha256 of table, rows and sizes, scope rows left out. */
  readonly dataDigest: string;
  /** Which policies' hooks are fused here. */
  readonly members: readonly HookMember[];
  /** Which selectors apply to which pods: gives the row of a class at any time. */
  readonly scope: readonly ScopeRule[];
};

/** Packed rows of a hook's maps. */
export type HookRows = { readonly ints: Buffer; readonly strs: Buffer; readonly cols: Buffer };

/** Packed rows, and `struct pal_acts` (native/abi/palisade.h, "The language in full"). */
export type FurtherTables = {
  readonly rng: Buffer;
  readonly addr: Buffer;
  readonly ac: Buffer;
  readonly accls: Buffer;
  readonly xcols: Buffer;
  readonly cel: Buffer;
  readonly acts: Buffer;
};

/** One `PlanHook` of one policy inside a fused hook. */
export type HookMember = {
  readonly uid: string;
  readonly policyNumber: number;
  /** Position in `plan.hooks`. */
  readonly hookIndex: number;
  /** Field path, `spec.kprobes[0]`. */
  readonly path: string;
  /** Slot of each argument, in the order of `PlanHook.args`; null: this hook does not read it. */
  readonly argSlots: readonly (number | null)[];
  /** In a companion, of execve or of a return: its events belong to the same `PlanHook`. */
  readonly late: boolean;
  /** A kill stands in for the deny that the policy asks for. */
  readonly substituted: boolean;
  /** First bit and number of selectors in the masks of this hook. */
  readonly firstBit: number;
  readonly selectorCount: number;
};

export type LinkedPolicy = {
  readonly ref: PolicyRef;
  readonly digest: string;
  readonly mode: PolicyMode;
  /** `pal_sel.pol` and the index into the counters. */
  readonly number: number;
  /** Positions in `plan.hooks` of those that this kernel lacks and the policy can do without. */
  readonly skippedHooks: readonly number[];
};

export type LinkProblem = {
  readonly uid: string;
  readonly reason: LoadReason;
  /** Field path of the hook or below; `spec` for the whole policy. */
  readonly path: string;
  readonly message: string;
};

/** `pal_sel.sel`: which hook of the plan, and which of its selectors. */
export function encodeSelector(hookIndex: number, selectorIndex: number): number {
  return hookIndex * 64 + selectorIndex;
}

/** For readers of hook records: `match.selector` names a hook of the policy's plan and a selector in it. */
export function decodeSelector(selector: number): { readonly hookIndex: number; readonly selectorIndex: number } {
  return { hookIndex: selector >>> 6, selectorIndex: selector & 63 };
}
