import { describe, expect, it } from 'vitest';
import { readDocuments } from '../document/read-documents.ts';
import { dangersOf, findProblems, policyObject } from '../testing/policies.ts';

const FILE = [{ index: 0, type: 'file' }];
const on = (operator: string, values: unknown[], index = 0) => ({ index, operator, values });
const lsm = (selector: object, hook: object = {}) => ({ lsmhooks: [{ hook: 'file_open', args: FILE, selectors: [selector], ...hook }] });
const probe = (hook: object) => ({ kprobes: [{ call: 'security_file_open', syscall: false, args: FILE, ...hook }] });
const typed = (type: string, ...filters: object[]) => probe({ args: [{ index: 0, type }], selectors: [{ matchArgs: filters }] });
const tracepoint = (hook: object) => ({ tracepoints: [{ subsystem: 'raw_syscalls', event: 'sys_enter', ...hook }] });
const LIST = { name: 'dups', type: 'syscalls', values: ['sys_dup'] };

/** What upstream does; what is written; the code here. */
type Case = readonly [upstream: string, spec: object, code: string, said?: RegExp];

const FIELDS: readonly Case[] = [
  [
    'a misspelt key of a selector is pruned, so that the selector matches everything',
    lsm({ matchPids: [{ operator: 'In', values: [1] }] }),
    'UnknownField',
    /did you mean "matchPIDs"/,
  ],
  ['a misspelt section is pruned, so that the policy is empty', { kprobe: [] }, 'UnknownField', /did you mean "kprobes"/],
  [
    'an unknown option is ignored',
    { ...lsm({}), options: [{ name: 'policy_mode', value: 'monitor' }] },
    'UnknownOption',
    /did you mean "policy-mode"/,
  ],
  [
    'the second of two equal options wins',
    {
      ...lsm({}),
      options: [
        { name: 'policy-mode', value: 'monitor' },
        { name: 'policy-mode', value: 'enforce' },
      ],
    },
    'RepeatedOption',
  ],
  ['a policy without hooks loads and does nothing', { podSelector: {} }, 'NoHooks'],
  ['a policy without hooks loads also where an empty section is written', { kprobes: [] }, 'NoHooks'],
  ['documentation has numbers without quotes', lsm({ matchArgs: [on('Equal', [7])] }), 'WrongType', /put it in quotes: "7"/],
  ['documentation has operators that were removed', lsm({ matchArgs: [on('Instring', ['/etc/'])] }), 'WrongValue'],
  ['documentation has actions that were removed', lsm({ matchActions: [{ action: 'FollowFD' }] }), 'WrongValue'],
  [
    'an LSM hook with its prefix is not found on any node',
    { lsmhooks: [{ hook: 'security_file_open' }] },
    'BadHookName',
    /did you mean "file_open"/,
  ],
  [
    'any text is taken for returnArgAction, and fails on the nodes',
    probe({ return: true, returnArg: { index: 0, type: 'sock' }, returnArgAction: 'Track' }),
    'WrongValue',
  ],
  [
    'containers are selected by fields that they do not have',
    { ...lsm({}), containerSelector: { matchLabels: { image: 'nginx' } } },
    'BadLabelSelector',
    /use "name" or "repo"/,
  ],
  ['loader with a selector of pods fails on the nodes', { loader: true, podSelector: {} }, 'LoaderWithScope'],
];

