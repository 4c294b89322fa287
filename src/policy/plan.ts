import type {
  PlanBinaryFilter,
  PlanPidFilter,
  PlanNamespaceChangeFilter,
  PlanNamespaceFilter,
  PlanPodNamespaceFilter,
  PlanCapabilityFilter,
  PlanCapabilityChangeFilter,
} from './plan-process-filters.ts';
import type { PlanGenerated, PlanUserProbe } from './plan-probes.ts';
import type { PlanCapabilitySetType, PlanIntType, PlanNamedIntType, PlanShownType, PlanSocketType, PlanTextType } from './plan-types.ts';

/**
 * The plan: a compiled policy. Kernel-independent, plain JSON, named by the sha256 of its canonical form (`digest.ts`).
 *
 * What is NOT in here, on purpose: the policy's name, uid and generation (`PolicyRef` travels beside it), the mode (a mode flip is a
 * data swap on the node), the rollout, and the nodeSelector (the controller's matter). Two policies that mean the same share a plan.
 *
 * Every value is already checked and normalised by `compile`: `In` has become `Equal`, `int` has become `int32`, value sets are
 * sorted and free of duplicates, a hook without selectors has one selector without filters, a selector without actions has `post`.
 */

/**
 * Bytes of this format are a contract: a change of what `compile` writes for an old policy is a new format (control-plane 3.5).
 * The language grows by optional members: one that is absent means what it meant before it existed, so a plan that does not use it keeps
 * its bytes and its digest. A member is written only where it differs from its absence: `readPlan` refuses any other spelling.
 */
export const PLAN_FORMAT = 1;

export type Plan = {
  readonly format: typeof PLAN_FORMAT;
  readonly scope: PlanScope;
  readonly options: PlanOptions;
  /**
   * In the order of the policy's sections: kprobes, tracepoints, lsmhooks, fentries, uprobes, usdts; inside a section in spec order.
   * `call: list:NAME` has become one hook for each function of the list, side by side, with the same path. Empty only with `loader`.
   */
  readonly hooks: readonly PlanHook[];
  /** Executable mappings with build ids are reported (`loader: true`); only in plans that are about the whole node. */
  readonly loader?: true;
  /** Calls that `notify_enforcer` can deny or kill in. */
  readonly enforcer?: PlanEnforcer;
};

/** What `enforcers` names, lists expanded; sorted, without duplicates. */
export type PlanEnforcer = {
  readonly path: string;
  /** `sys_openat` (this machine's own system calls), `i386/sys_openat`, or `security_file_open`. */
  readonly calls: readonly string[];
};

/** Which processes a policy is about. Both null and nothing else: every process of the node, host processes included. */
export type PlanScope = {
  /** Set for the namespaced kind: pods of this Kubernetes namespace only. */
  readonly namespace: string | null;
  /** Set: processes of matching pods only, never a host process; an empty selector means all pods. */
  readonly podSelector: LabelSelector | null;
  /** Set: processes of matching containers of these pods only. */
  readonly containerSelector?: ContainerSelector;
  /**
   * Host processes: `also` adds them to the pods that the other members select, `only` is about nothing else. Absent: host processes are
   * left out as soon as anything else is set, and are in where nothing is.
   */
  readonly host?: 'also' | 'only';
};

/** A label selector over the fields of a container instead of labels: `name`, and `repo` (its image without tag and digest). */
export type ContainerSelector = LabelSelector;

/** A Kubernetes label selector in normal form: requirements sorted by key, values sorted. All requirements must hold. */
export type LabelSelector = {
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly matchExpressions: readonly LabelRequirement[];
};

export type LabelRequirement = {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** Empty for Exists and DoesNotExist. In and NotIn have at least one. */
  readonly values: readonly string[];
};

