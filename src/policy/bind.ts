import { type AttachPoint, attachPointKey, attachPointOf, canStandIn, syscallPrefix } from './bind/attach-point.ts';
import {
  type BoundMethod,
  boundMethod,
  entryMethods,
  isFmodRetUsable,
  isLsmUsable,
  isScratchUnsafe,
  persistentFirst,
} from './bind/methods.ts';
import { effectOf } from './effect.ts';
import { type KernelCatalogue, type KernelFacts, hasFact, isPreemptible } from './kernel-facts.ts';
import { nearestName } from './nearest.ts';
import type { Plan, PlanHook, PolicyMode } from './plan.ts';
import type { LoadReason } from './reasons.ts';

export type BoundHook = {
  /** Position in the plan's hooks. */
  readonly hook: number;
  /** `spec.kprobes[0]`. */
  readonly path: string;
  /** The field that names the hook, for messages: `spec.kprobes[0].call`. */
  readonly field: string;
  /** Equal for hooks that share a program (`attachPointKey`). */
  readonly point: string;
  /** In order of preference; the loader uses the first that loads. Empty: the hook cannot be had, see `failure`. */
  readonly methods: readonly BoundMethod[];
  readonly failure: BindFailure | null;
};

export type BindFailure = {
  readonly reason: LoadReason;
  /** One sentence: what is missing on this kernel, and what would help. */
  readonly message: string;
};

/** Pure: which ways a kernel offers for every hook of a plan, or why it offers none. One entry per hook of the plan, in its order. */
export function bind(plan: Plan, kernel: KernelFacts, mode: PolicyMode): readonly BoundHook[] {
  return plan.hooks.map((hook, position) => {
    const point = attachPointOf(hook, kernel);
    const missing = kernel.facts['btf'] === false ? NO_BTF : findMissing(point, kernel);
    const found = missing ?? methodsOf(hook, point, plan, kernel, mode);
    const isFailure = 'reason' in found;
    return {
      hook: position,
      path: hook.path,
      field: `${hook.path}.${NAME_FIELDS[hook.kind]}`,
      point: attachPointKey(point),
      methods: isFailure ? [] : found,
      failure: isFailure ? found : null,
    };
  });
}

/** The first hook that cannot be had, or null: then the plan is expected to load. */
export function firstFailure(bound: readonly BoundHook[]): (BoundHook & { readonly failure: BindFailure }) | null {
  for (const hook of bound) {
    if (hook.failure !== null) {
      return { ...hook, failure: hook.failure };
    }
  }
  return null;
}

const NAME_FIELDS = { kprobe: 'call', lsm: 'hook', tracepoint: 'event' } as const;

const NO_BTF: BindFailure = { reason: 'BTFUnavailable', message: 'this kernel has no BTF (/sys/kernel/btf/vmlinux)' };

function denies(hook: PlanHook): boolean {
  return hook.selectors.some((selector) => effectOf(selector.actions).errno !== null);
}

/** Without a catalogue nothing is known to be missing; the loader will say. */
function findMissing(point: AttachPoint, kernel: KernelFacts): BindFailure | undefined {
  const catalogue = kernel.catalogue;
  if (catalogue === null) {
    return undefined;
  }
  if (point.kind === 'tracepoint') {
    return catalogue.tracepoints.has(point.name)
      ? undefined
      : { reason: 'TracepointMissing', message: missingText('tracepoint', point.name, catalogue.tracepoints) };
  }
  if (point.kind === 'security') {
    // A kernel without BPF LSM names no hooks at all; there the function has to do.
    const isThere = catalogue.lsmHooks.size > 0 ? catalogue.lsmHooks.has(point.lsmHook) : catalogue.functions.has(point.functionName);
    return isThere ? undefined : { reason: 'LsmHookNotFound', message: missingText('LSM hook', point.lsmHook, catalogue.lsmHooks) };
  }
  if (catalogue.functions.has(point.functionName)) {
    return undefined;
  }
  return {
    reason: 'FunctionNotFound',
    message:
      point.kind === 'syscall'
        ? missingText('system call', point.name, syscallsOf(catalogue, syscallPrefix(kernel.arch)))
        : missingText('function', point.functionName, catalogue.functions),
  };
}

/** `sys_execve` and the like, without the architecture's prefix: as people write them. */
function* syscallsOf(catalogue: KernelCatalogue, prefix: string): Iterable<string> {
  for (const name of catalogue.functions) {
    if (name.startsWith(`${prefix}sys_`)) {
      yield name.slice(prefix.length);
    }
  }
}

