import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

const hooksOf = (spec: object) => compiled(policyObject(spec)).plan.hooks;
const targetsOf = (spec: object) => hooksOf(spec).map(({ kind, target, syscall, path }) => [kind, target, syscall, path]);

describe('hooks of every kind', () => {
  it('stand in the plan in one order, whatever the order of the sections in the policy', () => {
    const hooks = hooksOf({
      usdts: [{ path: '/bin/a', provider: 'p', name: 'n' }],
      uprobes: [{ path: '/bin/a', symbols: ['main'] }],
      fentries: [{ call: 'tcp_connect', syscall: false }],
      lsmhooks: [{ hook: 'file_open' }],
      tracepoints: [
        { subsystem: 'sched', event: 'sched_process_exec', raw: true },
        { subsystem: 'sched', event: 'sched_process_exec' },
      ],
      kprobes: [{ call: 'sys_dup' }],
    });
    expect(hooks.map(({ kind, section }) => [kind, section])).toEqual([
      ['kprobe', 'kprobes'],
      ['raw_tracepoint', 'tracepoints'],
      ['tracepoint', 'tracepoints'],
      ['lsm', 'lsmhooks'],
      ['fentry', 'fentries'],
      ['uprobe', 'uprobes'],
      ['usdt', 'usdts'],
    ]);
  });

  it('may be the same function twice in one policy', () => {
    expect(hooksOf({ kprobes: [{ call: 'sys_dup' }, { call: '__x64_sys_dup' }] }).map((hook) => hook.target)).toEqual([
      'sys_dup',
      'sys_dup',
    ]);
  });

  it.each([
    ['sys_dup', 'sys_dup'],
    ['__x64_sys_dup', 'sys_dup'],
    ['__arm64_sys_dup', 'sys_dup'],
    ['__ia32_sys_dup', 'i386/sys_dup'],
    ['i386/sys_dup', 'i386/sys_dup'],
  ])('know the system call %s as %s', (call, target) => {
    expect(targetsOf({ kprobes: [{ call }] })).toEqual([['kprobe', target, true, 'spec.kprobes[0]']]);
  });

  it('are refused with the field where the name cannot be one', () => {
    expect(
      problemsOf(
        policyObject({
          kprobes: [{ call: 'tcp_connect' }, { call: 'a b', syscall: false }],
          tracepoints: [{ subsystem: 'a/b', event: 'c d' }],
          lsmhooks: [{ hook: 'bpf_lsm_file_open' }],
        }),
      ),
    ).toEqual([
      'spec.kprobes[0].call: "tcp_connect" is no system call, and "syscall" is true (the default); set "syscall: false" if it is a kernel function, or write "sys_…" for a system call',
      'spec.kprobes[1].call: "a b" is no name of a function',
      'spec.tracepoints[0].subsystem: "a/b" is no name of a tracepoint\'s subsystem',
      'spec.tracepoints[0].event: "c d" is no name of a tracepoint\'s event',
      'spec.lsmhooks[0].hook: "bpf_lsm_file_open" has a prefix; did you mean "file_open"?',
    ]);
  });

  it('do not take the saved registers of a system call for its arguments', () => {
    const call = { call: '__x64_sys_write', syscall: false };
    const codes = (args: readonly object[]) => codesOf(policyObject({ kprobes: [{ ...call, args }] }));
    expect(codes([{ index: 0, type: 'int' }])).toEqual(['ASyscall']);
    expect(codes([])).toEqual([]);
    expect(codes([{ index: 0, type: 'uint64', resolve: 'di' }])).toEqual([]);
  });

  it('say that a kernel without the function does not matter', () => {
    const call = { call: 'bpf_check', syscall: false };
    expect(hooksOf({ kprobes: [{ ...call, ignore: { callNotFound: true } }] })[0]?.ignoreMissing).toBe(true);
    expect(hooksOf({ kprobes: [{ ...call, ignore: {} }] })[0]).not.toHaveProperty('ignoreMissing');
  });
});

