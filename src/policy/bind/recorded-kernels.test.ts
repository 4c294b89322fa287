import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import type { Plan, PlanHook, PolicyMode } from '../plan.ts';
import { RECORDED, type RecordedKernel, readRecorded } from '../testing/recorded-kernels.ts';
import type { BoundHook } from './bound-hook.ts';
import { arg, DENY, doing, filtering, hookOn, KILL, planOf } from './testing/plans.ts';

function bound(
  hook: PlanHook,
  name: RecordedKernel = '6.12',
  options: Partial<Plan['options']> = {},
  mode: PolicyMode = 'enforce',
): BoundHook {
  const [first] = bind(planOf(hook, {}, options), readRecorded(name), mode);
  if (first === undefined) throw new Error('nothing was bound');
  return first;
}

/** `deny by lsm`, `observe by kprobe_multi (NotPersistent)`, or the reason why not. */
function outcome(hook: PlanHook, name: RecordedKernel, options: Partial<Plan['options']> = {}): string {
  const { failure, planned, effective, notes } = bound(hook, name, options);
  if (failure !== null && failure.reason !== 'NotInEngine') return failure.reason;
  const how = planned[0]?.method ?? 'nothing';
  const less = [...new Set(notes.map((note) => note.reason))].join(', ');
  return failure === null ? `${effective} by ${how}${less === '' ? '' : ` (${less})`}` : `later by ${how}`;
}

describe('On the recorded kernels', () => {
  // One line for each question, one answer for each of 5.10, 6.1, 6.12 and 7.x.
  it.each<[string, PlanHook, Partial<Plan['options']>, ...string[]]>([
    [
      'an LSM hook denies where bpf is active, and by fmod_ret on 5.10',
      hookOn('lsm:file_open', doing(DENY)),
      {},
      'deny by fmod_ret',
      'deny by lsm',
      'deny by lsm',
      'deny by lsm',
    ],
    [
      'a security function that denies is taken for its LSM hook',
      hookOn('kprobe:security_file_open', doing(DENY)),
      {},
      'deny by fmod_ret',
      'deny by lsm',
      'deny by lsm',
      'deny by lsm',
    ],
    [
      'a hook that only tells cannot deny, on no kernel',
      hookOn('lsm:bprm_committed_creds', doing(DENY)),
      {},
      ...RECORDED.map(() => 'NotErrorInjectable'),
    ],
    [
      'no system call can be denied: Debian builds neither way in',
      hookOn('kprobe:sys_openat', doing(DENY)),
      {},
      'OverrideHelperMissing',
      'OverrideHelperMissing',
      'OverrideHelperMissing',
      'OverrideHelperMissing',
    ],
    [
      'a kill stands in for the deny of a system call where the policy allows it',
      hookOn('kprobe:sys_openat', doing(DENY)),
      { substitute: 'kill' },
      'kill by kprobe (DegradedKillOnly, NotPersistent)',
      'kill by kprobe (DegradedKillOnly)',
      'kill by kprobe_multi (DegradedKillOnly)',
      'kill by kprobe_multi (DegradedKillOnly)',
    ],
    [
      'a system call is watched by the best way in that survives the loader',
      hookOn('kprobe:sys_openat'),
      {},
      'observe by raw_tp_sys_enter',
      'observe by kprobe',
      'observe by kprobe_multi',
      'observe by kprobe_multi',
    ],
    [
      'a function is killed in by a kprobe',
      hookOn('kprobe:tcp_connect', doing(KILL)),
      {},
      'kill by kprobe (NotPersistent)',
      'kill by kprobe',
      'kill by kprobe_multi',
      'kill by kprobe_multi',
    ],
    [
      'the option disable-kprobe-multi is respected',
      hookOn('kprobe:tcp_connect'),
      { singleKprobes: true },
      'observe by kprobe (NotPersistent)',
      'observe by kprobe',
      'observe by kprobe',
      'observe by kprobe',
    ],
    [
      'the option override-method is respected',
      hookOn('kprobe:security_file_open', doing(DENY)),
      { overrideMethod: 'fmod_ret' },
      'deny by fmod_ret',
      'deny by fmod_ret',
      'deny by fmod_ret',
      'FmodRetPreemptible',
    ],
    [
      'a hook of a security module that is younger than the kernel is missing there',
      hookOn('lsm:file_post_open'),
      {},
      'LsmHookNotFound',
      'LsmHookNotFound',
      'observe by lsm',
      'observe by lsm',
    ],
    [
      'a return is watched by a session, by two links, or with losses',
      hookOn('kprobe:vfs_read', { returns: true, args: [arg(0, 'int64', { from: 'return' })] }),
      {},
      'later by kprobe',
      'later by kprobe',
      'later by kprobe_multi',
      'later by kprobe_multi',
    ],
    ['fentry is used where a policy asks for it', hookOn('fentry:tcp_connect'), {}, ...RECORDED.map(() => 'later by fentry')],
    [
      'a raw tracepoint hands out numbers, or typed arguments',
      hookOn('raw_tracepoint:sched/sched_process_exec', { args: [arg(2, 'linux_binprm')] }),
      {},
      ...RECORDED.map(() => 'later by tp_btf'),
    ],
    [
      'user probes are one link where the kernel knows such links',
      hookOn('uprobe:/bin/bash'),
      {},
      'later by uprobe',
      'later by uprobe',
      'later by uprobe_multi',
      'later by uprobe_multi',
    ],
    [
      'user probes may return at once since 6.18',
      hookOn('uprobe:/bin/bash', doing({ type: 'override', errno: 7 })),
      {},
      'UprobeRegsReadOnly',
      'UprobeRegsReadOnly',
      'UprobeRegsReadOnly',
      'later by uprobe_multi',
    ],
    [
      'substrings need bpf_loop',
      hookOn('lsm:file_open', { args: [arg(0, 'file')], ...filtering({ on: 'substring', arg: 0, values: ['x'] }) }),
      {},
      'NeedsBpfLoop',
      'later by lsm',
      'later by lsm',
      'later by lsm',
    ],
  ])('%s', (_, hook, options, ...expected) => {
    expect(RECORDED.map((name) => outcome(hook, name, options))).toEqual(expected);
  });

  it('a monitor only watches, whatever the policy would do', () => {
    const answers = RECORDED.map((name) => bound(hookOn('kprobe:sys_openat', doing(DENY)), name, {}, 'monitor'));
    expect(answers.map(({ effective, failure }) => [effective, failure])).toEqual(RECORDED.map(() => ['observe', null]));
  });

  it('returns are seen by a session, by links of many, by a link that loses some, or by fexit', () => {
    const ways = (name: RecordedKernel, hook: string, options: Partial<Plan['options']> = {}) =>
      bound(hookOn(hook, { returns: true }), name, options).plannedReturns.map(({ method, notes }) => [method, ...notes].join(' '));
    expect(ways('6.12', 'kprobe:vfs_read')).toEqual(['kprobe_session', 'kretprobe_multi', 'kretprobe ReturnLossy', 'fexit']);
    expect(ways('6.12', 'kprobe:vfs_read', { singleKprobes: true })).toEqual(['kretprobe ReturnLossy', 'fexit']);
    expect(ways('5.10', 'kprobe:vfs_read')).toEqual(['kretprobe ReturnLossy NotPersistent', 'fexit']);
    expect(ways('6.12', 'fentry:vfs_read')).toEqual(['fexit']);
    expect(ways('6.12', 'uprobe:/bin/bash')).toEqual(['uretprobe_multi', 'uretprobe']);
  });
});

