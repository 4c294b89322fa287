/** The ways in which a kernel can deny at a point, and why there is none. */
import { type KernelFacts, hasFact, isPreemptible } from '../kernel-facts.ts';
import type { PlanHook } from '../plan.ts';
import type { LoadReason } from '../reasons.ts';
import { type AttachPoint, canStandIn } from './attach-point.ts';
import { type BoundMethod, boundMethod, isFmodRetUsable, isLsmUsable, isScratchUnsafe, type MethodChoice } from './methods.ts';
import { isTellingHook } from './security-hooks.ts';

/** `target`: the name that methods bear, other than the function's for a hook that stands for many. */
export type DenyQuestion = {
  readonly hook: PlanHook;
  readonly point: AttachPoint;
  /** Functions to deny in: one, or all that the hook stands for. */
  readonly functions: readonly string[];
  readonly target: string;
  readonly kernel: KernelFacts;
  readonly choice: MethodChoice;
};

export function denyMethods(question: DenyQuestion): readonly BoundMethod[] {
  const wanted = question.hook.kind === 'lsm' ? undefined : question.choice.overrideMethod;
  return allDenyMethods(question).filter((method) => wanted === undefined || method.deny === wanted);
}

function allDenyMethods(question: DenyQuestion): readonly BoundMethod[] {
  const { hook, point, functions, target, kernel } = question;
  const byHelper = hasFact(kernel, 'override_return') && areInjectable(functions, kernel);
  const override = byHelper ? [boundMethod(kernel, 'kprobe', target, 'override_return')] : [];
  switch (point.kind) {
    case 'security': {
      if (isTellingHook(point.lsmHook)) return [];
      const lsm = isLsmUsable(kernel) ? [boundMethod(kernel, 'lsm', point.lsmHook, 'lsm')] : [];
      const usesFunction = isFmodRetUsable(kernel) && canUseFunction(hook, point, kernel);
      const fmodRet = usesFunction ? [boundMethod(kernel, 'fmod_ret', point.functionName, 'fmod_ret')] : [];
      // Old kernels hand out paths to fmod_ret programs, and not to LSM programs.
      const needsPath = hook.args.some((arg) => arg.type === 'file' || arg.type === 'path');
      const fmodFirst = needsPath && !hasFact(kernel, 'd_path_lsm') && hasFact(kernel, 'd_path_fmod');
      return fmodFirst ? [...fmodRet, ...lsm] : [...lsm, ...fmodRet];
    }
    case 'syscall': {
      // Kernels since 7.0 let every system call fail, whether errors may be injected elsewhere or not: only trying tells.
      const byFmodRet = isFmodRetUsable(kernel) && kernel.facts['fmod_ret_syscall'] !== false;
      return [...override, ...(byFmodRet ? [boundMethod(kernel, 'fmod_ret', target, 'fmod_ret')] : [])];
    }
    case 'function': {
      const byFmodRet = isFmodRetUsable(kernel) && areInjectable(functions, kernel);
      return [...override, ...(byFmodRet ? [boundMethod(kernel, 'fmod_ret', target, 'fmod_ret')] : [])];
    }
    case 'user':
      return hasFact(kernel, 'uprobe_write') ? userMethods(question) : [];
    case 'tracepoint':
    case 'raw_tracepoint':
      return [];
  }
}

function userMethods({ kernel, target, choice }: DenyQuestion): readonly BoundMethod[] {
  const many = hasFact(kernel, 'uprobe_multi') && choice.singleUprobes !== true;
  return [
    ...(many ? [boundMethod(kernel, 'uprobe_multi', target, 'registers')] : []),
    ...(hasFact(kernel, 'uprobe') ? [boundMethod(kernel, 'uprobe', target, 'registers')] : []),
  ];
}

/** The kernel lets these functions fail. The hooks of security modules it always does. */
function areInjectable(functions: readonly string[], kernel: KernelFacts): boolean {
  const injectable = kernel.catalogue?.errorInjectable;
  return injectable === undefined || functions.every((name) => injectable.has(name) || name.startsWith('security_'));
}

