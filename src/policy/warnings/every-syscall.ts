import type { PlanHook } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { nameOf } from './narrowing.ts';

const EVENTS: ReadonlySet<string> = new Set(['raw_syscalls/sys_enter', 'raw_syscalls/sys_exit']);
const FUNCTIONS: ReadonlySet<string> = new Set(['do_syscall_64', 'do_syscall_x64', 'syscall_trace_enter', 'invoke_syscall', 'el0_svc']);

/** A hook that runs at every system call of every process of the node, whatever its filters let through. */
export function warnOfEverySyscall(sink: ProblemSink, { plan }: Subject): void {
  for (const hook of plan.hooks) {
    if (isOnEverySyscall(hook)) {
      const message = `${nameOf(hook)} runs at every system call of the node, also for those that no filter lets through`;
      sink.warn('EverySyscall', hook.path, message, 'watch the system calls that matter: kprobes with "call: sys_…", or list:NAME');
    }
  }
}

export function isOnEverySyscall(hook: PlanHook): boolean {
  if (hook.kind === 'tracepoint' || hook.kind === 'raw_tracepoint') {
    return EVENTS.has(hook.target);
  }
  return hook.generated?.from === 'syscalls' || ((hook.kind === 'kprobe' || hook.kind === 'fentry') && FUNCTIONS.has(hook.target));
}
