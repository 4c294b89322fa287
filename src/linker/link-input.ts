/** What one link is made from: everything that may decide what a node's tables contain, and nothing else. */
import type { ContainerFacts } from '../policy/evaluate/event.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import type { Plan, PolicyMode, PolicyRef } from '../policy/plan.ts';
import type { LoadReason } from '../policy/reasons.ts';
import type { Allocation } from './allocation.ts';
import type { LinkTarget } from './link-target.ts';
import type { Prototypes } from './prototype.ts';

export type LinkPolicy = {
  readonly ref: PolicyRef;
  /** sha256 of the plan, hexadecimal. */
  readonly digest: string;
  readonly plan: Plan;
  readonly mode: PolicyMode;
  /** This very plan is what the node ran last: it comes before plans that are new, also those of policies that are not. */
  readonly runs?: true;
};

export type LinkPod = {
  /** As it appears in cgroup paths: the API's uid, or the config hash of a mirror pod. */
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Those that are known, for policies with a containerSelector. Absent: none. */
  readonly containers?: readonly LinkContainer[];
};

export type LinkContainer = ContainerFacts & {
  /** As it appears in cgroup paths. */
  readonly id: string;
};

/** A method that this kernel turned out not to give, although its facts promise it. */
export type UnusableMethod = { readonly reason: LoadReason; readonly message: string };

export type LinkInput = {
  readonly policies: readonly LinkPolicy[];
  readonly kernel: KernelFacts;
  /** Inode numbers of pid 1's namespaces by PAL_NS_*, from the loader's HELLO. Empty: not known, then `host_ns` fits nothing. */
  readonly hostNamespaces: readonly number[];
  /** Answers of the loader's RESOLVE, by query. What is absent is not known. */
  readonly prototypes: Prototypes;
  readonly pods: readonly LinkPod[];
  /** Numbers given out so far; the result carries the next state. */
  readonly allocation: Allocation;
  /** By method text as in HOOK requests, e.g. `lsm:file_open`. */
  readonly unusable: ReadonlyMap<string, UnusableMethod>;
  /** Absent: the engine of this version. */
  readonly target?: LinkTarget;
};
