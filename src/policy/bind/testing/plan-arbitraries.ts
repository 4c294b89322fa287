/** Plans of every shape that the type allows, also those that no policy compiles to: `bind` must have an answer for all of them. */
import fc from 'fast-check';
import type { Plan, PlanAction, PlanArg, PlanArgType, PlanFilter, PlanHook, PlanSelector } from '../../plan.ts';
import { hookOn, planOf } from './plans.ts';

const ARG_TYPES = [
  'int8',
  'int32',
  'uint16',
  'uint64',
  'string',
  'filename',
  'path',
  'file',
  'dentry',
  'fd',
  'kiocb',
  'linux_binprm',
  'char_buf',
  'char_iovec',
  'iov_iter',
  'data_loc',
  'net_device',
  'sockaddr_un',
  'sock',
  'socket',
  'skb',
  'sockaddr',
  'kernel_cap_t',
  'cap_effective',
  'capability',
  'bpf_cmd',
  'syscall64',
  'cred',
  'user_namespace',
  'const_buf',
  'bpf_attr',
  'bpf_map',
  'load_info',
  'module',
  'auto',
  'nop',
] as const satisfies readonly PlanArgType[];

const HOOKS = [
  'kprobe:security_file_open',
  'kprobe:security_mmap_file',
  'kprobe:tcp_connect',
  'kprobe:vfs_read',
  'kprobe:sys_openat',
  'kprobe:sys_bpf',
  'kprobe:no_such_function',
  'kprobe:__proto__',
  'kprobe:',
  'fentry:tcp_connect',
  'fentry:sys_execve',
  'lsm:file_open',
  'lsm:bprm_check_security',
  'lsm:constructor',
  'tracepoint:sched/sched_process_exec',
  'tracepoint:syscalls/sys_enter_openat',
  'tracepoint:toString/hasOwnProperty',
  'raw_tracepoint:sched/sched_process_exec',
  'raw_tracepoint:nothing',
  'uprobe:/bin/bash',
  'usdt:/lib/libc.so.6',
] as const;

const WORDS = [
  'mm',
  'owner',
  'comm',
  'f_path',
  'dentry',
  'd_name',
  'name',
  'cred',
  'uid',
  'val',
  '[0]',
  '[3]',
  '[65535]',
  '__proto__',
  '',
  'rax',
  'x0',
] as const;

/** Members are there or not. */
function optional<T extends object>(shape: { readonly [Key in keyof T]-?: fc.Arbitrary<T[Key]> }): fc.Arbitrary<Partial<T>> {
  return fc.record<T>(shape, { requiredKeys: [] });
}

const args: fc.Arbitrary<readonly PlanArg[]> = fc.array(
  fc
    .tuple(
      fc.nat(8),
      fc.constantFrom(...ARG_TYPES),
      optional<Pick<Required<PlanArg>, 'from' | 'resolve' | 'sizeIndex' | 'returnCopy' | 'maxData' | 'btfType' | 'btfModule'>>({
        from: fc.constantFrom('return', 'current_task', 'pt_regs'),
        resolve: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 10 }),
        sizeIndex: fc.nat(8),
        returnCopy: fc.constant(true),
        maxData: fc.constant(true),
        btfType: fc.constantFrom('task_struct', 'file', 'no_such', '__proto__', 'size_t', ''),
        btfModule: fc.constantFrom('overlay', 'toString'),
      }),
    )
    .map(([index, type, members]): PlanArg => ({ index, type, label: '', ...members })),
  { maxLength: 4 },
);

const filter: fc.Arbitrary<PlanFilter> = fc.oneof(
  fc.record({
    on: fc.constant('int' as const),
    arg: fc.nat(4),
    operator: fc.constantFrom('Equal' as const, 'NotEqual' as const),
    values: fc.constant(['1']),
  }),
  fc.record({
    on: fc.constant('bytes' as const),
    arg: fc.nat(4),
    operator: fc.constantFrom('Equal' as const, 'NotPrefix' as const, 'Postfix' as const),
    values: fc.array(fc.string({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ on: fc.constant('substring' as const), arg: fc.nat(4), values: fc.constant(['x']) }),
  fc.constant<PlanFilter>({ on: 'range', arg: 0, operator: 'InRange', ranges: [['1', '2']] }),
  fc.constant<PlanFilter>({ on: 'gained', before: 0, after: 1 }),
  fc.constant<PlanFilter>({ on: 'binary', operator: 'Prefix', values: ['/bin/'], of: 'parent' }),
  fc.constant<PlanFilter>({ on: 'podNamespace', operator: 'In', values: ['a'] }),
);

const action: fc.Arbitrary<PlanAction> = fc.constantFrom<PlanAction>(
  { type: 'post' },
  { type: 'post', rateLimitMs: 5, kernelStack: true },
  { type: 'nopost' },
  { type: 'sigkill' },
  { type: 'signal', signal: 15 },
  { type: 'override', errno: -1 },
  { type: 'set_registers', registers: ['rax=1'] },
  { type: 'redirect', to: 'symbol', target: 'x' },
  { type: 'track_sock', arg: 0 },
  { type: 'notify_enforcer', errno: -1, signal: 9 },
  { type: 'set', arg: 0, value: 1 },
);

const selector: fc.Arbitrary<PlanSelector> = fc
  .tuple(
    fc.array(filter, { maxLength: 2 }),
    fc.array(action, { minLength: 1, maxLength: 3 }),
    optional<Pick<Required<PlanSelector>, 'label' | 'returnActions'>>({
      label: fc.constant('x'),
      returnActions: fc.array(action, { minLength: 1, maxLength: 2 }),
    }),
  )
  .map(([filters, actions, members]): PlanSelector => ({ path: 'spec.selectors[0]', filters, actions, ...members }));

const hook: fc.Arbitrary<PlanHook> = fc
  .tuple(
    fc.constantFrom(...HOOKS),
    args,
    fc.array(selector, { minLength: 1, maxLength: 2 }),
    optional<Pick<Required<PlanHook>, 'generated' | 'ignoreMissing' | 'returns' | 'returnSocket'>>({
      generated: fc.constantFrom<NonNullable<PlanHook['generated']>>(
        { from: 'syscalls' },
        { from: 'ftrace', pattern: '^tcp_' },
        { from: 'ftrace', pattern: '((' },
      ),
      ignoreMissing: fc.constant(true),
      returns: fc.constant(true),
      returnSocket: fc.constant('track'),
    }),
  )
  .map(([on, hookArgs, selectors, members]) => hookOn(on, { args: hookArgs, selectors, ...members }));

export const planArbitrary: fc.Arbitrary<Plan> = fc
  .tuple(
    fc.array(hook, { maxLength: 3 }),
    optional<Pick<Required<Plan>, 'loader' | 'enforcer'>>({
      loader: fc.constant(true),
      enforcer: fc.constant({ path: 'spec.enforcers[0]', calls: ['i386/sys_openat', 'security_file_open', 'sys_openat', '__proto__'] }),
    }),
    optional<Pick<Required<Plan['options']>, 'overrideMethod' | 'singleKprobes' | 'singleUprobes'>>({
      overrideMethod: fc.constantFrom('fmod_ret', 'override_return'),
      singleKprobes: fc.constant(true),
      singleUprobes: fc.constant(true),
    }),
    fc.constantFrom('none' as const, 'kill' as const),
  )
  .map(([hooks, members, options, substitute]) => planOf(hooks, members, { ...options, substitute }));
