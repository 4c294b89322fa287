import type { LinuxNamespace } from '../plan.ts';

/** One call of a hook, as the engine reads it. */
export type HookCall = {
  /** By position in the hook's args; a position that is not there is unknown. */
  readonly args: readonly ArgValue[];
  readonly process: ProcessFacts;
};

export type ArgValue =
  | { readonly kind: 'int'; readonly value: bigint }
  /** Strings without their NUL; paths without ` (deleted)`. */
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  /** A null pointer: an empty text for `string`, unknown for everything else. */
  | { readonly kind: 'null' }
  /** Unreadable, unreachable, too long, or no room left in the record. */
  | { readonly kind: 'unknown' };

export type ProcessFacts = {
  /** Path of the executable, recorded at exec; null: not known. */
  readonly binary: Uint8Array | null;
  /** Inode numbers; 0 for a namespace that the kernel does not have. */
  readonly namespaces: Readonly<Record<LinuxNamespace, number>>;
  /** Those of pid 1; null: not known, then `host_ns` fits nothing. */
  readonly hostNamespaces: Readonly<Record<LinuxNamespace, number>> | null;
  /** 64-bit masks. */
  readonly capabilities: { readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint };
  readonly inHostUserNamespace: boolean;
  readonly workload: Workload;
  /** pid 1, kubelet, the container runtime, Palisade itself: nothing is denied to these and none of them is killed. */
  readonly exempt: boolean;
};

/** What is known about where a process runs. */
export type Workload =
  | { readonly kind: 'host' }
  /** In no pod that is known, and in none that is expected. */
  | { readonly kind: 'unknown' }
  /** In a new pod; its Kubernetes namespace may be known before its labels. */
  | { readonly kind: 'pending'; readonly namespace: string | null }
  | { readonly kind: 'pod'; readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