const ARGUMENTS: readonly Case[] = [
  [
    '"syscall: true", the default, reads the arguments of a plain function wrongly',
    { kprobes: [{ call: 'tcp_connect' }] },
    'NotASyscall',
    /set "syscall: false"/,
  ],
  [
    '"syscall: false" reads the saved registers of a system call as its arguments',
    probe({ call: '__x64_sys_openat', args: [{ index: 1, type: 'string' }] }),
    'ASyscall',
    /set "syscall: true"/,
  ],
  ['an argument without type never loads, as "auto" is the default', probe({ args: [{ index: 0 }] }), 'TypeNotUsable'],
  ['syscall64 cannot be read in kprobes', typed('syscall64', on('Equal', ['1'])), 'TypeNotUsable'],
  ['const_buf is offered and cannot be had', tracepoint({ args: [{ index: 5, type: 'const_buf' }] }), 'TypeNotUsable'],
  [
    'more arguments of an LSM hook than fit make the agent panic',
    lsm({}, { args: Array.from({ length: 17 }, () => FILE[0]) }),
    'TooManySlots',
  ],
  [
    'more arguments of a uprobe than fit make the agent panic',
    { uprobes: [{ path: '/bin/a', symbols: ['a'], args: Array.from({ length: 17 }, () => ({ index: 0, type: 'int' })) }] },
    'TooManySlots',
  ],
  ['a source in args fails on the nodes', probe({ args: [{ index: 0, type: 'file', source: 'current_task' }] }), 'UselessField'],
  [
    'a filter on an argument that is not read compares whatever lies there',
    lsm({ matchArgs: [on('Equal', ['/etc/shadow'], 1)] }),
    'UndeclaredArgument',
  ],
  [
    'a buffer that is read at return is compared at entry, where it is empty',
    probe({
      call: 'sys_read',
      syscall: true,
      args: [{ index: 1, type: 'char_buf', sizeArgIndex: 3, returnCopy: true }],
      selectors: [{ matchArgs: [on('Prefix', ['#!'], 1)] }],
    }),
    'ReadAtReturn',
  ],
  ['maxData on what is no buffer is a warning in a log', probe({ args: [{ index: 0, type: 'file', maxData: true }] }), 'UselessField'],
  ['a buffer without its size is empty', probe({ args: [{ index: 1, type: 'char_buf' }] }), 'MissingField'],
];

const FILTERS: readonly Case[] = [
  ['Prefix on an integer never matches', typed('int', on('Prefix', ['1'])), 'OperatorTypeMismatch'],
  ['Postfix on an integer never matches', typed('uint64', on('Postfix', ['1'])), 'OperatorTypeMismatch'],
  ['Prefix on credentials always matches', typed('cred', on('Prefix', ['x'])), 'OperatorTypeMismatch'],
  ['NotPrefix on a module always matches', typed('module', on('NotPrefix', ['x'])), 'OperatorTypeMismatch'],
  ['SubString on an integer never matches', typed('int', on('SubString', ['1'])), 'OperatorTypeMismatch'],
  ['State on a packet never matches', typed('skb', on('State', ['TCP_ESTABLISHED'])), 'OperatorTypeMismatch'],
  ['State on an address never matches', typed('sockaddr', on('State', ['TCP_ESTABLISHED'])), 'OperatorTypeMismatch'],
  [
    'the negation of all networks of a family never matches, for addresses of the other one match nothing',
    typed('sock', on('NotDAddr', ['0.0.0.0/1', '128.0.0.0/1'])),
    'BadValue',
  ],
  ['the negation of all networks of both families never matches', typed('sock', on('NotSAddr', ['0.0.0.0/0', '::/0'])), 'BadValue'],
  ['DAddr on an address, which has one end, fails on the nodes', typed('sockaddr', on('DAddr', ['10.0.0.1'])), 'OperatorTypeMismatch'],
  ['Mask on a path never matches', typed('file', on('Mask', ['2'])), 'OperatorTypeMismatch'],
  ['a filter without values is ignored', lsm({ matchArgs: [on('Equal', [])] }), 'NoValues'],
  ['matchBinaries without values is ignored', lsm({ matchBinaries: [{ operator: 'In', values: [] }] }), 'NoValues'],
  ['a path of a binary that is none never matches', lsm({ matchBinaries: [{ operator: 'In', values: ['nc'] }] }), 'BadValue'],
  ['a number that the type cannot have never matches', typed('uint8', on('Equal', ['256'])), 'NumberOutOfRange'],
  [
    'a number below what InMap begins with: 010 is ten there and eight elsewhere',
    typed('int', on('InMap', ['010'])),
    'BadValue',
    /read in two ways/,
  ],
  ['a range from its end to its beginning never matches', typed('int', on('InRange', ['9:1'])), 'BadValue'],
  ['GT of the greatest number never matches', typed('int8', on('GT', ['127'])), 'BadValue'],
  ['a list in InMap needs a reader that most hooks do not have', { ...typed('int', on('InMap', ['list:dups'])), lists: [LIST] }, 'BadList'],
  [
    'CapabilitiesGained of one set compares it with nothing',
    typed('cap_effective', { operator: 'CapabilitiesGained', args: [0] }),
    'WrongArgumentCount',
  ],
  [
    'CapabilitiesGained of a set and itself never matches',
    typed('cap_effective', { operator: 'CapabilitiesGained', args: [0, 0] }),
    'BadValue',
  ],
  [
    'CelExpr looks at one of its values',
    typed('int', { operator: 'CelExpr', values: ['arg0 == int32(1)', 'arg0 == int32(2)'] }),
    'SetTooLarge',
  ],
  ['a name of a file type with a capital fails on the nodes', typed('file', on('FileType', ['Dir'])), 'BadValue'],
  [
    'a namespace of Kubernetes among Linux namespaces fails on the nodes',
    lsm({ matchNamespaces: [{ namespace: 'Net', operator: 'In', values: ['default'] }] }),
    'BadNamespaceValue',
    /namespace: Pod/,
  ],
  [
    'followChildren with a prefix fails on the nodes',
    lsm({ matchBinaries: [{ operator: 'Prefix', values: ['/usr/'], followChildren: true }] }),
    'FollowChildrenNotPossible',
  ],
  [
    'filters on the return of a function that is not watched are never looked at',
    probe({ selectors: [{ matchReturnArgs: [on('Equal', ['0'])] }] }),
    'ReturnNotWatched',
  ],
];

