import { describe, expect, it } from 'vitest';
import { ARG_TYPES } from '../schema/arguments.ts';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

const FUNCTION = { call: 'tcp_connect', syscall: false };
const argsOf = (spec: object) => compiled(policyObject(spec)).plan.hooks[0]?.args;
const withArg = (arg: object, hook: object = FUNCTION) => policyObject({ kprobes: [{ ...hook, args: [{ index: 0, ...arg }] }] });
const withData = (data: object) => policyObject({ kprobes: [{ ...FUNCTION, data: [{ index: 0, ...data }] }] });

describe('values that a hook reads', () => {
  it.each(ARG_TYPES.filter((type) => !['auto', 'syscall64', 'data_loc', 'const_buf', 'char_buf', 'char_iovec'].includes(type)))(
    'are read as %s by a kprobe',
    (type) => {
      expect(codesOf(withArg({ type }))).toEqual([]);
    },
  );

  it.each([
    ['syscall64', 'kprobes'],
    ['data_loc', 'kprobes'],
    ['const_buf', 'kprobes'],
    ['auto', 'kprobes'],
    ['const_buf', 'tracepoints'],
    ['auto', 'lsmhooks'],
    ['sock', 'uprobes'],
    ['file', 'usdts'],
  ])('are never read as %s in %s: that is said, and not read wrongly', (type, section) => {
    const heads: Record<string, object> = {
      kprobes: FUNCTION,
      tracepoints: { subsystem: 'a', event: 'b' },
      lsmhooks: { hook: 'file_open' },
      uprobes: { path: '/bin/a', symbols: ['main'] },
      usdts: { path: '/bin/a', provider: 'p', name: 'n' },
    };
    expect(codesOf(policyObject({ [section]: [{ ...heads[section], args: [{ index: 0, type }] }] }))).toEqual(['TypeNotUsable']);
  });

  it('have the type that the format of a tracepoint says, if the policy says none', () => {
    const tracepoints = [{ subsystem: 'raw_syscalls', event: 'sys_enter', args: [{ index: 4, type: 'syscall64' }, { index: 5 }] }];
    expect(argsOf({ tracepoints })).toMatchObject([
      { index: 4, type: 'syscall64' },
      { index: 5, type: 'auto' },
    ]);
  });

  it('may be followed to a member, whose type then is found out', () => {
    const args = [
      { index: 0, resolve: 'mm.owner.real_parent.comm' },
      { index: 0, type: 'int', resolve: 'sk.__sk_common.fds[03].x', btfType: 'socket_alloc', btfTypeModule: 'my-module' },
    ];
    expect(argsOf({ kprobes: [{ ...FUNCTION, args }] })).toEqual([
      { index: 0, type: 'auto', label: '', resolve: ['mm', 'owner', 'real_parent', 'comm'] },
      {
        index: 0,
        type: 'int32',
        label: '',
        resolve: ['sk', '__sk_common', 'fds', '[3]', 'x'],
        btfType: 'socket_alloc',
        btfModule: 'my_module',
      },
    ]);
  });

  it.each([
    ['a.b[3].c', ['a', 'b', '[3]', 'c']],
    ['a.[3]', ['a', '[3]']],
    ['[1].a', ['[1]', 'a']],
    ['a[1][2]', ['a', '[1]', '[2]']],
  ])('follow %s step by step', (resolve, steps) => {
    expect(argsOf({ kprobes: [{ ...FUNCTION, args: [{ index: 0, type: 'int', resolve }] }] })).toMatchObject([{ resolve: steps }]);
  });

  it.each([
    ['a..b', 'BadResolvePath'],
    ['a.', 'BadResolvePath'],
    ['a-b', 'BadResolvePath'],
    ['a[b]', 'BadResolvePath'],
    ['a[-1]', 'BadResolvePath'],
    ['a[65536]', 'BadResolvePath'],
    ['a.b.c.d.e.f.g.h.i.j.k', 'ResolveTooDeep'],
  ])('cannot follow %s', (resolve, code) => {
    expect(codesOf(withArg({ type: 'int', resolve }))).toEqual([code]);
  });

  it('begin at the running task or in a saved register', () => {
    const data = [
      { index: 9, source: 'current_task', resolve: 'cred.uid.val', type: 'uint32' },
      { index: 9, source: 'pt_regs', resolve: 'rdi', type: 'uint64', label: 'first' },
      { index: 9, source: 'pt_regs', resolve: 'w3', type: 'int' },
    ];
    expect(argsOf({ kprobes: [{ ...FUNCTION, args: [{ index: 0, type: 'int' }], data }] })).toEqual([
      { index: 0, type: 'int32', label: '' },
      { index: 0, type: 'uint32', label: '', from: 'current_task', resolve: ['cred', 'uid', 'val'] },
      { index: 1, type: 'uint64', label: 'first', from: 'pt_regs', resolve: ['rdi'] },
      { index: 2, type: 'int32', label: '', from: 'pt_regs', resolve: ['w3'] },
    ]);
  });

  it.each([
    ['no source', { resolve: 'a', type: 'int' }, 'MissingField'],
    ['another source', { source: 'stack', resolve: 'a', type: 'int' }, 'WrongValue'],
    ['nothing to follow', { source: 'current_task', type: 'int' }, 'MissingField'],
    ['no register', { source: 'pt_regs', resolve: 'rdx.a', type: 'int' }, 'UnknownRegister'],
    ['a register without a type', { source: 'pt_regs', resolve: 'rdx' }, 'TypeNotUsable'],
  ])('are refused in data: %s', (_, data, code) => {
    expect(codesOf(withData(data))).toEqual([code]);
  });

  it('name the register that was meant', () => {
    expect(problemsOf(withData({ source: 'pt_regs', resolve: 'rdy', type: 'int' }))[0]).toContain('did you mean');
  });

  it('have the size that another argument says, counted from 1 in the language and from 0 in the plan', () => {
    const args = [
      { index: 1, type: 'char_buf', sizeArgIndex: 3, maxData: true },
      { index: 2, type: 'char_iovec', sizeArgIndex: 1 },
      { index: 3, type: 'char_buf', returnCopy: true },
    ];
    expect(argsOf({ kprobes: [{ call: 'sys_write', args }] })).toEqual([
      { index: 1, type: 'char_buf', label: '', sizeIndex: 2, maxData: true },
      { index: 2, type: 'char_iovec', label: '', sizeIndex: 0 },
      { index: 3, type: 'char_buf', label: '', returnCopy: true },
    ]);
  });

  it.each([
    ['a buffer of unknown size', { type: 'char_buf' }, 'MissingField'],
    ['vectors of unknown number', { type: 'char_iovec', returnCopy: true }, 'MissingField'],
    ['a size of something that has none', { type: 'int', sizeArgIndex: 2 }, 'UselessField'],
    ['a size beyond the arguments', { type: 'char_buf', sizeArgIndex: 7 }, 'ArgIndexOutOfRange'],
    ['a number that is read at return', { type: 'int', returnCopy: true }, 'UselessField'],
    ['much of a text', { type: 'string', maxData: true }, 'UselessField'],
    ['much of what is read at return', { type: 'char_buf', sizeArgIndex: 2, returnCopy: true, maxData: true }, 'UselessField'],
    ['a source of an argument', { type: 'int', source: 'current_task' }, 'UselessField'],
    ['a cast that leads nowhere', { type: 'int', btfType: 'sock' }, 'UselessField'],
    ['a module without a type', { type: 'int', resolve: 'a', btfTypeModule: 'nf_tables' }, 'UselessField'],
    ['a type that cannot be one', { type: 'int', resolve: 'a', btfType: 'struct sock' }, 'BadTypeName'],
    ['a path from nothing', { type: 'nop', resolve: 'a' }, 'UselessField'],
    ['the seventh argument', { index: 6, type: 'int' }, 'ArgIndexOutOfRange'],
    ['a long label', { type: 'int', label: 'x'.repeat(257) }, 'ValueTooLong'],
  ])('are refused: %s', (_, arg, code) => {
    expect(codesOf(withArg(arg))).toEqual([code]);
  });

  it('are at most sixteen, with data and the return value', () => {
    const args = Array.from({ length: 10 }, () => ({ index: 0, type: 'int' }));
    const data = Array.from({ length: 6 }, () => ({ index: 0, type: 'int', source: 'pt_regs', resolve: 'x0' }));
    const hook = { ...FUNCTION, args, data };
    expect(codesOf(policyObject({ kprobes: [hook] }))).toEqual([]);
    expect(codesOf(policyObject({ kprobes: [{ ...hook, return: true, returnArg: { index: 0, type: 'int' } }] }))).toEqual(['TooManySlots']);
  });
});