describe('lists of functions', () => {
  it('become one hook for each function, side by side, with the same path', () => {
    const spec = {
      kprobes: [
        { call: 'list:files', syscall: false },
        { call: 'tcp_connect', syscall: false },
      ],
      lists: [{ name: 'files', values: ['vfs_write', 'vfs_read', 'vfs_write'], validated: true }],
    };
    expect(targetsOf(spec)).toEqual([
      ['kprobe', 'vfs_read', false, 'spec.kprobes[0]'],
      ['kprobe', 'vfs_write', false, 'spec.kprobes[0]'],
      ['kprobe', 'tcp_connect', false, 'spec.kprobes[1]'],
    ]);
  });

  it('say by their type whether they are system calls, whatever the hook says', () => {
    const lists = [
      { name: 'calls', type: 'syscalls', values: ['sys_dup', '__x64_sys_dup2', 'i386/sys_dup', 'x64/sys_dup3'] },
      { name: 'functions', values: ['vfs_read'] },
    ];
    expect(targetsOf({ kprobes: [{ call: 'list:calls', syscall: false }, { call: 'list:functions' }], lists })).toEqual([
      ['kprobe', 'i386/sys_dup', true, 'spec.kprobes[0]'],
      ['kprobe', 'sys_dup', true, 'spec.kprobes[0]'],
      ['kprobe', 'sys_dup2', true, 'spec.kprobes[0]'],
      ['kprobe', 'x64/sys_dup3', true, 'spec.kprobes[0]'],
      ['kprobe', 'vfs_read', false, 'spec.kprobes[1]'],
    ]);
  });

  it('that a node makes are one hook, whose functions are found when it is bound', () => {
    const spec = {
      kprobes: [{ call: 'list:all' }, { call: 'list:ksys' }],
      lists: [
        { name: 'all', type: 'generated_syscalls' },
        { name: 'ksys', type: 'generated_ftrace', pattern: '^ksys_*' },
      ],
    };
    expect(hooksOf(spec)).toMatchObject([
      { target: 'all', syscall: true, generated: { from: 'syscalls' } },
      { target: 'ksys', syscall: false, generated: { from: 'ftrace', pattern: '^ksys_*' } },
    ]);
  });

  it.each([
    ['names no list', [], { call: 'list:calls' }, 'UnknownList'],
    ['a list twice', [{ values: ['a'] }, { values: ['b'] }], {}, 'RepeatedName'],
    ['an empty list', [{}], {}, 'NoValues'],
    ['a system call among functions', [{ values: ['sys_dup'] }], {}, 'BadHookName'],
    ['a function among system calls', [{ type: 'syscalls', values: ['tcp_connect'] }], {}, 'BadHookName'],
    ['an ABI that there is not', [{ type: 'syscalls', values: ['mips/sys_dup'] }], {}, 'BadHookName'],
    ['two ABIs in one name', [{ type: 'syscalls', values: ['i386/__x64_sys_dup'] }], {}, 'BadHookName'],
    ['values of a generated list', [{ type: 'generated_syscalls', values: ['sys_dup'] }], {}, 'BadList'],
    ['a pattern of a plain list', [{ values: ['a'], pattern: 'b' }], {}, 'BadList'],
    ['no pattern', [{ type: 'generated_ftrace' }], {}, 'BadList'],
    ['a pattern that engines read differently', [{ type: 'generated_ftrace', pattern: '(?i)ksys' }], {}, 'BadPattern'],
  ])('are refused: %s', (_, lists, hook, code) => {
    const spec = { kprobes: [{ call: 'list:list', ...hook }], lists: lists.map((list) => ({ name: 'list', ...list })) };
    expect(codesOf(policyObject(spec))).toContain(code);
  });

  it('that nobody uses are told of', () => {
    const spec = { kprobes: [{ call: 'list:call' }], lists: [{ name: 'calls', type: 'syscalls', values: ['sys_dup'] }] };
    expect(problemsOf(policyObject(spec))).toEqual([
      'spec.kprobes[0].call: there is no list "call" in spec.lists; did you mean "calls"?',
      'spec.lists[0]: nothing uses the list "calls"',
    ]);
  });

  it('can be denied if all of their functions can', () => {
    const deny = [{ matchActions: [{ action: 'Override', argError: -1 }] }];
    const codes = (values: string[]) =>
      codesOf(policyObject({ kprobes: [{ call: 'list:a', selectors: deny }], lists: [{ name: 'a', values }] }));
    expect(codes(['security_file_open', 'security_path_unlink'])).toEqual([]);
    expect(codes(['security_file_open', 'vfs_read'])).toEqual(['OverrideNotPossible']);
  });
});