export type PlanOptions = {
  /** What an unreadable value does to a filter. Null: it matches for selectors that deny, it does not for all others. */
  readonly onUnknown: 'match' | 'nomatch' | null;
  /** What applies to a container whose pod is not known yet. `apply` only in plans without a namespace. */
  readonly onPending: 'wait' | 'apply';
  /** `kill`: where a deny cannot be had, a kprobe with SIGKILL may stand in for it (reported as degraded). */
  readonly substitute: 'none' | 'kill';
  /** Events per second, per pod and policy; 1…1,000,000. Verdicts are never rate-limited. */
  readonly eventRatePerSecond: number;
  /** Only this way to deny; absent: the best that the kernel has. */
  readonly overrideMethod?: 'fmod_ret' | 'override_return';
  /** Probes are attached one by one, never by one link for many. */
  readonly singleKprobes?: true;
  readonly singleUprobes?: true;
  /** Entries of the map that carries strings of user probes: 1…1,048,576. */
  readonly sleepablePreloadEntries?: number;
};

/** The sections of a spec that this plan format can carry. */
export type PlanSection = 'kprobes' | 'lsmhooks' | 'tracepoints' | 'fentries' | 'uprobes' | 'usdts';
export type PlanHookKind = 'kprobe' | 'lsm' | 'tracepoint' | 'raw_tracepoint' | 'fentry' | 'uprobe' | 'usdt';

export type PlanHook = {
  readonly kind: PlanHookKind;
  readonly section: PlanSection;
  /** Position in its section of the spec. */
  readonly index: number;
  /** Where users find it: `spec.kprobes[0]`. */
  readonly path: string;
  /**
   * Canonical name. kprobe, fentry: kernel function (`security_file_open`), or when `syscall` the system call as in `PlanEnforcer.calls`
   * (`sys_execve` of this machine's own, `i386/sys_execve` of another ABI).
   * lsm: hook without prefix (`file_open`). tracepoint, raw_tracepoint: `sched/sched_process_exec`. uprobe, usdt: the file, see `user`.
   * With `generated`: the name of the list, for messages.
   */
  readonly target: string;
  /** kprobe, fentry: arguments are those of the system call, and the function's name has the architecture's prefix. */
  readonly syscall: boolean;
  /** The hook stands for every function that a kernel's catalogue offers; `bind` puts the names in. */
  readonly generated?: PlanGenerated;
  /** A kernel without the function, or a file with another digest, is no failure: the hook is skipped there, and reported. */
  readonly ignoreMissing?: true;
  /** The return is watched as well; `args` holds the value (`from: return`) and what is read at return. */
  readonly returns?: true;
  /** What becomes of the socket that the function returns. */
  readonly returnSocket?: 'track' | 'untrack';
  /** Only uprobe and usdt. */
  readonly user?: PlanUserProbe;
  /** Copied into events; empty if the policy has none. At most 256 bytes. */
  readonly message: string;
  readonly tags: readonly string[];
  /** Arguments in spec order, then `data` in spec order, then the return value. */
  readonly args: readonly PlanArg[];
  /** 1…64, in spec order: the first that matches acts, later ones are not looked at. */
  readonly selectors: readonly PlanSelector[];
};

/**
 * `auto`: the type comes from the kernel: from the format of a tracepoint, or from BTF at the end of `resolve`; filters are checked for a
 * number or a text when it is known (`bind`). `nop`: keeps a position and reads nothing.
 */
export type PlanArgType =
  | PlanIntType
  | PlanTextType
  | PlanSocketType
  | PlanCapabilitySetType
  | PlanNamedIntType
  | PlanShownType
  | 'auto'
  | 'nop';

export type PlanArg = {
  /**
   * Position in the function's prototype (0…5), number of the field in the tracepoint's format, or of the usdt's argument. For data: its
   * position in `data`; for the return value what the spec says.
   */
  readonly index: number;
  readonly type: PlanArgType;
  /** Shown in events; empty if none. */
  readonly label: string;
  /** Where the value begins; absent: the argument. `current_task`: the task's struct; `pt_regs`: the register that `resolve` names. */
  readonly from?: 'return' | 'current_task' | 'pt_regs';
  /** Members to follow, 1…10 steps: `mm`, `owner`, `[3]`; for pt_regs one register. */
  readonly resolve?: readonly string[];
  /** Index in the prototype of the argument that holds the size of this buffer. */
  readonly sizeIndex?: number;
  /** The buffer is read when the function returns. */
  readonly returnCopy?: true;
  /** Up to 327,360 bytes of the buffer instead of 4,095. */
  readonly maxData?: true;
  /** The value is taken for this struct before `resolve`; from this kernel module, absent: from the kernel itself. */
  readonly btfType?: string;
  readonly btfModule?: string;
};

