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

/** `final`: trying again does not help until the policy or the kernel changes. */
type Duration = 'final' | 'passing';

function load<const Name extends string>(name: Name, blame: ReasonEntry['blame'], duration: Duration, summary: string) {
  return { name, about: 'load' as const, blame, terminal: duration === 'final', summary };
}

function condition<const Name extends string>(name: Name, blame: ReasonEntry['blame'], duration: Duration, summary: string) {
  return { name, about: 'condition' as const, blame, terminal: duration === 'final', summary };
}

export const REASONS = [
  // loading: hook cannot be had on this kernel
  load('FunctionNotFound', 'policy', 'final', 'no such function in this kernel, or it is not in its BTF'),
  load('FunctionNotTraceable', 'policy', 'final', 'the function exists but the kernel does not allow probes on it'),
  load('LsmHookNotFound', 'policy', 'final', 'this kernel has no such LSM hook'),
  load('TracepointMissing', 'policy', 'final', 'this kernel has no such tracepoint'),
  load('TracepointFieldMissing', 'policy', 'final', 'the tracepoint has no field of that number, or of another size than the policy says'),
  load('ArgIndexOutOfRange', 'policy', 'final', 'the function has fewer arguments than the policy reads'),
  load('BtfTypeMismatch', 'policy', 'final', 'the argument has another type in this kernel than the policy says'),
  load('ResolvePathNotFound', 'policy', 'final', 'a member of the resolve path does not exist in this kernel'),
  load('ModuleNotLoaded', 'policy', 'final', 'the kernel module that defines the function or type is not loaded'),
  load('KfuncMissing', 'policy', 'final', 'the kernel lacks a function that programs need for this operator'),
  load('NeedsBpfLoop', 'policy', 'final', 'the operator needs bpf_loop, which this kernel lacks'),
  load('UprobeTargetMissing', 'policy', 'final', 'the file or symbol of a user probe does not exist on this node'),
  load('DigestRejected', 'policy', 'final', 'the file of a user probe has none of the digests that the policy allows'),
  load('UprobeRegsReadOnly', 'policy', 'final', 'this kernel does not let user probes change registers'),
  load('NotInEngine', 'policy', 'final', 'the language has it, and the engine of this version does not run it yet'),
  load('HookIgnored', 'policy', 'passing', 'the kernel or file lacks the hook, and the policy says that this does not matter'),
  load('NotSupportedByAgent', 'policy', 'final', 'the agent or loader of this node is too old for a feature of the plan'),

  // loading: the hook is there, denying is not
  load('LSMNotEnabled', 'policy', 'final', "denying needs BPF LSM, and bpf is not in the kernel's list of active LSMs"),
  load('FmodRetPreemptible', 'policy', 'final', 'fmod_ret could deny here, but this kernel is preemptible and would sometimes skip it'),
  load(
    'OverrideHelperMissing',
    'policy',
    'final',
    'nothing denies this function on this kernel: fmod_ret may not or may be skipped, and bpf_override_return is missing',
  ),
  load('NotErrorInjectable', 'policy', 'final', 'the kernel does not allow an error to be injected into this function'),
  load(
    'SubstituteNotAllowed',
    'policy',
    'final',
    'only a kill could stand in for the deny here, and the policy does not allow that substitute',
  ),
  load(
    'ScratchUnsafe',
    'policy',
    'final',
    'this kernel is preemptible and lacks atomic operations for programs; denying would be unreliable',
  ),

  // loading: it works, with less than was wished
  load('DegradedKillOnly', 'policy', 'passing', 'a kill stands in for the deny, as the policy allows'),
  load('NotPersistent', 'policy', 'passing', 'the link cannot be pinned on this kernel: the hook is unprotected while the loader restarts'),
  load('ReturnLossy', 'policy', 'passing', 'this kernel loses some returns of the function under load'),

  // loading: too much
  load('TooManySelectors', 'policy', 'final', 'more selectors than one hook of a policy may have'),
  load('HookSelectorBudget', 'policy', 'final', 'all policies together have more selectors on this hook than fit'),
  load('TooManySlots', 'policy', 'final', 'more arguments than one hook of a policy may read'),
  load('TooManyFilters', 'policy', 'final', 'more filters than one selector may have'),
  load('TooManyPlanes', 'policy', 'final', 'more different filters on this hook than fit'),
  load('TooManyActions', 'policy', 'final', 'more actions than one selector may have'),
  load('ResolveTooDeep', 'policy', 'final', 'the resolve path has more steps than can be followed'),
  load('SetTooLarge', 'policy', 'final', 'a set of values is larger than its table'),
  load('ValueTooLong', 'policy', 'final', 'a value is longer than can be compared'),
  load('SubstringBudget', 'policy', 'final', 'the substrings of all policies on this hook exceed the automaton'),
  load('NodeSetBudget', 'policy', 'final', 'more different sets of binaries on this node than fit'),
  load('ScopeClassBudget', 'policy', 'final', 'more different scopes of pods on this node than fit'),
  load(
    'TooManyPolicies',
    'policy',
    'final',
    'the node has as many policies, or as large ones, as it may have, and this one comes after them',
  ),
  load('CelBudget', 'policy', 'final', 'more expressions on this hook than fit'),
  load('TrampolineLimit', 'policy', 'final', 'the kernel allows no further program on this function'),
  load('CostExceeded', 'policy', 'final', "the policy's hooks cost more than a namespaced policy may"),

  // loading: the kernel said no
  load('VerifierRejected', 'policy', 'final', "the kernel's verifier refused the program; the report carries the end of its log"),
  load('VerifierBudget', 'policy', 'final', "the program is too large for the kernel's verifier"),
  load('LoadError', 'policy', 'passing', 'the kernel refused a step for a reason that has no name here; stage and errno are in the report'),

  // the node's fault
  load('BTFUnavailable', 'node', 'passing', 'the kernel has no BTF type information'),
  load('KernelLockdown', 'node', 'passing', "the kernel's lockdown mode forbids what the policy needs"),
  load('PermissionDenied', 'node', 'passing', 'the loader lacks a capability, or a security module refused it'),
  load('MemoryLimit', 'node', 'passing', 'the kernel had no memory for programs or tables'),
  load('ResourceBusy', 'node', 'passing', 'another process holds the resource; it is tried again'),
  load('GenerationSpent', 'node', 'passing', 'the number of the generation was rolled back before; the next one is tried'),
  load('LoaderUnavailable', 'node', 'passing', 'the loader does not answer'),
  load('AbiMismatch', 'node', 'passing', 'agent, loader and programs of this node come from different builds'),
  load('PlanUnavailable', 'node', 'passing', 'the agent has not got the plan yet'),
  load('PlanFormatUnsupported', 'node', 'passing', "the agent is too old for this plan's format"),
  load('CacheUnwritable', 'node', 'passing', 'the agent cannot write its plan cache; the node would start empty after a reboot'),
  load('NodeSuspended', 'node', 'passing', 'someone stopped this policy on this node with "palisade node suspend"'),

  // conditions of a policy
  condition('Pending', 'policy', 'passing', 'the controller has not looked at this generation yet'),
  condition('Accepted', 'policy', 'passing', 'the policy is well formed'),
  condition('InvalidSpec', 'policy', 'final', 'the policy is not well formed'),
  condition('Compiled', 'policy', 'passing', 'the policy was compiled'),
  condition('CompileFailed', 'policy', 'final', 'the policy is well formed but cannot be compiled'),
  condition('GuardrailViolated', 'policy', 'final', 'the policy asks for more than its namespace may have'),
  condition('ForeignAgent', 'policy', 'final', 'agents of another product with the same policies run in this cluster'),
  condition('Distributed', 'policy', 'passing', 'every node that should run the policy has it'),
  condition('WaitingForNodes', 'policy', 'passing', 'some nodes have not answered yet'),
  condition('Loaded', 'policy', 'passing', 'every reachable healthy node runs this generation'),
  condition('PartiallyLoaded', 'policy', 'final', 'some nodes could not load the policy'),
  condition('LoadFailed', 'policy', 'final', 'no node could load the policy'),
  condition('Enforcing', 'policy', 'passing', 'every node that runs the policy can deny or kill as it says'),
  condition('EnforcementUnavailable', 'policy', 'final', 'some nodes run the policy but cannot deny'),
  condition('MonitorMode', 'policy', 'passing', 'the policy counts and reports what it would have done, and does nothing'),
  condition('ObserveOnly', 'policy', 'passing', 'the policy neither denies nor kills'),
  condition('NoMatchingNodes', 'policy', 'passing', 'no node fits the nodeSelector'),
  condition('NoAgents', 'node', 'passing', 'nodes fit, and none of them has an agent'),
  condition('AgentsOffline', 'node', 'passing', 'too many agents have been out of reach for too long'),
  condition('NodesUnhealthy', 'node', 'passing', 'too many nodes have a fault of their own'),
  condition('EventsLost', 'node', 'passing', 'too many events of this policy were lost'),
  condition('Healthy', 'policy', 'passing', 'nothing is degraded'),
  condition('StagedRollout', 'policy', 'passing', 'the first step of the rollout is healthy'),
  condition('RolloutHalted', 'policy', 'final', 'the rollout was stopped'),
  condition('RemovalHeld', 'policy', 'passing', 'so many policies vanished at once that the removal waits for confirmation'),
  condition('StatusUnavailable', 'policy', 'passing', "the policy's kind has no status; another product replaced its definition"),
  condition('Other', 'node', 'passing', 'further reasons, left out to keep the status small'),
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