function missingText(what: string, name: string, candidates: Iterable<string>): string {
  const near = nearestName(name, candidates);
  return `this kernel has no ${what} "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
}

function methodsOf(
  hook: PlanHook,
  point: AttachPoint,
  plan: Plan,
  kernel: KernelFacts,
  mode: PolicyMode,
): readonly BoundMethod[] | BindFailure {
  if (point.kind === 'tracepoint') {
    return [boundMethod(kernel, 'tracepoint', point.name, 'none')];
  }
  const watching = watchMethods(hook, point, kernel);
  if (!denies(hook)) {
    return watching.length > 0 ? watching : whyNoWatch(hook, point, kernel);
  }
  const denying = denyMethods(hook, point, kernel);
  const standIns = plan.options.substitute === 'kill' ? killInstead(point, kernel) : [];
  // A monitor denies nothing, so any way to watch is good enough where none to deny is there.
  const methods = [...denying, ...standIns, ...(mode === 'monitor' ? watching : [])];
  const distinct = methods.filter((entry, at) => methods.findIndex((other) => other.method === entry.method) === at);
  return distinct.length > 0 ? distinct : whyNoDeny(point, kernel);
}

function watchMethods(hook: PlanHook, point: AttachPoint, kernel: KernelFacts): readonly BoundMethod[] {
  if (point.kind === 'tracepoint') {
    return [];
  }
  const entry = entryMethods(kernel, point.functionName, 'none');
  if (point.kind === 'security') {
    const lsm = isLsmUsable(kernel) ? [boundMethod(kernel, 'lsm', point.lsmHook, 'none')] : [];
    const viaFunction = canUseFunction(hook, point, kernel) ? persistentFirst(entry) : [];
    return [...lsm, ...viaFunction];
  }
  if (point.kind === 'syscall') {
    const raw = kernel.facts['raw_tracepoint'] === false ? [] : [boundMethod(kernel, 'raw_tp_sys_enter', point.functionName, 'none')];
    return persistentFirst([...entry, ...raw]);
  }
  return persistentFirst(entry);
}

function denyMethods(hook: PlanHook, point: AttachPoint, kernel: KernelFacts): readonly BoundMethod[] {
  if (point.kind === 'security') {
    const lsm = isLsmUsable(kernel) ? [boundMethod(kernel, 'lsm', point.lsmHook, 'lsm')] : [];
    const usesFunction = isFmodRetUsable(kernel) && canUseFunction(hook, point, kernel);
    const fmodRet = usesFunction ? [boundMethod(kernel, 'fmod_ret', point.functionName, 'fmod_ret')] : [];
    // Old kernels hand out paths to fmod_ret programs, and not to LSM programs.
    const needsPath = hook.args.some((arg) => arg.type === 'file' || arg.type === 'path');
    const fmodFirst = needsPath && !hasFact(kernel, 'd_path_lsm') && hasFact(kernel, 'd_path_fmod');
    return fmodFirst ? [...fmodRet, ...lsm] : [...lsm, ...fmodRet];
  }
  if (point.kind === 'syscall') {
    return [
      ...(hasFact(kernel, 'override_return') ? [boundMethod(kernel, 'kprobe', point.functionName, 'override_return')] : []),
      ...(isFmodRetUsable(kernel) ? [boundMethod(kernel, 'fmod_ret', point.functionName, 'fmod_ret')] : []),
    ];
  }
  return point.kind === 'function' && isFmodRetUsable(kernel) ? [boundMethod(kernel, 'fmod_ret', point.functionName, 'fmod_ret')] : [];
}

function killInstead(point: AttachPoint, kernel: KernelFacts): readonly BoundMethod[] {
  if (point.kind === 'tracepoint') {
    return [];
  }
  return persistentFirst(entryMethods(kernel, point.functionName, 'kill'));
}

function canUseFunction(hook: PlanHook, point: AttachPoint & { kind: 'security' }, kernel: KernelFacts): boolean {
  return canStandIn(hook, point.lsmHook) && kernel.catalogue?.functions.has(point.functionName) !== false;
}

/** In the words of the policy: a kprobe asked for a function, an LSM hook for a hook. */
function whyNoWatch(hook: PlanHook, point: AttachPoint, kernel: KernelFacts): BindFailure {
  const functions = kernel.catalogue?.functions;
  if (point.kind === 'security' && functions?.has(point.functionName) === false) {
    if (hook.kind === 'kprobe') return { reason: 'FunctionNotFound', message: missingText('function', point.functionName, functions) };
    if (!kernel.lsm.includes('bpf') || !hasFact(kernel, 'bpf_lsm')) {
      const message = `watching this hook needs BPF LSM, which is not active, or a function ${point.functionName}, which this kernel does not have`;
      return { reason: 'LSMNotEnabled', message };
    }
  }
  return { reason: 'FunctionNotTraceable', message: 'this kernel allows no probe on it' };
}

function whyNoDeny(point: AttachPoint, kernel: KernelFacts): BindFailure {
  const remedy = 'the option palisade.dev/substitute: kill would let a kill stand in';
  if (point.kind === 'syscall') {
    const reason =
      isPreemptible(kernel) && hasFact(kernel, 'fmod_ret')
        ? 'fmod_ret may be skipped on this preemptible kernel'
        : 'fmod_ret is not possible either';
    return {
      reason: 'OverrideHelperMissing',
      message: `denying a system call needs bpf_override_return, which this kernel lacks; ${reason}; ${remedy}`,
    };
  }
  if (isScratchUnsafe(kernel)) {
    return {
      reason: 'ScratchUnsafe',
      message: `this kernel is preemptible and has no atomic operations for programs, so that denying would be unreliable; ${remedy}`,
    };
  }
  if (!hasFact(kernel, 'bpf_lsm') || !kernel.lsm.includes('bpf')) {
    const active = kernel.lsm.length === 0 ? 'none' : kernel.lsm.join(',');
    return {
      reason: 'LSMNotEnabled',
      message: `denying needs BPF LSM, and "bpf" is not among the active security modules (${active}); boot with lsm=${[...kernel.lsm, 'bpf'].join(',')}; ${remedy}`,
    };
  }
  return { reason: 'FmodRetPreemptible', message: `fmod_ret may be skipped on this preemptible kernel, and a skip allows; ${remedy}` };
}
