/**
 * The second chance of execve and execveat. At the entry of these system calls the path may lie in a page of the caller's image that
 * is not faulted in yet; what the entry hook could not read is decided in a late hook, from `bprm->filename`.
 */
import { isLsmUsable } from '../policy/bind/methods.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import type { PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import { latePathIndex } from './slot.ts';

/** The late hook's key is its own: it must not be fused with a policy's hook on the same LSM hook, which runs for every exec. */
export const LATE_HOOK_KEY = 'late:bprm_creds_for_exec';

export type LateHook = { readonly method: string; readonly convention: Convention };

/** Whether a hook has a path that may be unreadable at entry. */
export function wantsLateHook(hook: PlanHook): boolean {
  const index = latePathIndex(hook);
  return index !== null && hook.args.some((arg) => arg.index === index && arg.type === 'string');
}

/**
 * The late hook that decides for a hook: the selectors that look at nothing else of the call. The others stay at entry alone; there an
 * unreadable path is an unknown value for them.
 */
export function lateHookOf(hook: PlanHook): PlanHook | null {
  const index = latePathIndex(hook);
  const readable = (filterArg: number): boolean => hook.args[filterArg]?.index === index;
  const decidable = hook.selectors.every((selector) => selector.filters.every((filter) => (filter.on === 'int' || filter.on === 'bytes' ? readable(filter.arg) : true)));
  return wantsLateHook(hook) && decidable ? hook : null;
}

/** Where the late hook sits on this kernel; null: nowhere, then an unreadable path stays unknown. */
export function chooseLateHook(kernel: KernelFacts, isUnusable: (method: string) => boolean): LateHook | null {
  const lsm = 'lsm:bprm_creds_for_exec';
  if (isLsmUsable(kernel) && kernel.catalogue?.lsmHooks.has('bprm_creds_for_exec') !== false && !isUnusable(lsm)) {
    return { method: lsm, convention: 'context' };
  }
  const raw = 'raw_tp:sched_process_exec';
  return kernel.facts['raw_tracepoint'] === false || isUnusable(raw) ? null : { method: raw, convention: 'context' };
}