describe('filters name values', () => {
  const hook = {
    ...FUNCTION,
    args: [
      { index: 2, type: 'int' },
      { index: 0, type: 'int' },
    ],
    data: [{ index: 7, type: 'int', source: 'current_task', resolve: 'tgid' }],
    return: true,
    returnArg: { index: 5, type: 'int' },
  };
  const filtersOf = (selector: object) => {
    const plan = compiled(policyObject({ kprobes: [{ ...hook, selectors: [selector] }] })).plan.hooks[0]?.selectors[0];
    return [...(plan?.filters ?? []), ...(plan?.returnFilters ?? [])];
  };
  const equal = { operator: 'Equal', values: ['1'] };

  it('by index or position in args, by position in data, by the index of returnArg at return', () => {
    expect(
      filtersOf({
        matchArgs: [
          { ...equal, index: 0 },
          { ...equal, args: [0] },
        ],
        matchData: [{ ...equal, index: 0 }],
        matchReturnArgs: [{ ...equal, index: 5 }],
      }),
    ).toMatchObject([{ arg: 1 }, { arg: 0 }, { arg: 2 }, { arg: 3 }]);
  });

  it('that must be there', () => {
    const codes = (selector: object) => codesOf(policyObject({ kprobes: [{ ...hook, selectors: [selector] }] }));
    expect(codes({ matchArgs: [{ ...equal, index: 7 }] })).toEqual(['UndeclaredArgument']);
    expect(codes({ matchArgs: [{ ...equal, args: [2] }] })).toEqual(['UndeclaredArgument']);
    expect(codes({ matchData: [{ ...equal, index: 7 }] })).toEqual(['UndeclaredArgument']);
    expect(codes({ matchReturnArgs: [{ ...equal, index: 0 }] })).toEqual(['UndeclaredArgument']);
  });

  it('of tracepoints by field, or by position where no field has the number, which is told', () => {
    const tracepoint = (index: number) => ({
      subsystem: 'raw_syscalls',
      event: 'sys_enter',
      args: [{ index: 4, type: 'uint64' }],
      selectors: [{ matchArgs: [{ ...equal, index }] }],
    });
    expect(codesOf(policyObject({ tracepoints: [tracepoint(4)] }))).toEqual([]);
    expect(problemsOf(policyObject({ tracepoints: [tracepoint(0)] }))).toEqual([
      'spec.tracepoints[0].selectors[0].matchArgs[0].index: no entry of args has index 0; the one at position 0 is meant; write "index: 4"',
    ]);
  });

  it('that are there twice by the first, which is told', () => {
    const args = [
      { index: 0, type: 'int' },
      { index: 0, type: 'int', resolve: 'a' },
    ];
    const selectors = [{ matchArgs: [{ ...equal, index: 0 }] }];
    expect(codesOf(policyObject({ kprobes: [{ ...FUNCTION, args, selectors }] }))).toEqual(['AmbiguousArgument']);
  });
});