export type PlanSelector = {
  /** Where users find it: `spec.kprobes[0].selectors[1]`; the hook's own path if the policy has no selectors there. */
  readonly path: string;
  /** All must hold. Empty: always matches. */
  readonly filters: readonly PlanFilter[];
  /** 1…8, in spec order. `effect.ts` says what they add up to. */
  readonly actions: readonly PlanAction[];
  /** Name in statistics. */
  readonly label?: string;
  /** Narrows the policy's scope for this selector (`matchWorkloads`). */
  readonly workload?: Omit<PlanScope, 'namespace'>;
  /** Only with `returns`: on the return value and on what was read at return. All must hold for `returnActions`. Absent: no filter. */
  readonly returnFilters?: readonly PlanFilter[];
  /** Only with `returns`: what happens at the return. Absent: an event if `returnFilters` hold, and if `post` was due at entry. */
  readonly returnActions?: readonly PlanAction[];
};

/** One requirement. Positive operators hold if one of the values fits, negated ones if none does. Values are never empty. */
export type PlanFilter =
  | PlanIntFilter
  | PlanRangeFilter
  | PlanMaskFilter
  | PlanBytesFilter
  | PlanSubstringFilter
  | PlanFileTypeFilter
  | PlanAddressFilter
  | PlanSocketFilter
  | PlanGainedFilter
  | PlanCelFilter
  | PlanBinaryFilter
  | PlanPidFilter
  | PlanNamespaceFilter
  | PlanNamespaceChangeFilter
  | PlanPodNamespaceFilter
  | PlanCapabilityFilter
  | PlanCapabilityChangeFilter;

/** `arg` is the position in `PlanHook.args`, not the index in the prototype. */
export type PlanIntFilter = {
  readonly on: 'int';
  readonly arg: number;
  readonly operator: 'Equal' | 'NotEqual';
  /**
   * Decimal, within the range of the argument's type; sorted by number. Only on `syscall64`, after the numbers and sorted by bytes: system
   * calls by name as in `PlanEnforcer.calls` (from `InMap` with `list:NAME`); their numbers depend on the machine, so `link` puts them in.
   */
  readonly values: readonly string[];
};

/** Both ends included, decimal; disjoint, not adjacent, sorted. */
export type PlanRange = readonly [min: string, max: string];

/** InRange, GT, LT, and InMap with ranges; compared in the width and sign of the argument's type. */
export type PlanRangeFilter = {
  readonly on: 'range';
  readonly arg: number;
  readonly operator: 'InRange' | 'NotInRange';
  readonly ranges: readonly PlanRange[];
};

/** Holds if the value and the mask have a bit in common. On integers and sets of capabilities. */
export type PlanMaskFilter = {
  readonly on: 'mask';
  readonly arg: number;
  /** 64-bit mask, decimal, never 0: the values of the filter merged. */
  readonly mask: string;
};

export type PlanBytesOperator = 'Equal' | 'NotEqual' | 'Prefix' | 'NotPrefix' | 'Postfix' | 'NotPostfix';

/** On arguments of the types in `PlanTextType`. Values are compared as UTF-8 bytes: 1…4096 (Postfix: 1…248); sorted by bytes. */
export type PlanBytesFilter = {
  readonly on: 'bytes';
  readonly arg: number;
  readonly operator: PlanBytesOperator;
  readonly values: readonly string[];
};

/** One of the values occurs in the text. 1…255 bytes each; with `ignoreCase` ASCII letters are equal to their other case. */
export type PlanSubstringFilter = {
  readonly on: 'substring';
  readonly arg: number;
  readonly ignoreCase?: true;
  readonly values: readonly string[];
};

export type FileType = 'sock' | 'lnk' | 'reg' | 'blk' | 'dir' | 'chr' | 'fifo';

/** On the type of the file behind a `file` or `path` argument. */
export type PlanFileTypeFilter = {
  readonly on: 'fileType';
  readonly arg: number;
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly FileType[];
};

/**
 * On an address of a socket. An address of a family for which there is no value matches neither In nor NotIn (as upstream). An IPv4-mapped
 * IPv6 address is its IPv4 address, in values as in sockets.
 */
