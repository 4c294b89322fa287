import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import type { Plan, PlanHook } from '../plan.ts';
import { RECORDED, type RecordedKernel, readRecorded } from '../testing/recorded-kernels.ts';
import { bound } from './testing/bound.ts';
import { arg, DENY, doing, filtering, hookOn, KILL, planOf } from './testing/plans.ts';

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
    [
      'hashes of files need IMA',
      hookOn('lsm:file_open', doing({ type: 'post', imaHash: true })),
      {},
      'KfuncMissing',
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
