import type { PlanArgType, PlanFilter, PlanHook } from '../plan.ts';
import { type ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { enforces, nameOf, placesOf } from './narrowing.ts';
import { lsmHookOfSyscall } from './lsm-hooks.ts';

/** Types of arguments of system calls that lie in memory of the process. What `fd` names is the kernel's. */
const IN_USER_MEMORY: ReadonlySet<PlanArgType> = new Set([
  'string',
  'filename',
  'char_buf',
  'char_iovec',
  'iov_iter',
  'sockaddr',
  'sockaddr_un',
]);

/**
 * Time of check, time of use: a probe at the entry of a system call reads the path or address from the memory of the process, and the kernel
 * copies it later. Another thread can change it in between, so a program that means to gets past the filter.
 */
export function warnOfChangingArguments(sink: ProblemSink, { plan }: Subject): void {
  for (const place of placesOf(plan.hooks)) {
    const { hook, selector } = place;
    const syscall = syscallOf(hook);
    if (syscall === undefined || !enforces(place) || !selector.filters.some((filter) => readsUserMemory(hook, filter))) {
      continue;
    }
    const better = lsmHookOfSyscall(syscall);
    const hint =
      better === undefined
        ? 'enforce in an lsmhook or a security_* function, on what the kernel itself uses'
        : `enforce in the lsmhook ${better.hook}, args: [{index: ${better.index}, type: ${better.type}}]`;
    const message = `enforces by memory of the process, which it can change before the kernel of ${nameOf(hook)} reads it`;
    sink.warn('ArgumentCanChange', selector.path, message, hint);
  }
}

/** `sys_openat` for a hook at the entry of that system call, whichever kind of hook it is. */
function syscallOf(hook: PlanHook): string | undefined {
  if (hook.kind === 'kprobe' && hook.syscall) {
    return hook.target.replace(/^.*\//, '');
  }
  const event = hook.kind === 'tracepoint' ? /^syscalls\/sys_enter_(\w+)$/.exec(hook.target)?.[1] : undefined;
  return event === undefined ? undefined : `sys_${event}`;
}

function readsUserMemory(hook: PlanHook, filter: PlanFilter): boolean {
  if (!('arg' in filter)) {
    return false;
  }
  const arg = hook.args[filter.arg];
  if (arg === undefined || arg.from !== undefined) {
    return false;
  }
  // A tracepoint's field that is a text is one that the caller passed.
  return IN_USER_MEMORY.has(arg.type) || (arg.type === 'auto' && (filter.on === 'bytes' || filter.on === 'substring'));
}
