import { attachPointOf } from '../policy/bind/attach-point.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import type { PlanHook } from '../policy/plan.ts';

/** What a kernel calls the argument of a hook, or the field of a tracepoint; undefined where it says nothing of it. */
export function argumentNameIn(kernel: KernelFacts, hook: PlanHook, index: number): string | undefined {
  const { catalogue } = kernel;
  if (catalogue === null || hook.generated !== undefined) return undefined;
  const point = attachPointOf(hook, kernel);
  if (point.kind === 'syscall') return catalogue.formatOf?.(syscallTracepoint(point.name))?.[FIELDS_BEFORE_ARGUMENTS + index]?.name;
  if (point.kind === 'tracepoint') return catalogue.formatOf?.(point.name)?.[index]?.name;
  if (!('functionName' in point)) return undefined;
  return catalogue.types?.kernel.prototypeOf(point.functionName)?.parameters[index]?.name;
}

/** The function of a system call takes saved registers; the tracepoint at its entry names its arguments. */
export function syscallTracepoint(target: string): string {
  return `syscalls/sys_enter_${target.replace(/^sys_/, '')}`;
}

/** Type, flags, preempt_count, pid, and the number of the system call. */
export const FIELDS_BEFORE_ARGUMENTS = 5;
