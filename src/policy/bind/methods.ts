import { type AttachMethod, type FactName, type KernelFacts, hasFact, isPreemptible } from '../kernel-facts.ts';
import type { PlanOptions } from '../plan.ts';
import type { LoadReason } from '../reasons.ts';

/** One way to attach a hook. */
export type BoundMethod = {
  readonly method: AttachMethod;
  /**
   * What is attached to: `file_open` for lsm, a function, `sched/sched_process_exec`, the event alone for raw tracepoints, the system
   * call's function for raw_tp_sys_enter, the file for user probes, the list's name for a hook that stands for many functions.
   */
  readonly target: string;
  /** What happens where the policy denies. `kill` stands in for it; `registers`: a user probe returns at once. */
  readonly deny: 'lsm' | 'fmod_ret' | 'override_return' | 'registers' | 'kill' | 'none';
  /** The link survives the loader. */
  readonly persistent: boolean;
  /** What is less than wished: DegradedKillOnly, ReturnLossy, NotPersistent. */
  readonly notes: readonly LoadReason[];
};

/** Links that are perf events are pinned like those of kprobes, and links for many user probes like those of kprobe.multi. */
const PIN_FACTS: Readonly<Record<AttachMethod, FactName>> = {
  lsm: 'pin_lsm',
  fmod_ret: 'pin_fmod_ret',
  fentry: 'pin_fmod_ret',
  fexit: 'pin_fmod_ret',
  kprobe: 'pin_kprobe',
  kretprobe: 'pin_kprobe',
  kprobe_multi: 'pin_kprobe_multi',
  kretprobe_multi: 'pin_kprobe_multi',
  kprobe_session: 'pin_kprobe_multi',
  raw_tp_sys_enter: 'pin_raw_tracepoint',
  raw_tracepoint: 'pin_raw_tracepoint',
  tp_btf: 'pin_fmod_ret',
  tracepoint: 'pin_tracepoint',
  uprobe: 'pin_kprobe',
  uretprobe: 'pin_kprobe',
  uprobe_multi: 'pin_kprobe_multi',
  uretprobe_multi: 'pin_kprobe_multi',
};

export function boundMethod(kernel: KernelFacts, method: AttachMethod, target: string, deny: BoundMethod['deny']): BoundMethod {
  const persistent = hasFact(kernel, PIN_FACTS[method]);
  const notes: LoadReason[] = [];
  if (deny === 'kill') {
    notes.push('DegradedKillOnly');
  }
  if (method === 'kretprobe') {
    notes.push('ReturnLossy');
  }
  if (!persistent) {
    notes.push('NotPersistent');
  }
  return { method, target, deny, persistent, notes };
}

/** Links that outlive the loader first; among equals the given order stays. */
export function persistentFirst(methods: readonly BoundMethod[]): readonly BoundMethod[] {
  return [...methods.filter((entry) => entry.persistent), ...methods.filter((entry) => !entry.persistent)];
}

/** LSM programs run: the kernel has them, `bpf` is active, and scratch memory is safe in them. */
export function isLsmUsable(kernel: KernelFacts): boolean {
  return hasFact(kernel, 'bpf_lsm') && kernel.lsm.includes('bpf') && !isScratchUnsafe(kernel);
}

export function isScratchUnsafe(kernel: KernelFacts): boolean {
  return isPreemptible(kernel) && !hasFact(kernel, 'cas');
}

/** A skipped fmod_ret allows, so it denies only where nothing can preempt it. */
export function isFmodRetUsable(kernel: KernelFacts): boolean {
  return hasFact(kernel, 'fmod_ret') && !isPreemptible(kernel);
}

/** The options of a policy that leave ways out. */
export type MethodChoice = Pick<PlanOptions, 'overrideMethod' | 'singleKprobes' | 'singleUprobes'>;

/**
 * Entry of a function, to watch or to kill: kprobes run with preemption off and are never skipped (fentry may be, so it is used only by
 * policies that ask for it).
 */
export function entryMethods(
  kernel: KernelFacts,
  functionName: string,
  deny: 'kill' | 'none',
  choice: MethodChoice,
): readonly BoundMethod[] {
  const methods: BoundMethod[] = [];
  if (hasFact(kernel, 'kprobe_multi') && choice.singleKprobes !== true) {
    methods.push(boundMethod(kernel, 'kprobe_multi', functionName, deny));
  }
  // A kprobe is tried even by a node that says nothing about it: it is the last resort everywhere.
  if (kernel.facts['kprobe'] !== false) {
    methods.push(boundMethod(kernel, 'kprobe', functionName, deny));
  }
  return methods;
}

/** Return of a function. */
export function functionReturnMethods(kernel: KernelFacts, functionName: string, choice: MethodChoice): readonly BoundMethod[] {
  const bound = (method: AttachMethod): BoundMethod => boundMethod(kernel, method, functionName, 'none');
  const many = choice.singleKprobes !== true;
  return [
    ...(many && hasFact(kernel, 'kprobe_session') ? [bound('kprobe_session')] : []),
    ...(many && hasFact(kernel, 'kprobe_multi') ? [bound('kretprobe_multi')] : []),
    ...(kernel.facts['kprobe'] === false ? [] : [bound('kretprobe')]),
    ...(hasFact(kernel, 'fentry') ? [bound('fexit')] : []),
  ];
}