describe('returns', () => {
  const hook = { call: 'sk_alloc', syscall: false, args: [{ index: 1, type: 'int' }] };
  const returning = { ...hook, return: true, returnArg: { index: 0, type: 'sock' } };

  it('are the last of the values, and can track the socket that is returned', () => {
    const [plan] = hooksOf({ kprobes: [{ ...returning, returnArgAction: 'TrackSock' }] });
    expect(plan).toMatchObject({
      returns: true,
      returnSocket: 'track',
      args: [
        { index: 1, type: 'int32' },
        { index: 0, type: 'sock', from: 'return' },
      ],
    });
    expect(hooksOf({ fentries: [{ ...returning, returnArgAction: 'UntrackSock' }] })[0]?.returnSocket).toBe('untrack');
  });

  it('have filters and actions of their own', () => {
    const selectors = [
      {
        matchReturnArgs: [{ index: 0, operator: 'NotEqual', values: ['0'] }],
        matchReturnActions: [{ action: 'Sigkill' }],
      },
    ];
    const [plan] = hooksOf({ kprobes: [{ ...returning, returnArg: { index: 0, type: 'int' }, selectors }] });
    expect(plan?.selectors).toEqual([
      {
        path: 'spec.kprobes[0].selectors[0]',
        filters: [],
        actions: [{ type: 'post' }],
        returnFilters: [{ on: 'int', arg: 1, operator: 'NotEqual', values: ['0'] }],
        returnActions: [{ type: 'sigkill' }],
      },
    ]);
  });

  it('can be filtered by what is read then, which cannot be filtered before', () => {
    const args = [{ index: 1, type: 'char_buf', returnCopy: true, sizeArgIndex: 3 }];
    const withFilter = (block: string) => ({
      call: 'sys_read',
      args,
      return: true,
      returnArg: { index: 0, type: 'int' },
      selectors: [{ [block]: [{ index: 1, operator: 'Prefix', values: ['x'] }] }],
    });
    expect(hooksOf({ kprobes: [withFilter('matchReturnArgs')] })[0]?.selectors[0]?.returnFilters).toMatchObject([{ on: 'bytes', arg: 0 }]);
    expect(codesOf(policyObject({ kprobes: [withFilter('matchArgs')] }))).toEqual(['ReadAtReturn']);
  });

  it.each([
    ['a returnArg that nobody reads', { returnArg: { index: 0, type: 'int' } }, 'ReturnNotWatched'],
    [
      'return actions of a function whose return is not watched',
      { selectors: [{ matchReturnActions: [{ action: 'Post' }] }] },
      'ReturnNotWatched',
    ],
    ['no returnArg', { return: true }, 'MissingField'],
    ['a type that is found nowhere', { return: true, returnArg: { index: 0 } }, 'TypeNotUsable'],
    ['another action on the socket', { ...returning, returnArgAction: 'Close' }, 'WrongValue'],
    ['an action on a number', { return: true, returnArg: { index: 0, type: 'int' }, returnArgAction: 'TrackSock' }, 'BadActionArgument'],
    [
      'a filter on another argument',
      { ...returning, selectors: [{ matchReturnArgs: [{ index: 1, operator: 'Equal', values: ['1'] }] }] },
      'UndeclaredArgument',
    ],
    [
      'a denial, which is too late',
      { ...returning, call: 'security_a', selectors: [{ matchReturnActions: [{ action: 'Override', argError: -1 }] }] },
      'ActionNotPossible',
    ],
  ])('are refused: %s', (_, part, code) => {
    expect(codesOf(policyObject({ kprobes: [{ ...hook, ...part }] }))).toEqual([code === 'MissingField' ? 'WrongValue' : code]);
  });

  it('exist in functions only', () => {
    const selectors = [{ matchReturnArgs: [{ index: 0, operator: 'Equal', values: ['0'] }] }];
    expect(codesOf(policyObject({ lsmhooks: [{ hook: 'file_open', selectors }] }))).toEqual(['ReturnNotWatched']);
  });
});