const ACTIONS: readonly Case[] = [
  [
    'Override on a tracepoint does nothing, and is counted as a deny',
    tracepoint({ selectors: [{ matchActions: [{ action: 'Override', argError: -1 }] }] }),
    'OverrideOnTracepoint',
  ],
  [
    'Override on a usdt does nothing, and is counted as a deny',
    { usdts: [{ path: '/bin/a', provider: 'a', name: 'b', selectors: [{ matchActions: [{ action: 'Override', argError: -1 }] }] }] },
    'ActionNotPossible',
  ],
  [
    'Override without argError lets the call succeed without running it',
    lsm({ matchActions: [{ action: 'Override' }] }),
    'OverrideWithoutError',
  ],
  [
    'Override with a positive number lets the call succeed without running it',
    lsm({ matchActions: [{ action: 'Override', argError: 1 }] }),
    'OverrideErrorOutOfRange',
  ],
  ['Signal without a number sends signal 0, which is none', lsm({ matchActions: [{ action: 'Signal' }] }), 'BadSignal'],
  [
    'numbers of NotifyEnforcer are cut to 16 bits',
    { ...probe({ selectors: [{ matchActions: [{ action: 'NotifyEnforcer', argError: -65_537 }] }] }), enforcers: [{ calls: ['sys_dup'] }] },
    'OverrideErrorOutOfRange',
  ],
  [
    'NotifyEnforcer without an enforcer fails on the nodes',
    probe({ selectors: [{ matchActions: [{ action: 'NotifyEnforcer', argError: -1 }] }] }),
    'NoEnforcer',
  ],
  [
    'actions that enforce are refused in fentries by the nodes only',
    { fentries: [{ call: 'tcp_connect', syscall: false, selectors: [{ matchActions: [{ action: 'Sigkill' }] }] }] },
    'ActionNotPossible',
  ],
  [
    'imaHash where the kernel has no hash is a warning in a log',
    probe({ selectors: [{ matchActions: [{ action: 'Post', imaHash: true }] }] }),
    'ActionNotPossible',
  ],
  [
    'stack traces with an action other than Post are ignored',
    probe({ selectors: [{ matchActions: [{ action: 'Sigkill', kernelStackTrace: true }] }] }),
    'UselessField',
  ],
  ['rateLimitScope without rateLimit is ignored', lsm({ matchActions: [{ action: 'Post', rateLimitScope: 'global' }] }), 'UselessField'],
  [
    'a second Override undoes the first',
    lsm({
      matchActions: [
        { action: 'Override', argError: -1 },
        { action: 'Override', argError: -13 },
      ],
    }),
    'RepeatedAction',
  ],
  [
    'a list that the node fills adds nothing to an enforcer',
    {
      ...probe({ selectors: [{ matchActions: [{ action: 'NotifyEnforcer', argError: -1 }] }] }),
      lists: [{ name: 'all', type: 'generated_syscalls' }],
      enforcers: [{ calls: ['list:all'] }],
    },
    'BadList',
  ],
  [
    'a list without type takes system calls for plain functions, which do not exist',
    { kprobes: [{ call: 'list:dups', syscall: false }], lists: [{ name: 'dups', values: ['sys_dup'] }] },
    'BadHookName',
    /set "type: syscalls"/,
  ],
];

