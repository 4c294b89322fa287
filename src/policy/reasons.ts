/**
 * Every reason that a node report, a bind result or a condition can carry: ONE list. Names are stable API; each has an anchor in
 * docs/errors.md, and the loader's mirror is generated from here. (What is wrong with a policy's text are codes: `problem-codes.ts`.)
 */
export type ReasonEntry = {
  /** CamelCase, at most 64 characters: fits a condition's `reason`. */
  readonly name: string;
  /** `load`: a hook or policy on one node. `condition`: a condition of the policy object. */
  readonly about: 'load' | 'condition';
  /** Whose fault: `node` reasons are shown but never hold Ready (control-plane 7.2). */
  readonly blame: 'policy' | 'node';
  /** True: trying again does not help until the policy or the kernel changes. */
  readonly terminal: boolean;
  /** One clause, English, no full stop. */
  readonly summary: string;
};

export const REASONS = [
  // loading: hook cannot be had on this kernel
  { name: 'FunctionNotFound', about: 'load', blame: 'policy', terminal: true, summary: 'no such function in this kernel, or it is not in its BTF' },
  { name: 'FunctionNotTraceable', about: 'load', blame: 'policy', terminal: true, summary: 'the function exists but the kernel does not allow probes on it' },
  { name: 'LsmHookNotFound', about: 'load', blame: 'policy', terminal: true, summary: 'this kernel has no such LSM hook' },
  { name: 'TracepointMissing', about: 'load', blame: 'policy', terminal: true, summary: 'this kernel has no such tracepoint' },
  { name: 'TracepointFieldMissing', about: 'load', blame: 'policy', terminal: true, summary: 'the tracepoint has no field of that number, or of another size than the policy says' },
  { name: 'ArgIndexOutOfRange', about: 'load', blame: 'policy', terminal: true, summary: 'the function has fewer arguments than the policy reads' },
  { name: 'BtfTypeMismatch', about: 'load', blame: 'policy', terminal: true, summary: 'the argument has another type in this kernel than the policy says' },
  { name: 'ResolvePathNotFound', about: 'load', blame: 'policy', terminal: true, summary: 'a member of the resolve path does not exist in this kernel' },
  { name: 'ModuleNotLoaded', about: 'load', blame: 'policy', terminal: true, summary: 'the kernel module that defines the function or type is not loaded' },
  { name: 'KfuncMissing', about: 'load', blame: 'policy', terminal: true, summary: 'the kernel lacks a function that programs need for this operator' },
  { name: 'NeedsBpfLoop', about: 'load', blame: 'policy', terminal: true, summary: 'the operator needs bpf_loop, which this kernel lacks' },
  { name: 'UprobeTargetMissing', about: 'load', blame: 'policy', terminal: true, summary: 'the file or symbol of a user probe does not exist on this node' },
  { name: 'DigestRejected', about: 'load', blame: 'policy', terminal: true, summary: 'the file of a user probe has none of the digests that the policy allows' },
  { name: 'UprobeRegsReadOnly', about: 'load', blame: 'policy', terminal: true, summary: 'this kernel does not let user probes change registers' },
  { name: 'NotSupportedByAgent', about: 'load', blame: 'policy', terminal: true, summary: 'the agent or loader of this node is too old for a feature of the plan' },

  // loading: the hook is there, denying is not
  { name: 'LSMNotEnabled', about: 'load', blame: 'policy', terminal: true, summary: "denying needs BPF LSM, and bpf is not in the kernel's list of active LSMs" },
  { name: 'FmodRetPreemptible', about: 'load', blame: 'policy', terminal: true, summary: 'fmod_ret could deny here, but this kernel is preemptible and would sometimes skip it' },
  { name: 'OverrideHelperMissing', about: 'load', blame: 'policy', terminal: true, summary: 'denying a system call needs bpf_override_return, which this kernel was built without' },
  { name: 'NotErrorInjectable', about: 'load', blame: 'policy', terminal: true, summary: 'the kernel does not allow an error to be injected into this function' },
  { name: 'SubstituteNotAllowed', about: 'load', blame: 'policy', terminal: true, summary: 'only a kill could stand in for the deny here, and the policy does not allow that substitute' },
  { name: 'ScratchUnsafe', about: 'load', blame: 'policy', terminal: true, summary: 'this kernel is preemptible and lacks atomic operations for programs; denying would be unreliable' },

  // loading: it works, with less than was wished
  { name: 'DegradedKillOnly', about: 'load', blame: 'policy', terminal: false, summary: 'a kill stands in for the deny, as the policy allows' },
  { name: 'NotPersistent', about: 'load', blame: 'policy', terminal: false, summary: 'the link cannot be pinned on this kernel: the hook is unprotected while the loader restarts' },
  { name: 'ReturnLossy', about: 'load', blame: 'policy', terminal: false, summary: 'this kernel loses some returns of the function under load' },

  // loading: too much
  { name: 'TooManySelectors', about: 'load', blame: 'policy', terminal: true, summary: 'more selectors than one hook of a policy may have' },
  { name: 'HookSelectorBudget', about: 'load', blame: 'policy', terminal: true, summary: 'all policies together have more selectors on this hook than fit' },
  { name: 'TooManySlots', about: 'load', blame: 'policy', terminal: true, summary: 'more arguments than one hook of a policy may read' },
  { name: 'TooManyFilters', about: 'load', blame: 'policy', terminal: true, summary: 'more filters than one selector may have' },
  { name: 'TooManyPlanes', about: 'load', blame: 'policy', terminal: true, summary: 'more different filters on this hook than fit' },
  { name: 'TooManyActions', about: 'load', blame: 'policy', terminal: true, summary: 'more actions than one selector may have' },
  { name: 'ResolveTooDeep', about: 'load', blame: 'policy', terminal: true, summary: 'the resolve path has more steps than can be followed' },
  { name: 'SetTooLarge', about: 'load', blame: 'policy', terminal: true, summary: 'a set of values is larger than its table' },
  { name: 'ValueTooLong', about: 'load', blame: 'policy', terminal: true, summary: 'a value is longer than can be compared' },
  { name: 'SubstringBudget', about: 'load', blame: 'policy', terminal: true, summary: 'the substrings of all policies on this hook exceed the automaton' },
  { name: 'NodeSetBudget', about: 'load', blame: 'policy', terminal: true, summary: 'more different sets of binaries on this node than fit' },
  { name: 'ScopeClassBudget', about: 'load', blame: 'policy', terminal: true, summary: 'more different scopes of pods on this node than fit' },
  { name: 'CelBudget', about: 'load', blame: 'policy', terminal: true, summary: 'more expressions on this hook than fit' },
  { name: 'TrampolineLimit', about: 'load', blame: 'policy', terminal: true, summary: 'the kernel allows no further program on this function' },
  { name: 'CostExceeded', about: 'load', blame: 'policy', terminal: true, summary: "the policy's hooks cost more than a namespaced policy may" },

  // loading: the kernel said no
  { name: 'VerifierRejected', about: 'load', blame: 'policy', terminal: true, summary: "the kernel's verifier refused the program; the report carries the end of its log" },
  { name: 'VerifierBudget', about: 'load', blame: 'policy', terminal: true, summary: "the program is too large for the kernel's verifier" },
  { name: 'LoadError', about: 'load', blame: 'node', terminal: false, summary: 'the kernel refused a step for a reason that has no name here; stage and errno are in the report' },

  // the node's fault
  { name: 'BTFUnavailable', about: 'load', blame: 'node', terminal: false, summary: 'the kernel has no BTF type information' },
  { name: 'KernelLockdown', about: 'load', blame: 'node', terminal: false, summary: "the kernel's lockdown mode forbids what the policy needs" },
  { name: 'PermissionDenied', about: 'load', blame: 'node', terminal: false, summary: 'the loader lacks a capability, or a security module refused it' },
  { name: 'MemoryLimit', about: 'load', blame: 'node', terminal: false, summary: 'the kernel had no memory for programs or tables' },
  { name: 'ResourceBusy', about: 'load', blame: 'node', terminal: false, summary: 'another process holds the resource; it is tried again' },
  { name: 'LoaderUnavailable', about: 'load', blame: 'node', terminal: false, summary: 'the loader does not answer' },
  { name: 'AbiMismatch', about: 'load', blame: 'node', terminal: false, summary: 'agent, loader and programs of this node come from different builds' },
  { name: 'PlanUnavailable', about: 'load', blame: 'node', terminal: false, summary: 'the agent has not got the plan yet' },
  { name: 'PlanFormatUnsupported', about: 'load', blame: 'node', terminal: false, summary: "the agent is too old for this plan's format" },
  { name: 'CacheUnwritable', about: 'load', blame: 'node', terminal: false, summary: 'the agent cannot write its plan cache; the node would start empty after a reboot' },
  { name: 'NodeSuspended', about: 'load', blame: 'node', terminal: false, summary: 'someone stopped this policy on this node with "palisade node suspend"' },

  // conditions of a policy
  { name: 'Pending', about: 'condition', blame: 'policy', terminal: false, summary: 'the controller has not looked at this generation yet' },
  { name: 'Accepted', about: 'condition', blame: 'policy', terminal: false, summary: 'the policy is well formed' },
  { name: 'InvalidSpec', about: 'condition', blame: 'policy', terminal: true, summary: 'the policy is not well formed' },
  { name: 'Compiled', about: 'condition', blame: 'policy', terminal: false, summary: 'the policy was compiled' },
  { name: 'CompileFailed', about: 'condition', blame: 'policy', terminal: true, summary: 'the policy is well formed but cannot be compiled' },
  { name: 'GuardrailViolated', about: 'condition', blame: 'policy', terminal: true, summary: 'the policy asks for more than its namespace may have' },
  { name: 'ForeignAgent', about: 'condition', blame: 'policy', terminal: true, summary: 'agents of another product with the same policies run in this cluster' },
  { name: 'Distributed', about: 'condition', blame: 'policy', terminal: false, summary: 'every node that should run the policy has it' },
  { name: 'WaitingForNodes', about: 'condition', blame: 'policy', terminal: false, summary: 'some nodes have not answered yet' },
  { name: 'Loaded', about: 'condition', blame: 'policy', terminal: false, summary: 'every reachable healthy node runs this generation' },
  { name: 'PartiallyLoaded', about: 'condition', blame: 'policy', terminal: true, summary: 'some nodes could not load the policy' },
  { name: 'LoadFailed', about: 'condition', blame: 'policy', terminal: true, summary: 'no node could load the policy' },
  { name: 'Enforcing', about: 'condition', blame: 'policy', terminal: false, summary: 'every node that runs the policy can deny or kill as it says' },
  { name: 'EnforcementUnavailable', about: 'condition', blame: 'policy', terminal: true, summary: 'some nodes run the policy but cannot deny' },
  { name: 'MonitorMode', about: 'condition', blame: 'policy', terminal: false, summary: 'the policy counts and reports what it would have done, and does nothing' },
  { name: 'ObserveOnly', about: 'condition', blame: 'policy', terminal: false, summary: 'the policy neither denies nor kills' },
  { name: 'NoMatchingNodes', about: 'condition', blame: 'policy', terminal: false, summary: 'no node fits the nodeSelector' },
  { name: 'NoAgents', about: 'condition', blame: 'node', terminal: false, summary: 'nodes fit, and none of them has an agent' },
  { name: 'AgentsOffline', about: 'condition', blame: 'node', terminal: false, summary: 'too many agents have been out of reach for too long' },
  { name: 'NodesUnhealthy', about: 'condition', blame: 'node', terminal: false, summary: 'too many nodes have a fault of their own' },
  { name: 'EventsLost', about: 'condition', blame: 'node', terminal: false, summary: 'too many events of this policy were lost' },
  { name: 'Healthy', about: 'condition', blame: 'policy', terminal: false, summary: 'nothing is degraded' },
  { name: 'StagedRollout', about: 'condition', blame: 'policy', terminal: false, summary: 'the first step of the rollout is healthy' },
  { name: 'RolloutHalted', about: 'condition', blame: 'policy', terminal: true, summary: 'the rollout was stopped' },
  { name: 'RemovalHeld', about: 'condition', blame: 'policy', terminal: false, summary: 'so many policies vanished at once that the removal waits for confirmation' },
  { name: 'StatusUnavailable', about: 'condition', blame: 'policy', terminal: false, summary: "the policy's kind has no status; another product replaced its definition" },
  { name: 'Other', about: 'condition', blame: 'node', terminal: false, summary: 'further reasons, left out to keep the status small' },
] as const satisfies readonly ReasonEntry[];

export type Reason = (typeof REASONS)[number]['name'];

/** Reasons that a node can report for a hook or policy. */
export type LoadReason = Extract<(typeof REASONS)[number], { about: 'load' }>['name'];

const byName: ReadonlyMap<string, ReasonEntry> = new Map(REASONS.map((entry) => [entry.name, entry]));

/** The entry of a reason; undefined for text that is none, as it may come from a node of another version. */
export function findReason(name: string): ReasonEntry | undefined {
  return byName.get(name);
}

export function isReason(name: string): name is Reason {
  return byName.has(name);
}
