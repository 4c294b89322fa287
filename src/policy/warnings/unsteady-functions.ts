import type { PlanHook } from '../plan.ts';
import type { ProblemSink } from '../problem.ts';
import type { Subject } from './subject.ts';
import { nameOf } from './narrowing.ts';

/** Functions that the kernel offers to modules and that have had the same parameters for years: the test asks all recorded kernels. */
export const STEADY_FUNCTIONS: ReadonlySet<string> = new Set([
  'call_usermodehelper',
  'call_usermodehelper_exec',
  'capable',
  'commit_creds',
  'dentry_open',
  'fd_install',
  'filp_close',
  'inet_listen',
  'iterate_dir',
  'kernel_read',
  'ns_capable',
  'prepare_creds',
  'register_kprobe',
  'sk_alloc',
  'sk_free',
  'tcp_close',
  'tcp_connect',
  'tcp_sendmsg',
  'tcp_set_state',
  'udp_sendmsg',
  'vfs_fallocate',
  'vfs_fsync',
  'vfs_getattr',
  'vfs_truncate',
]);

/** What tells about the same and is kept from one kernel to the next. */
const STEADIER: ReadonlyMap<string, string> = new Map([
  ['do_sys_open', 'the lsmhook file_open'],
  ['do_sys_openat2', 'the lsmhook file_open'],
  ['do_filp_open', 'the lsmhook file_open'],
  ['vfs_open', 'the lsmhook file_open'],
  ['path_openat', 'the lsmhook file_open'],
  ['vfs_read', 'the lsmhook file_permission'],
  ['vfs_write', 'the lsmhook file_permission'],
  ['vfs_unlink', 'the lsmhook path_unlink'],
  ['vfs_rename', 'the lsmhook path_rename'],
  ['do_unlinkat', 'the lsmhook path_unlink'],
  ['do_execveat_common', 'the lsmhook bprm_check_security or the tracepoint sched/sched_process_exec'],
  ['bprm_execve', 'the lsmhook bprm_check_security or the tracepoint sched/sched_process_exec'],
  ['begin_new_exec', 'the lsmhook bprm_check_security or the tracepoint sched/sched_process_exec'],
  ['do_exit', 'the tracepoint sched/sched_process_exit'],
  ['kernel_clone', 'the tracepoint sched/sched_process_fork'],
  ['create_user_ns', 'the lsmhook userns_create (since 6.1)'],
  ['do_init_module', 'the tracepoint module/module_load'],
  ['free_module', 'the tracepoint module/module_free'],
  ['bpf_check', 'the lsmhook bpf'],
  ['do_mount', 'the lsmhook sb_mount'],
  ['path_mount', 'the lsmhook sb_mount'],
  ['inet_csk_accept', 'the tracepoint sock/inet_sock_set_state'],
  ['tcp_v4_connect', 'the lsmhook socket_connect'],
  ['tcp_v6_connect', 'the lsmhook socket_connect'],
  ['__sys_connect', 'the lsmhook socket_connect'],
  ['__sys_setuid', 'call: sys_setuid with "syscall: true", or the lsmhook task_fix_setuid'],
  ['__sys_setresuid', 'call: sys_setresuid with "syscall: true", or the lsmhook task_fix_setuid'],
  ['__sys_setgid', 'call: sys_setgid with "syscall: true", or the lsmhook task_fix_setgid'],
  ['kfree_skb', 'the tracepoint skb/kfree_skb'],
  ['kfree_skb_reason', 'the tracepoint skb/kfree_skb'],
]);

/**
 * Functions inside the kernel that nothing keeps as they are: the next version renames them, inlines them or orders their arguments anew.
 * Who says what shall happen then (`ignore.callNotFound`) has thought of it. What is missing on the kernels at hand is for `bind` to say.
 */
export function warnOfUnsteadyFunctions(sink: ProblemSink, { plan }: Subject): void {
  const seen = new Set<string>();
  for (const hook of plan.hooks) {
    if (!isUnsteady(hook) || seen.has(hook.path)) {
      continue;
    }
    seen.add(hook.path);
    const steadier = steadierThan(hook.target);
    const hint =
      steadier === undefined
        ? 'prefer an lsmhook, a tracepoint or a system call; check with palisade lint --kernels all'
        : `use ${steadier}; or check with palisade lint --kernels all`;
    const message = `${nameOf(hook)} is a function inside the kernel: other versions rename or inline it, or change its arguments`;
    sink.warn('UnsteadyFunction', `${hook.path}.call`, message, hint);
  }
}

const SYSCALL_ENTRY = /^__(?:x64|ia32|arm64|arm32)_(?:compat_)?(sys_\w+)$/;

function steadierThan(name: string): string | undefined {
  const syscall = SYSCALL_ENTRY.exec(name)?.[1];
  return syscall === undefined ? STEADIER.get(name) : `"call: ${syscall}" with "syscall: true"`;
}

function isUnsteady(hook: PlanHook): boolean {
  if (hook.kind !== 'kprobe' && hook.kind !== 'fentry') {
    return false;
  }
  const isKept = hook.syscall || hook.target.startsWith('security_') || STEADY_FUNCTIONS.has(hook.target);
  return !isKept && hook.generated === undefined && hook.ignoreMissing === undefined;
}