const named = (cases: readonly Case[]) => cases.map(([upstream, spec, code, said]) => ({ upstream, spec, code, said }));

function expectRefusal(spec: object, code: string, said: RegExp | undefined): void {
  const errors = findProblems(policyObject(spec)).filter((problem) => problem.severity === 'error');
  expect(errors.map((problem) => problem.code)).toContain(code);
  const found = errors.find((problem) => problem.code === code);
  expect(found?.path).toMatch(/^spec/);
  if (said !== undefined) expect(`${found?.message}; ${found?.hint}`).toMatch(said);
}

describe('upstream takes it silently, and here it is an error that names the field', () => {
  it.each(named(FIELDS))('$upstream', ({ spec, code, said }) => expectRefusal(spec, code, said));
  it.each(named(ARGUMENTS))('$upstream', ({ spec, code, said }) => expectRefusal(spec, code, said));
  it.each(named(FILTERS))('$upstream', ({ spec, code, said }) => expectRefusal(spec, code, said));
  it.each(named(ACTIONS))('$upstream', ({ spec, code, said }) => expectRefusal(spec, code, said));

  it('of two equal fields in YAML one is lost', () => {
    const text =
      'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {}\n  podSelector: {matchLabels: {a: b}}\n';
    expect(readDocuments('a.yaml', Buffer.from(text)).problems.map(({ problem, region }) => [problem.code, region.line])).toEqual([
      ['DuplicateField', 6],
    ]);
  });

  it('programs cannot be watched from a namespace, where the path would be one of the agent', () => {
    const object = policyObject({ uprobes: [{ path: '/bin/a', symbols: ['a'] }] }, 'TracingPolicyNamespaced');
    expect(findProblems(object).map(({ code }) => code)).toEqual(['NotInNamespacedPolicy']);
  });

  it('an enforcer of a namespace would share its calls with all of the same name', () => {
    const object = policyObject({ ...probe({}), enforcers: [{ calls: ['sys_dup'] }] }, 'TracingPolicyNamespaced');
    expect(findProblems(object).map(({ code }) => code)).toContain('NotInNamespacedPolicy');
  });
});

describe('upstream takes it silently, and here it means the same with a warning', () => {
  const warnings = (spec: object) => findProblems(policyObject(spec)).map(({ code, severity }) => `${severity} ${code}`);

  it('a number that is no field of a tracepoint is a position in args', () => {
    const hook = tracepoint({ args: [{ index: 4, type: 'syscall64' }], selectors: [{ matchArgs: [on('Equal', ['32'])] }] });
    expect(warnings(hook)).toEqual(['warning AmbiguousArgument']);
  });

  it('argError of Sigkill says nothing', () => {
    expect(warnings(lsm({ matchActions: [{ action: 'Sigkill', argError: -1 }] }))).toEqual(['warning UselessField']);
  });

  it('long messages and tags are cut', () => {
    expect(warnings(lsm({}, { message: 'x'.repeat(300), tags: ['y'.repeat(200)] }))).toEqual([
      'warning TextTruncated',
      'warning TextTruncated',
    ]);
  });

  it('values of operators that take none are ignored', () => {
    expect(warnings(typed('sock', on('DPortPriv', ['80'])))).toEqual(['warning UselessField']);
  });

  it('bits of an address behind its length, and ports in the wrong order, are put right', () => {
    expect(warnings(typed('sock', on('DAddr', ['10.1.2.3/8']), on('DPort', ['90:80'])))).toEqual([
      'warning HostBitsIgnored',
      'warning RangeReversed',
    ]);
  });

  it('"outside of 10.0.0.0/8" is never true of IPv6', () => {
    expect(dangersOf(policyObject(typed('sock', on('NotDAddr', ['0.0.0.0/0', 'fd00::/8']))))).toEqual([]);
    expect(dangersOf(policyObject(typed('sock', on('NotDAddr', ['10.0.0.0/8'])))).map(({ code }) => code)).toEqual(['OneAddressFamily']);
  });

  it('the first of two selectors lets pass what it names, and the second stops all the rest', () => {
    const selectors = [
      { matchBinaries: [{ operator: 'In', values: ['/usr/bin/bash'] }] },
      { matchActions: [{ action: 'Override', argError: -1 }] },
    ];
    const object = policyObject({ podSelector: {}, ...probe({ selectors }) });
    expect(dangersOf(object).map(({ code }) => code)).toContain('ImplicitException');
  });
});