describe('Arguments', () => {
  it.each<[string, PlanHook, string, string]>([
    [
      'beyond the last one are refused with what the function takes',
      hookOn('lsm:file_open', { args: [arg(1, 'int32')] }),
      'ArgIndexOutOfRange at spec.lsmhooks[0].args[0].index',
      'file_open(struct file *file) has 1 argument in this kernel; there is no argument 1',
    ],
    [
      'of system calls are counted as well',
      hookOn('kprobe:sys_openat', { args: [arg(1, 'string'), arg(4, 'int32')] }),
      'ArgIndexOutOfRange at spec.kprobes[0].args[1].index',
      'sys_openat(int dfd, const char * filename, int flags, umode_t mode) has 4 arguments in this kernel; there is no argument 4',
    ],
    [
      'that point to something else are refused',
      hookOn('kprobe:tcp_connect', { args: [arg(0, 'file')] }),
      'BtfTypeMismatch at spec.kprobes[0].args[0].type',
      'argument 0 of tcp_connect is struct sock * in this kernel and cannot be read as file',
    ],
    [
      'that are numbers are no texts',
      hookOn('kprobe:sys_openat', { args: [arg(0, 'string')] }),
      'BtfTypeMismatch at spec.kprobes[0].args[0].type',
      'argument 0 of sys_openat is int dfd in this kernel and cannot be read as string',
    ],
    [
      'of a tracepoint are fields of its format',
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(7, 'int32')] }),
      'TracepointFieldMissing at spec.tracepoints[0].args[0].index',
      'sched/sched_process_exec has the fields 0 to 6 in this kernel; there is no field 7',
    ],
    [
      'of a tracepoint are what the format says',
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(4, 'int32')] }),
      'TracepointFieldMissing at spec.tracepoints[0].args[0].type',
      'field 4 of sched/sched_process_exec is __data_loc char[] filename in this kernel and cannot be read as int32',
    ],
    [
      'of a raw tracepoint are those of its program',
      hookOn('raw_tracepoint:sched/sched_process_exec', { args: [arg(3, 'uint64')] }),
      'ArgIndexOutOfRange at spec.tracepoints[0].args[0].index',
      'has 3 arguments in this kernel; there is no argument 3',
    ],
    [
      'that hold a size are there, too',
      hookOn('kprobe:vfs_read', { args: [arg(1, 'char_buf', { sizeIndex: 9 })] }),
      'ArgIndexOutOfRange at spec.kprobes[0].args[0].sizeArgIndex',
      'vfs_read has 4 arguments in this kernel; there is no argument 9',
    ],
    [
      'have the members that resolve names',
      hookOn('lsm:file_open', { args: [arg(0, 'string', { resolve: ['f_path', 'dentry', 'd_nam'] })] }),
      'ResolvePathNotFound at spec.lsmhooks[0].args[0].resolve',
      'f_path.dentry.d_nam: struct dentry has no member "d_nam"; did you mean "d_name"?',
    ],
    [
      'at the end of resolve are what the policy says',
      hookOn('lsm:file_open', { args: [arg(0, 'sock', { resolve: ['f_path', 'dentry'] })] }),
      'BtfTypeMismatch at spec.lsmhooks[0].args[0].type',
      'f_path.dentry is struct dentry * in this kernel and cannot be read as sock',
    ],
    [
      'of system calls have members only with btfType',
      hookOn('kprobe:sys_bpf', { args: [arg(1, 'uint32', { resolve: ['map_type'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].args[0].resolve',
      'argument 1 of sys_bpf is union bpf_attr * uattr, which has no members; "btfType" says what it stands for',
    ],
    [
      'are taken for types that the kernel has',
      hookOn('kprobe:vfs_read', { args: [arg(1, 'uint64', { resolve: ['x'], btfType: 'task_strct' })] }),
      'ResolvePathNotFound at spec.kprobes[0].args[0].btfType',
      'this kernel has no type "task_strct"; did you mean "task_struct"?',
    ],
    [
      'of the task are found without an argument',
      hookOn('kprobe:vfs_read', { args: [arg(0, 'string', { from: 'current_task', resolve: ['mm', 'ownr', 'comm'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].data[0].resolve',
      'mm.ownr.comm: struct mm_struct has no member "ownr"; did you mean "owner"?',
    ],
    [
      'in registers are in registers of this machine',
      hookOn('kprobe:vfs_read', { args: [arg(0, 'uint64', { from: 'pt_regs', resolve: ['x30'] })] }),
      'ResolvePathNotFound at spec.kprobes[0].data[0].resolve',
      '"x30" is no register of x86_64',
    ],
    [
      'that a function returns are there',
      hookOn('kprobe:tcp_close', { returns: true, args: [arg(0, 'int32', { from: 'return' })] }),
      'BtfTypeMismatch at spec.kprobes[0].returnArg.type',
      'tcp_close returns void in this kernel and cannot be read as int32',
    ],
    [
      'of no given type are compared as what they are',
      hookOn('lsm:file_open', {
        args: [arg(0, 'auto', { resolve: ['f_flags'] })],
        ...filtering({ on: 'bytes', arg: 0, operator: 'Equal', values: ['x'] }),
      }),
      'BtfTypeMismatch at spec.selectors[0].matchArgs',
      'argument 0 is unsigned int in this kernel, and a filter compares it as a text',
    ],
  ])('%s', (_, hook, reason, message) => {
    const { failure } = bound(hook);
    expect(`${failure?.reason} at ${failure?.field}`).toBe(reason);
    expect(failure?.message).toContain(message);
  });

  it('of another width are read, and that is told', () => {
    const { failure, notes } = bound(hookOn('kprobe:vfs_read', { args: [arg(2, 'int32')] }));
    expect(failure).toBeNull();
    expect(notes).toEqual([
      {
        reason: 'BtfTypeMismatch',
        field: 'spec.kprobes[0].args[0].type',
        message: 'argument 2 of vfs_read is size_t: it has 8 bytes and int32 has 4',
      },
    ]);
  });

  it('are right where they are right, on every kernel', () => {
    const hooks = [
      hookOn('lsm:file_open', { args: [arg(0, 'file')] }),
      hookOn('kprobe:security_mmap_file', { args: [arg(0, 'file'), arg(1, 'uint64')] }),
      hookOn('lsm:bprm_check_security', { args: [arg(0, 'string', { resolve: ['filename'] })] }),
      hookOn('lsm:path_mknod', { args: [arg(0, 'path'), arg(1, 'dentry')] }),
      hookOn('kprobe:tcp_connect', { args: [arg(0, 'sock'), arg(0, 'uint16', { resolve: ['__sk_common', 'skc_dport'] })] }),
      hookOn('kprobe:commit_creds', { args: [arg(0, 'cred'), arg(0, 'cap_effective')] }),
      hookOn('kprobe:sys_connect', { args: [arg(0, 'fd'), arg(1, 'sockaddr'), arg(2, 'int32')] }),
      hookOn('kprobe:sys_write', { args: [arg(0, 'int32'), arg(1, 'char_buf', { sizeIndex: 2 }), arg(2, 'uint64')] }),
      hookOn('kprobe:sys_execve', { args: [arg(0, 'string')] }),
      hookOn('tracepoint:sched/sched_process_exec', { args: [arg(4, 'string'), arg(5, 'int32'), arg(5, 'auto')] }),
      hookOn('raw_tracepoint:sched/sched_process_exec', { args: [arg(0, 'string', { resolve: ['comm'] }), arg(2, 'linux_binprm')] }),
      hookOn('kprobe:vfs_read', { args: [arg(0, 'string', { from: 'current_task', resolve: ['mm', 'owner', 'real_parent', 'comm'] })] }),
    ];
    for (const hook of hooks) {
      for (const name of RECORDED) {
        const { failure } = bound(hook, name);
        expect(failure === null ? 'NotInEngine' : failure.reason, `${hook.target} on ${name}: ${failure?.message ?? ''}`).toBe(
          'NotInEngine',
        );
      }
    }
  });
});

describe('Names', () => {
  it('that may be missing are skipped, and that is told', () => {
    const { failure, methods, effective, notes } = bound(hookOn('kprobe:no_such_function', { ignoreMissing: true }));
    expect({ failure, methods, effective }).toEqual({ failure: null, methods: [], effective: 'none' });
    expect(notes).toMatchObject([{ reason: 'HookIgnored', field: 'spec.kprobes[0].call' }]);
  });

  it('of functions without probes are told apart from those of none', () => {
    expect(bound(hookOn('kprobe:do_syscall_64')).failure?.reason).toBe('FunctionNotTraceable');
    expect(bound(hookOn('kprobe:do_sycall_64')).failure?.reason).toBe('FunctionNotFound');
  });

  it('of a list that the kernel fills are those of this kernel', () => {
    const all = bound(hookOn('kprobe:every', { generated: { from: 'syscalls' }, syscall: true }));
    expect(all.functions).toContain('sys_openat2');
    expect(all.functions?.length).toBeGreaterThan(300);
    const pattern = (text: string) => bound(hookOn('kprobe:some', { generated: { from: 'ftrace', pattern: text } }));
    expect(pattern('^tcp_conn').functions).toContain('tcp_connect');
    expect(pattern('^no_such_').failure?.reason).toBe('FunctionNotFound');
    expect(pattern('^').failure).toMatchObject({ reason: 'SetTooLarge', field: 'spec.kprobes[0].call' });
  });

  it('of lists together stay within what a policy may have', () => {
    const list = hookOn('kprobe:every', { generated: { from: 'syscalls' }, syscall: true });
    const reasons = bind(planOf([list, list, list, list]), readRecorded('6.12'), 'enforce').map((hook) => hook.failure?.reason);
    expect(reasons).toEqual(['NotInEngine', 'NotInEngine', 'SetTooLarge', 'SetTooLarge']);
  });
});

describe('Beside hooks', () => {
  it('loader, enforcer and scopes that the engine does not run are refused by their field', () => {
    const plan = planOf(hookOn('lsm:file_open'), {
      loader: true,
      enforcer: { path: 'spec.enforcers[0]', calls: ['security_file_open', 'sys_no_such'] },
      scope: { namespace: null, podSelector: null, host: 'only' },
    });
    const parts = bind(plan, readRecorded('6.12'), 'enforce').map(
      ({ part, failure }) => `${part}: ${failure?.reason ?? 'fine'} ${failure?.field ?? ''}`,
    );
    expect(parts).toEqual([
      'hook: fine ',
      'loader: NotInEngine spec.loader',
      'enforcer: NotInEngine spec.enforcers[0]',
      'enforcer: FunctionNotFound spec.enforcers[0].calls',
      'scope: NotInEngine spec.hostSelector',
    ]);
  });
});