export function canUseFunction(hook: PlanHook, point: AttachPoint & { kind: 'security' }, kernel: KernelFacts): boolean {
  return canStandIn(hook, point.lsmHook) && kernel.catalogue?.functions.has(point.functionName) !== false;
}

/** What helps wherever nothing denies. */
export const REMEDY = 'the option palisade.dev/substitute: kill would let a kill stand in';

/** Why there is no way to deny at all. */
export function whyNoDeny(question: DenyQuestion): { readonly reason: LoadReason; readonly message: string } {
  const { point, kernel, choice } = question;
  if (point.kind === 'user') {
    return { reason: 'UprobeRegsReadOnly', message: 'this kernel does not let user probes change registers (Linux 6.18 does)' };
  }
  const other = allDenyMethods(question)[0];
  if (other !== undefined && choice.overrideMethod !== undefined) {
    return whyNotThisWay(choice.overrideMethod, other, kernel);
  }
  if (point.kind === 'security' && isTellingHook(point.lsmHook)) {
    const message = `the kernel ignores what ${point.lsmHook} returns, so that nothing can be denied there; ${remedyOn(question.hook, point, kernel)}`;
    return { reason: 'NotErrorInjectable', message };
  }
  if (point.kind === 'security') return whyNoSecurityDeny(kernel, remedyOn(question.hook, point, kernel));
  return whyNoOverride(question);
}

function whyNotThisWay(wanted: string, other: BoundMethod, kernel: KernelFacts): { reason: LoadReason; message: string } {
  const message = `the option override-method asks for ${wanted === 'fmod_ret' ? 'fmod-ret' : 'override-return'}, which this kernel cannot do here; without it ${other.method} would deny`;
  if (wanted === 'override_return')
    return { reason: hasFact(kernel, 'override_return') ? 'NotErrorInjectable' : 'OverrideHelperMissing', message };
  return { reason: isPreemptible(kernel) ? 'FmodRetPreemptible' : 'NotErrorInjectable', message };
}

function whyNoOverride({ functions, kernel, point }: DenyQuestion): { reason: LoadReason; message: string } {
  const what = point.kind === 'syscall' ? 'a system call' : 'a function';
  if (hasFact(kernel, 'override_return')) {
    const injectable = kernel.catalogue?.errorInjectable;
    const first = functions.find((name) => injectable?.has(name) === false) ?? functions[0] ?? '';
    return {
      reason: 'NotErrorInjectable',
      message: `this kernel does not let ${first} fail (/sys/kernel/debug/error_injection/list); ${REMEDY}`,
    };
  }
  const preempts = isPreemptible(kernel) && hasFact(kernel, 'fmod_ret');
  const fmodRet = preempts
    ? 'fmod_ret may be skipped on this preemptible kernel'
    : 'fmod_ret is not allowed there (CONFIG_FUNCTION_ERROR_INJECTION)';
  const message = `nothing denies ${what} on this kernel: ${fmodRet}, and bpf_override_return is missing (CONFIG_BPF_KPROBE_OVERRIDE); ${REMEDY}`;
  return { reason: 'OverrideHelperMissing', message };
}

function remedyOn(hook: PlanHook, point: AttachPoint & { kind: 'security' }, kernel: KernelFacts): string {
  if (canUseFunction(hook, point, kernel)) return REMEDY;
  const isOther = !canStandIn(hook, point.lsmHook);
  return `no kill can stand in: ${isOther ? `${point.functionName} has other arguments than the hook` : `this kernel has no function ${point.functionName}`}`;
}

function whyNoSecurityDeny(kernel: KernelFacts, remedy: string): { reason: LoadReason; message: string } {
  if (isScratchUnsafe(kernel)) {
    const message = `this kernel is preemptible and has no atomic operations for programs, so that denying would be unreliable; ${remedy}`;
    return { reason: 'ScratchUnsafe', message };
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
