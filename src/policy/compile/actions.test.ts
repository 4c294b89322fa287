import { describe, expect, it } from 'vitest';
import type { PlanHookKind } from '../plan.ts';
import { ACTIONS } from '../schema/actions.ts';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

type Action = (typeof ACTIONS)[number];

const SOCKET = { index: 0, type: 'sock' };
const HOOKS: Readonly<Record<PlanHookKind, readonly [section: string, hook: object]>> = {
  kprobe: ['kprobes', { call: 'security_socket_connect', syscall: false, args: [SOCKET] }],
  fentry: ['fentries', { call: 'security_socket_connect', syscall: false, args: [SOCKET] }],
  tracepoint: ['tracepoints', { subsystem: 'sock', event: 'inet_sock_set_state', args: [SOCKET] }],
  raw_tracepoint: ['tracepoints', { subsystem: 'sock', event: 'inet_sock_set_state', raw: true, args: [SOCKET] }],
  lsm: ['lsmhooks', { hook: 'socket_connect', args: [SOCKET] }],
  uprobe: ['uprobes', { path: '/bin/bash', symbols: ['readline'], args: [{ index: 0, type: 'int' }] }],
  usdt: ['usdts', { path: '/bin/bash', provider: 'p', name: 'n', args: [{ index: 0, type: 'int' }] }],
};

/** Each action as one writes it. */
const WRITTEN: Readonly<Record<Action, object>> = {
  Post: {},
  NoPost: {},
  Sigkill: {},
  Signal: { argSig: 15 },
  Override: { argError: -1 },
  GetUrl: { argUrl: 'http://example.test/a' },
  DnsLookup: { argFqdn: 'Example.test.' },
  TrackSock: { argSock: 0 },
  UntrackSock: { argSock: 0 },
  NotifyEnforcer: { argError: -1, argSig: 9 },
  CleanupEnforcerNotification: {},
  Set: { argIndex: 0, argValue: 7 },
};

const policyWith = (kind: PlanHookKind, actions: readonly object[], more: object = {}, policyKind = 'TracingPolicy') => {
  const [section, hook] = HOOKS[kind];
  return policyObject({ [section]: [{ ...hook, selectors: [{ matchActions: actions }], ...more }] }, policyKind);
};
const withEnforcer = (object: ReturnType<typeof policyWith>) => ({
  ...object,
  spec: { ...Object(object['spec']), enforcers: [{ calls: ['sys_dup'] }] },
});
const actionsOf = (kind: PlanHookKind, ...actions: readonly object[]) =>
  compiled(policyWith(kind, actions)).plan.hooks[0]?.selectors[0]?.actions;
const codes = (kind: PlanHookKind, ...actions: readonly object[]) => codesOf(policyWith(kind, actions));

/** Rows as in engine-spec 5 and policy-language 6; `+`: possible, `-`: refused. */
const POSSIBLE: Readonly<Record<Action, string>> = {
  //                            kprobe fentry tracepoint raw lsm uprobe usdt
  Post: '+++++++',
  NoPost: '+++++++',
  Sigkill: '+-+++++',
  Signal: '+-+++++',
  Override: '+---++-',
  GetUrl: '++++---',
  DnsLookup: '++++---',
  TrackSock: '++-----',
  UntrackSock: '++-----',
  NotifyEnforcer: '+-++---',
  CleanupEnforcerNotification: '+-++---',
  Set: '------+',
};
const KINDS = ['kprobe', 'fentry', 'tracepoint', 'raw_tracepoint', 'lsm', 'uprobe', 'usdt'] as const;

