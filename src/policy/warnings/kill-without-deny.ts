import { effectOf, isDenying } from '../effect.ts';
import type { PlanHook } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { bareName, nameOf, placesOf, wordSet } from './narrowing.ts';

/**
 * Calls of which nothing is left when the process dies before it comes back from them: what they change is the process itself, and a
 * program that is executed runs no instruction.
 */
const DIE_WITH_THE_PROCESS: ReadonlySet<string> = wordSet(
  'execve execveat setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups capset unshare setns ' +
    'chdir fchdir chroot personality seccomp prctl mmap mprotect memfd_create socket dup dup2 dup3 userfaultfd ' +
    'bprm_check_security bprm_check bprm_creds_for_exec bprm_creds_from_file bprm_committing_creds bprm_committed_creds ' +
    'task_fix_setuid task_fix_setgid task_fix_setgroups mmap_file mmap_addr file_mprotect socket_create create_user_ns ' +
    'commit_creds sched_process_exec',
);

/** Sigkill takes effect when the call returns to the program: by then the file is unlinked, truncated, the packet sent. */
export function warnOfKillsWithoutDeny(sink: ProblemSink, { plan }: Subject): void {
  for (const { hook, selector } of placesOf(plan.hooks)) {
    const effect = effectOf(selector.actions);
    if (!effect.kill || isDenying(effect) || hook.user !== undefined || DIE_WITH_THE_PROCESS.has(bareName(hook))) {
      continue;
    }
    const hint = canDeny(hook)
      ? 'deny it as well: add "action: Override, argError: -1" before Sigkill'
      : 'to prevent it, deny in an lsmhook or in the system call with the action Override';
    sink.warn('KillWithoutDeny', selector.path, `kills, but does not deny: the call of ${nameOf(hook)} still completes`, hint);
  }
}

function canDeny(hook: PlanHook): boolean {
  return hook.kind === 'lsm' || (hook.kind === 'kprobe' && (hook.syscall || hook.target.startsWith('security_')));
}
