import type { LinuxNamespace } from '../plan.ts';

/** One call of a hook, as the engine reads it. */
export type HookCall = {
  /**
   * By position in the hook's args; a position that is not there is unknown. What is read at the return (`from: return`, `returnCopy`)
   * is looked at by `evaluateReturn` alone.
   */
  readonly args: readonly ArgValue[];
  readonly process: ProcessFacts;
  /** Of any clock that does not go back; only rate limits look at it. Absent: 0. */
  readonly timeMs?: number;
};

export type ArgValue =
  | IntegerValue
  | TextValue
  | SocketValue
  /** Read and shown in events, and nothing that a filter compares: credentials, modules, bpf maps and so on. */
  | { readonly kind: 'shown' }
  /** A null pointer: an empty text for `string`, unknown for everything else. */
  | { readonly kind: 'null' }
  /** It is known that there is none: a file descriptor that is not open. No filter holds, also none that is negated (as upstream). */
  | { readonly kind: 'absent' }
  /** Unreadable, unreachable, a path that is too long, or no room left in the record. */
  | { readonly kind: 'unknown' };

export type IntegerValue = {
  readonly kind: 'int';
  /** Within the range of the argument's type; of a set of capabilities, bit n is capability n. */
  readonly value: bigint;
  /** Only for `syscall64`: the call of this number, as in `PlanEnforcer.calls`; absent: lists of calls do not fit it. */
  readonly syscall?: string;
};

export type TextValue = {
  readonly kind: 'bytes';
  /** Strings without their NUL; paths without ` (deleted)`. */
  readonly value: Uint8Array;
  /** This is the beginning of a text that is too long to be read whole; absent: it is all of it. */
  readonly isCut?: true;
  /** `i_mode` of the file behind it; absent: not known. */
  readonly fileMode?: number;
  /** Only for `sockaddr_un`; absent: AF_UNIX. */
  readonly family?: number;
};

/** A socket, a packet or a socket address. Numbers that it does not have are 0, as in the kernel's own structs. */
export type SocketValue = {
  readonly kind: 'socket';
  /** AF_*. */
  readonly family: number;
  /** IPPROTO_*. */
  readonly protocol: number;
  /** TCP_*. */
  readonly state: number;
  /**
   * 4 bytes or 16; null: the family has no such addresses. An IPv4-mapped IPv6 address is its IPv4 address: to the network it is one, and
   * a program must not get around a filter by asking for the other.
   */
  readonly source: Uint8Array | null;
  readonly destination: Uint8Array | null;
  readonly sourcePort: number;
  readonly destinationPort: number;
};

/** Inode numbers; 0 for a namespace that the kernel does not have. */
export type NamespaceNumbers = Readonly<Record<LinuxNamespace, number>>;

/** 64-bit masks. */
export type CapabilitySets = { readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint };

/** What of a process other processes inherit: its ids and its executable. */
export type Lineage = {
  /** Path of the executable, recorded at exec (of an ancestor: when the child was forked); empty: a kernel thread; null: not known. */
  readonly binary: Uint8Array | null;
  /** What it ran before that, in the same process or, until its first exec, as its parent; absent: nothing. */
  readonly formerBinaries?: readonly Uint8Array[];
  /** Thread group id in the pid namespace of the host; absent: not known. */
  readonly pid?: number;
  /** The same in the innermost pid namespace; null: that is the host's; absent: not known. */
  readonly nsPid?: number | null;
};

export type ProcessFacts = Lineage & {
  /** Only the rate limit of threads looks at it. Absent: the process has one thread. */
  readonly threadId?: number;
  /** Parent first, up to the first process, which has an empty list; absent: not known. */
  readonly ancestors?: readonly Lineage[];
  readonly namespaces: NamespaceNumbers;
  /** Those of pid 1; null: not known, then `host_ns` fits nothing. */
  readonly hostNamespaces: NamespaceNumbers | null;
  /** As they were at the last exec; absent: not known. */
  readonly execNamespaces?: NamespaceNumbers;
  readonly capabilities: CapabilitySets;
  /** As they were at the last exec; absent: not known. */
  readonly execCapabilities?: CapabilitySets;
  readonly inHostUserNamespace: boolean;
  readonly workload: Workload;
  /** pid 1, kubelet, the container runtime, Palisade itself: nothing is denied to these and none of them is killed. */
  readonly exempt: boolean;
  /**
   * The container runtime inside of a pod, before it becomes the container. It opens what nobody can name (its own executable and the fifo
   * that starts the container, on mounts that it has just detached): an unknown value does not stop it. Absent: it is not.
   */
  readonly isRuntimeInit?: true;
};

/** What is known about where a process runs. */
export type Workload =
  | { readonly kind: 'host' }
  /** In no pod that is known, and in none that is expected. */
  | { readonly kind: 'unknown' }
  /** In a new pod; its Kubernetes namespace may be known before its labels. */
  | { readonly kind: 'pending'; readonly namespace: string | null }
  | {
      readonly kind: 'pod';
      readonly namespace: string;
      readonly labels: Readonly<Record<string, string>>;
      /** Absent: not known. */
      readonly container?: ContainerFacts;
    };

export type ContainerFacts = {
  readonly name: string;
  /** Image without tag and digest: `docker.io/library/nginx`. */
  readonly repo: string;
};