export type PlanAddressFilter = {
  readonly on: 'address';
  readonly arg: number;
  readonly end: 'source' | 'destination';
  readonly operator: 'In' | 'NotIn';
  /** Networks, host bits cleared: `10.0.0.0/8`, `2001:db8::/32`; IPv6 as RFC 5952 writes it; IPv4 first, then by bytes and length. */
  readonly values: readonly string[];
};

/** On a number of a socket. `*Priv` are the ports 0…1023. */
export type PlanSocketFilter = {
  readonly on: 'socket';
  readonly arg: number;
  readonly field: 'sourcePort' | 'destinationPort' | 'protocol' | 'family' | 'state';
  readonly operator: 'In' | 'NotIn';
  readonly ranges: readonly PlanRange[];
};

/** The second set of capabilities has one that the first has not. */
export type PlanGainedFilter = { readonly on: 'gained'; readonly before: number; readonly after: number };

/** A condition over several integer arguments, unknown as soon as one of them is. At most 32 nodes. */
export type PlanCelFilter = { readonly on: 'cel'; readonly expression: PlanCelNode };

/** Typed: both sides of an operator have one type; comparisons and logic yield `bool`, the root is one. */
export type PlanCelType = 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64';
export type PlanCelNode =
  | { readonly op: 'arg'; readonly type: PlanCelType; readonly arg: number }
  /** Decimal; `0` and `1` for bool. */
  | { readonly op: 'literal'; readonly type: PlanCelType; readonly value: string }
  | { readonly op: 'convert' | 'negate' | 'invert' | 'not'; readonly type: PlanCelType; readonly of: PlanCelNode }
  | {
      readonly op: 'add' | 'subtract' | 'and' | 'or' | 'xor' | 'all' | 'any' | 'equal' | 'unequal' | 'less' | 'lessOrEqual';
      readonly type: PlanCelType;
      readonly left: PlanCelNode;
      readonly right: PlanCelNode;
    };

export type LinuxNamespace = 'uts' | 'ipc' | 'mnt' | 'pid' | 'pid_for_children' | 'net' | 'time' | 'time_for_children' | 'cgroup' | 'user';

export type PlanAction =
  | PlanPost
  | { readonly type: 'nopost' }
  | { readonly type: 'sigkill' }
  /** 1…64; SIGKILL is `sigkill`. */
  | { readonly type: 'signal'; readonly signal: number }
  /** `errno` is what the call returns: -4095…-1. For a uprobe any int32: the function returns it at once. */
  | { readonly type: 'override'; readonly errno: number }
  /** Only uprobes: registers are set (`rax=11`, `rip=8%rsp`; 1…8), or the call goes elsewhere in the same file. */
  | { readonly type: 'set_registers'; readonly registers: readonly string[] }
  | { readonly type: 'redirect'; readonly to: 'symbol' | 'address' | 'offset'; readonly target: string }
  /** `arg` is a position in `PlanHook.args`. */
  | { readonly type: 'track_sock' | 'untrack_sock'; readonly arg: number }
  /** 0: none of the two. */
  | { readonly type: 'notify_enforcer'; readonly errno: number; readonly signal: number }
  | { readonly type: 'cleanup_enforcer' }
  | { readonly type: 'get_url'; readonly url: string }
  | { readonly type: 'dns_lookup'; readonly name: string }
  /** Only usdts: the argument at this position of `PlanHook.args` gets this value. */
  | { readonly type: 'set'; readonly arg: number; readonly value: number };

export type PlanPost = {
  readonly type: 'post';
  /** An equal event is not repeated within this time: 1…2^32-1 ms. */
  readonly rateLimitMs?: number;
  /** Whose repetition counts; absent: the thread's. Only with `rateLimitMs`. */
  readonly rateLimitScope?: 'process' | 'global';
  readonly kernelStack?: true;
  readonly userStack?: true;
  readonly imaHash?: true;
};

export type PolicyKind = 'TracingPolicy' | 'TracingPolicyNamespaced';

/** Which object a plan belongs to; travels beside it. */
export type PolicyRef = {
  readonly kind: PolicyKind;
  /** Null for the cluster kind. */
  readonly namespace: string | null;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
};

/** `policy-mode` of the spec; travels beside the plan, not in its digest. */
export type PolicyMode = 'enforce' | 'monitor';
