/**
 * The second chance of execve and execveat. At the entry of these system calls the path may lie in a page of the caller's image that
 * is not faulted in yet; what the entry hook could not read is decided in a late hook, from `bprm->filename`.
 */
import { isFmodRetUsable, isLsmUsable } from '../policy/bind/methods.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import type { PlanHook } from '../policy/plan.ts';
import type { Convention } from './attach-target.ts';
import { latePathIndex } from './slot.ts';

export type LateHook = { readonly method: string; readonly convention: Convention };

/**
 * Whether a late hook can decide for a hook: it has a path that may be unreadable at entry, and its selectors look at nothing else of
 * the call. For others an unreadable path stays an unknown value. An entry hook has late members only or none: the engine puts off the
 * whole call.
 */
export function hasLateHook(hook: PlanHook): boolean {
  const index = latePathIndex(hook);
  if (index === null) return false;
  const isPath = (arg: number): boolean => hook.args[arg]?.index === index && hook.args[arg]?.type === 'string';
  const filters = hook.selectors.flatMap((selector) => selector.filters);
  return (
    hook.returns === undefined &&
    hook.args.some((_, arg) => isPath(arg)) &&
    filters.every((filter) => ('arg' in filter ? isPath(filter.arg) : filter.on !== 'gained' && filter.on !== 'cel'))
  );
}

/**
 * Where the late hook sits on this kernel; null: nowhere, then an unreadable path stays unknown. In the first two places the process is
 * still what it was and the call can be denied; at sched_process_exec it has its new executable already, and can be killed only.
 */
export function chooseLateHook(kernel: KernelFacts, isUnusable: (method: string) => boolean): LateHook | null {
  const { catalogue, facts } = kernel;
  const places: readonly (readonly [method: string, isThere: boolean])[] = [
    ['lsm:bprm_creds_for_exec', isLsmUsable(kernel) && catalogue?.lsmHooks.has('bprm_creds_for_exec') !== false],
    [`fmod_ret:${FUNCTION}`, isFmodRetUsable(kernel) && catalogue?.functions.has(FUNCTION) !== false],
    ['raw_tp:sched_process_exec', facts['raw_tracepoint'] !== false],
  ];
  const place = places.find(([method, isThere]) => isThere && !isUnusable(method));
  return place === undefined ? null : { method: place[0], convention: 'context' };
}

const FUNCTION = 'security_bprm_creds_for_exec';