describe('actions', () => {
  it.each(ACTIONS.flatMap((action) => KINDS.map((kind, column) => [action, kind, POSSIBLE[action][column] === '+'] as const)))(
    '%s on a %s: possible is %s, and nothing is accepted that would do nothing',
    (action, kind, isPossible) => {
      const found = codesOf(withEnforcer(policyWith(kind, [{ action, ...WRITTEN[action] }]))).filter((code) => code !== 'Unused');
      expect(found).toEqual(isPossible ? [] : [expect.stringMatching(/^(ActionNotPossible|OverrideOnTracepoint)$/)]);
    },
  );

  it('stand in the plan in the order of the policy, with what they need', () => {
    expect(actionsOf('kprobe', { action: 'NoPost' }, { action: 'Signal', argSig: 15 }, { action: 'Override', argError: -13 })).toEqual([
      { type: 'nopost' },
      { type: 'signal', signal: 15 },
      { type: 'override', errno: -13 },
    ]);
    expect(
      actionsOf('tracepoint', { action: 'GetUrl', argUrl: 'HTTP://Example.test' }, { action: 'DnsLookup', argFqdn: 'A.test.' }),
    ).toEqual([
      { type: 'get_url', url: 'http://example.test/' },
      { type: 'dns_lookup', name: 'a.test' },
    ]);
    expect(actionsOf('fentry', { action: 'TrackSock', argSock: 0 })).toEqual([{ type: 'track_sock', arg: 0 }]);
    expect(actionsOf('usdt', { action: 'Set', argIndex: 0, argValue: 7 })).toEqual([{ type: 'set', arg: 0, value: 7 }]);
  });

  it('know signal 9 by one name', () => {
    expect(actionsOf('lsm', { action: 'Signal', argSig: 9 })).toEqual([{ type: 'sigkill' }]);
  });

  it('notify an enforcer of an error, a signal or both, if there is one', () => {
    const notify = (parameters: object) => policyWith('kprobe', [{ action: 'NotifyEnforcer', ...parameters }]);
    const { plan } = compiled(withEnforcer(notify({ argSig: 9 })));
    expect(plan.hooks[0]?.selectors[0]?.actions).toEqual([{ type: 'notify_enforcer', errno: 0, signal: 9 }]);
    expect(plan.enforcer).toEqual({ path: 'spec.enforcers[0]', calls: ['sys_dup'] });
    expect(problemsOf(notify({ argError: -1 }))).toEqual([
      'spec.kprobes[0].selectors[0].matchActions[0].action: NotifyEnforcer needs spec.enforcers; name the calls that may be denied there',
    ]);
    expect(codesOf(withEnforcer(notify({})))).toEqual(['MissingField']);
    expect(codesOf(withEnforcer(notify({ argError: 1 })))).toEqual(['OverrideErrorOutOfRange']);
    expect(codesOf(withEnforcer(notify({ argSig: 65 })))).toEqual(['BadSignal']);
  });

  it.each([
    ['5', 5_000],
    ['5s', 5_000],
    ['2M', 120_000],
    ['1h', 3_600_000],
    ['4294967', 4_294_967_000],
  ])('limit the rate of events to one in %s', (rateLimit, rateLimitMs) => {
    expect(actionsOf('lsm', { action: 'Post', rateLimit })).toEqual([{ type: 'post', rateLimitMs }]);
  });

  it('limit the rate for a thread, a process or all, the first being what is meant without a word', () => {
    const limited = { action: 'Post', rateLimit: '1' };
    expect(actionsOf('lsm', { ...limited, rateLimitScope: 'thread' })).toEqual([{ type: 'post', rateLimitMs: 1_000 }]);
    expect(actionsOf('lsm', { ...limited, rateLimitScope: 'global' })).toEqual([
      { type: 'post', rateLimitMs: 1_000, rateLimitScope: 'global' },
    ]);
  });

  it('show stacks where functions are entered, and hashes where IMA knows them', () => {
    const stacks = { action: 'Post', kernelStackTrace: true, userStackTrace: true };
    expect(actionsOf('uprobe', stacks)).toEqual([{ type: 'post', kernelStack: true, userStack: true }]);
    expect(codes('lsm', stacks)).toEqual(['ActionNotPossible']);
    expect(codes('tracepoint', stacks)).toEqual(['ActionNotPossible']);
    const hash = (hook: string) =>
      policyObject({ lsmhooks: [{ hook, selectors: [{ matchActions: [{ action: 'Post', imaHash: true }] }] }] });
    expect(compiled(hash('file_open')).plan.hooks[0]?.selectors[0]?.actions).toEqual([{ type: 'post', imaHash: true }]);
    expect(codesOf(hash('socket_connect'))).toEqual(['ActionNotPossible']);
    expect(codes('kprobe', { action: 'Post', imaHash: true })).toEqual(['ActionNotPossible']);
  });

  it.each([
    ['a rate that is none', 'lsm', { action: 'Post', rateLimit: 'm' }, 'BadRateLimit'],
    ['a rate of nothing', 'lsm', { action: 'Post', rateLimit: '0s' }, 'BadRateLimit'],
    ['a rate that the engine cannot count', 'lsm', { action: 'Post', rateLimit: '1194h' }, 'BadRateLimit'],
    ['a scope that is none', 'lsm', { action: 'Post', rateLimit: '1', rateLimitScope: 'pod' }, 'WrongValue'],
    ['a scope of no limit', 'lsm', { action: 'Post', rateLimitScope: 'global' }, 'UselessField'],
    ['a rate of kills', 'lsm', { action: 'Sigkill', rateLimit: '1s' }, 'UselessField'],
    ['stacks of a kill', 'kprobe', { action: 'Sigkill', kernelStackTrace: true }, 'UselessField'],
    ['an error of an event', 'lsm', { action: 'Post', argError: -1 }, 'UselessField'],
    ['an error of a kill, which only looks like a denial', 'lsm', { action: 'Sigkill', argError: -1 }, 'UselessField'],
    ['no signal', 'lsm', { action: 'Signal' }, 'BadSignal'],
    ['signal 65', 'lsm', { action: 'Signal', argSig: 65 }, 'BadSignal'],
    ['registers of the kernel', 'kprobe', { action: 'Override', argError: -1, argRegs: ['rax=1'] }, 'UselessField'],
    ['no error', 'lsm', { action: 'Override' }, 'OverrideWithoutError'],
    ['an error that is none', 'lsm', { action: 'Override', argError: -4096 }, 'OverrideErrorOutOfRange'],
    ['an address that cannot be fetched', 'kprobe', { action: 'GetUrl', argUrl: 'file:///etc/passwd' }, 'BadUrl'],
    ['no address', 'kprobe', { action: 'GetUrl' }, 'BadUrl'],
    ['a name that cannot be looked up', 'kprobe', { action: 'DnsLookup', argFqdn: 'a b' }, 'BadDomainName'],
    ['a socket that is not read', 'kprobe', { action: 'TrackSock', argSock: 1 }, 'UndeclaredArgument'],
    ['no socket', 'kprobe', { action: 'TrackSock' }, 'MissingField'],
    ['nothing to write', 'usdt', { action: 'Set', argIndex: 0 }, 'MissingField'],
    ['an argument that is not read', 'usdt', { action: 'Set', argIndex: 3, argValue: 1 }, 'UndeclaredArgument'],
  ] as const)('refuse or tell %s', (_, kind, action, code) => {
    expect(codes(kind, action)).toEqual([code]);
  });

  it('are about arguments of the right type', () => {
    const socket = policyWith('kprobe', [{ action: 'UntrackSock', argSock: 0 }], { args: [{ index: 0, type: 'file' }] });
    expect(problemsOf(socket)[0]).toContain('argument 0 has type "file", and UntrackSock is about a socket');
    const wide = policyWith('usdt', [{ action: 'Set', argIndex: 0, argValue: 1 }], { args: [{ index: 0, type: 'int64' }] });
    expect(problemsOf(wide)[0]).toContain('Set writes four bytes');
  });

  it('name arguments by number, as long as only one can be meant', () => {
    const args = [
      { index: 1, type: 'sock' },
      { index: 0, type: 'socket' },
    ];
    const track = (argSock: number, declared: readonly object[]) =>
      policyWith('kprobe', [{ action: 'TrackSock', argSock }], { args: declared });
    expect(codesOf(track(0, args))).toEqual(['BadActionArgument']);
    expect(compiled(track(2, [args[0] ?? {}, { index: 2, type: 'sock' }])).plan.hooks[0]?.selectors[0]?.actions).toEqual([
      { type: 'track_sock', arg: 1 },
    ]);
  });

  it.each([
    [{ argError: 7 }, { type: 'override', errno: 7 }],
    [{ argError: 0 }, { type: 'override', errno: 0 }],
    [
      { argRegs: ['RAX=0x10', 'rbp=%rsp', 'rip=8%rsp', 'rbp=(%rsp)'.replace('rbp', 'rcx'), 'rsp=8(%rsp)', 'rdx=-1', 'rsi=0%rdi'] },
      {
        type: 'set_registers',
        registers: ['rax=16', 'rbp=%rsp', 'rip=8%rsp', 'rcx=(%rsp)', 'rsp=8(%rsp)', 'rdx=-1', 'rsi=%rdi'],
      },
    ],
    [{ argNewSymbol: 'main.other+0x10' }, { type: 'redirect', to: 'symbol', target: 'main.other+0x10' }],
    [{ argNewAddr: 4096 }, { type: 'redirect', to: 'address', target: '4096' }],
    [{ argNewOffset: 0 }, { type: 'redirect', to: 'offset', target: '0' }],
  ])('change what a function of a program does: %j', (parameters, action) => {
    expect(actionsOf('uprobe', { action: 'Override', ...parameters })).toEqual([action]);
  });

  it.each([
    ['nothing to do instead', {}, 'OverrideWithoutError'],
    ['two things to do instead', { argError: 1, argRegs: ['rax=1'] }, 'UselessField'],
    ['what is no assignment', { argRegs: ['rax'] }, 'BadRegister'],
    ['an empty assignment', { argRegs: ['rax='] }, 'BadRegister'],
    ['a register that there is not', { argRegs: ['rzx=1'] }, 'BadRegister'],
    ['a number of more than 64 bits', { argRegs: ['rax=0x10000000000000000'] }, 'BadRegister'],
    ['a register set twice', { argRegs: ['rax=1', 'rax=2'] }, 'RepeatedName'],
    [
      'nine registers',
      { argRegs: ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10'].map((name) => `${name}=1`) },
      'TooManyRegisters',
    ],
    ['a symbol with a space', { argNewSymbol: 'a b' }, 'BadHookName'],
  ])('refuse on a function of a program %s', (_, parameters, code) => {
    expect(codes('uprobe', { action: 'Override', ...parameters })).toEqual([code]);
  });

  it.each([
    [
      'two errors',
      [
        { action: 'Override', argError: -1 },
        { action: 'Override', argError: -2 },
      ],
    ],
    [
      'two signals',
      [
        { action: 'Signal', argSig: 15 },
        { action: 'Signal', argSig: 1 },
      ],
    ],
    ['two kinds of event', [{ action: 'Post' }, { action: 'Post', rateLimit: '1m' }]],
    [
      'tracking and not',
      [
        { action: 'TrackSock', argSock: 0 },
        { action: 'UntrackSock', argSock: 0 },
      ],
    ],
  ])('do not contradict each other: %s', (_, actions) => {
    expect(codes('kprobe', ...actions)).toEqual(['RepeatedAction']);
  });

  it('reach nobody from a namespaced policy', () => {
    for (const action of ['GetUrl', 'DnsLookup'] as const) {
      expect(codesOf(policyWith('kprobe', [{ action, ...WRITTEN[action] }], {}, 'TracingPolicyNamespaced'))).toEqual([
        'NotInNamespacedPolicy',
      ]);
    }
  });

  it('make a policy an enforcing one, whatever they do to the process', () => {
    const enforces = (kind: PlanHookKind, action: object) => compiled(withEnforcer(policyWith(kind, [action]))).enforces;
    expect(enforces('lsm', { action: 'Signal', argSig: 15 })).toBe(true);
    expect(enforces('kprobe', { action: 'NotifyEnforcer', argError: -1 })).toBe(true);
    expect(enforces('usdt', { action: 'Set', argIndex: 0, argValue: 1 })).toBe(true);
    expect(enforces('uprobe', { action: 'Override', argRegs: ['rax=1'] })).toBe(true);
    expect(enforces('kprobe', { action: 'GetUrl', argUrl: 'http://a.test' })).toBe(false);
    const returning = { return: true, returnArg: { index: 0, type: 'int' }, selectors: [{ matchReturnActions: [{ action: 'Sigkill' }] }] };
    expect(compiled(policyWith('kprobe', [], returning)).enforces).toBe(true);
  });
});
