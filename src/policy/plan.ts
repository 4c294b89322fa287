/**
 * The plan: a compiled policy. Kernel-independent, plain JSON, named by the sha256 of its canonical form (`digest.ts`).
 *
 * What is NOT in here, on purpose: the policy's name, uid and generation (`PolicyRef` travels beside it), the mode (a mode flip is a
 * data swap on the node), the rollout, and the nodeSelector (the controller's matter). Two policies that mean the same share a plan.
 *
 * Every value is already checked and normalised by `compile`: `In` has become `Equal`, `int` has become `int32`, value sets are
 * sorted and free of duplicates, a hook without selectors has one selector without filters, a selector without actions has `post`.
 */

/** Bytes of this format are a contract: a change of what `compile` writes for an old policy is a new format (control-plane 3.5). */
export const PLAN_FORMAT = 1;

export type Plan = {
  readonly format: typeof PLAN_FORMAT;
  readonly scope: PlanScope;
  readonly options: PlanOptions;
  /** In the order of the policy's sections: kprobes, tracepoints, lsmhooks; inside a section in spec order. Never empty. */
  readonly hooks: readonly PlanHook[];
};

/** Which processes a policy is about. Both null: every process of the node, host processes included. */
export type PlanScope = {
  /** Set for the namespaced kind: pods of this Kubernetes namespace only. */
  readonly namespace: string | null;
  /** Set: processes of matching pods only, never a host process; an empty selector means all pods. */
  readonly podSelector: LabelSelector | null;
};

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
};

/** The sections of a spec that this plan format can carry. */
export type PlanSection = 'kprobes' | 'lsmhooks' | 'tracepoints';
export type PlanHookKind = 'kprobe' | 'lsm' | 'tracepoint';

export type PlanHook = {
  readonly kind: PlanHookKind;
  readonly section: PlanSection;
  /** Position in its section of the spec. */
  readonly index: number;
  /** Where users find it: `spec.kprobes[0]`. */
  readonly path: string;
  /**
   * Canonical name. kprobe: kernel function (`security_file_open`), or `sys_execve` without an architecture's prefix when `syscall`.
   * lsm: hook without prefix (`file_open`). tracepoint: `sched/sched_process_exec`.
   */
  readonly target: string;
  /** Only for kprobes: arguments are those of the system call, and the function's name has the architecture's prefix. */
  readonly syscall: boolean;
  /** Copied into events; empty if the policy has none. At most 256 bytes. */
  readonly message: string;
  readonly tags: readonly string[];
  readonly args: readonly PlanArg[];
  /** 1…64, in spec order: the first that matches acts, later ones are not looked at. */
  readonly selectors: readonly PlanSelector[];
};

/** Integer types by width and sign. `size_t` is `uint64`, `int` is `int32`, `long` is `int64`. */
export type PlanIntType = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64';
export type PlanArgType = PlanIntType | 'string' | 'path' | 'file';

export type PlanArg = {
  /** Position in the function's prototype (kprobe, lsm: 0…5), or number of the field in the tracepoint's format. */
  readonly index: number;
  readonly type: PlanArgType;
  /** Shown in events; empty if none. */
  readonly label: string;
};

export type PlanSelector = {
  /** Where users find it: `spec.kprobes[0].selectors[1]`; the hook's own path if the policy has no selectors there. */
  readonly path: string;
  /** All must hold. Empty: always matches. */
  readonly filters: readonly PlanFilter[];
  /** 1…8, in spec order. `effect.ts` says what they add up to. */
  readonly actions: readonly PlanAction[];
};

/** One requirement. Positive operators hold if one of the values fits, negated ones if none does. Values are never empty. */
export type PlanFilter =
  | PlanIntFilter
  | PlanBytesFilter
  | PlanBinaryFilter
  | PlanNamespaceFilter
  | PlanPodNamespaceFilter
  | PlanCapabilityFilter;

/** `arg` is the position in `PlanHook.args`, not the index in the prototype. */
export type PlanIntFilter = {
  readonly on: 'int';
  readonly arg: number;
  readonly operator: 'Equal' | 'NotEqual';
  /** Decimal, within the range of the argument's type; sorted by number. */
  readonly values: readonly string[];
};

export type PlanBytesOperator = 'Equal' | 'NotEqual' | 'Prefix' | 'NotPrefix' | 'Postfix' | 'NotPostfix';

/** On arguments of type string, path, file. Values are compared as UTF-8 bytes: 1…255 (Postfix: 1…248); sorted by bytes. */
export type PlanBytesFilter = {
  readonly on: 'bytes';
  readonly arg: number;
  readonly operator: PlanBytesOperator;
  readonly values: readonly string[];
};

/** On the path of the process's executable, as recorded at exec. Absolute paths, 1…255 bytes. */
export type PlanBinaryFilter = {
  readonly on: 'binary';
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
};

export type LinuxNamespace = 'uts' | 'ipc' | 'mnt' | 'pid' | 'pid_for_children' | 'net' | 'time' | 'time_for_children' | 'cgroup' | 'user';

/** On a Linux namespace of the process. Values: decimal inode numbers (uint32) and `host_ns` (that of pid 1, read at link time). */
export type PlanNamespaceFilter = {
  readonly on: 'namespace';
  readonly namespace: LinuxNamespace;
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
};

/** On the Kubernetes namespace of the process's pod. A process outside pods matches neither In nor NotIn. */
export type PlanPodNamespaceFilter = {
  readonly on: 'podNamespace';
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
};

/** In: the process has at least one capability of the mask; NotIn: it has none of them. */
export type PlanCapabilityFilter = {
  readonly on: 'capability';
  readonly set: 'effective' | 'permitted' | 'inheritable';
  readonly operator: 'In' | 'NotIn';
  /** 64-bit mask, decimal, never 0. */
  readonly mask: string;
  /** True: what a task in the host's user namespace has does not count, so In never holds for it and NotIn always does. */
  readonly isNamespaceCapability: boolean;
};

export type PlanAction =
  | { readonly type: 'post' }
  | { readonly type: 'nopost' }
  | { readonly type: 'sigkill' }
  /** `errno` is what the call returns: -4095…-1. */
  | { readonly type: 'override'; readonly errno: number };

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
