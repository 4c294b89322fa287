import type { PlanHook, PlanSelector } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import { OPENING } from './common-files.ts';
import { bareName, enforces, isExcepted, isMonitor, nameOf, placesOf, wordSet } from './narrowing.ts';
import type { Subject } from './subject.ts';

/** What every program passes before it does anything of its own, by the bare names of its hooks. */
const AT_EVERY_START: ReadonlySet<string> = wordSet(
  'execve bprm_check_security bprm_check bprm_creds_for_exec bprm_creds_from_file bprm_committing_creds bprm_committed_creds ' +
    'begin_new_exec sched_process_exec mmap mmap_file file_mprotect mprotect brk read close fstat newfstatat inode_permission ' +
    'inode_getattr sched_switch sched_process_fork task_alloc cred_prepare wake_up_new_task',
);

/** A selector that denies or kills and says neither which programs nor which calls, where each program passes: nothing runs any more. */
export function warnOfEveryProgram(sink: ProblemSink, { policy, plan }: Subject): void {
  for (const place of placesOf(plan.hooks)) {
    const { hook, selector } = place;
    if (isMonitor(policy) || !isAtEveryStart(hook) || !enforces(place) || !isForAll(selector)) {
      continue;
    }
    if (isExcepted(place, () => true)) {
      continue;
    }
    const message = `no filter says which programs: each passes ${nameOf(hook)} when it starts, so none would run any more`;
    sink.warn('EveryProgram', selector.path, message, 'name what is meant by matchArgs or matchBinaries');
  }
}

/** `CommonFile` tells of hooks that files pass. */
function isAtEveryStart(hook: PlanHook): boolean {
  return hook.user === undefined && AT_EVERY_START.has(bareName(hook)) && !OPENING.has(hook.target);
}

/** Kubernetes and Linux namespaces say where, not which program. */
function isForAll({ filters }: PlanSelector): boolean {
  return filters.every(({ on }) => on === 'podNamespace' || on === 'namespace');
}
