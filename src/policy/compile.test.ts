import { describe, expect, it } from 'vitest';
import { compiled, codesOf, findProblems, kprobePolicy, lsmPolicy, policyObject, problemsOf } from './testing/policies.ts';

const filter = { index: 0, operator: 'Equal', values: ['/etc/shadow'] };
const deny = [{ action: 'Override', argError: -1 }];
const selectorOf = (object: unknown) => compiled(object).plan.hooks[0]?.selectors[0];

describe('compiling a policy', () => {
  it('writes hooks of several kinds into one plan', () => {
    const { plan } = compiled(
      policyObject({
        lsmhooks: [{ hook: 'file_open' }],
        kprobes: [{ call: '__x64_sys_execve' }, { call: 'tcp_connect', syscall: false }],
        tracepoints: [{ subsystem: 'sched', event: 'sched_process_exec' }],
      }),
    );
    expect(plan.hooks.map(({ kind, path, target, syscall }) => [kind, path, target, syscall])).toEqual([
      ['kprobe', 'spec.kprobes[0]', 'sys_execve', true],
      ['kprobe', 'spec.kprobes[1]', 'tcp_connect', false],
      ['tracepoint', 'spec.tracepoints[0]', 'sched/sched_process_exec', false],
      ['lsm', 'spec.lsmhooks[0]', 'file_open', false],
    ]);
  });

  it('gives a hook without selectors one that reports every call', () => {
    expect(selectorOf(kprobePolicy({}))).toEqual({ path: 'spec.kprobes[0]', filters: [], actions: [{ type: 'post' }] });
  });

  it('reads In and NotIn on arguments as Equal and NotEqual', () => {
    const object = lsmPolicy({
      matchArgs: [
        { ...filter, operator: 'In' },
        { ...filter, operator: 'NotIn' },
      ],
    });
    expect(selectorOf(object)?.filters).toMatchObject([{ operator: 'Equal' }, { operator: 'NotEqual' }]);
  });

  it('numbers filters by position in args, whether the policy says index or args', () => {
    const object = kprobePolicy({
      args: [
        { index: 2, type: 'int' },
        { index: 0, type: 'file' },
      ],
      selectors: [
        { matchArgs: [filter] },
        { matchArgs: [{ ...filter, index: 2, args: [1] }] },
        { matchArgs: [{ index: 2, operator: 'Equal', values: ['7'] }] },
      ],
    });
    expect(compiled(object).plan.hooks[0]?.selectors.map((selector) => selector.filters[0])).toMatchObject([
      { on: 'bytes', arg: 1 },
      { on: 'bytes', arg: 1 },
      { on: 'int', arg: 0 },
    ]);
  });

  it('reads numbers in every base that upstream reads, and writes them in one', () => {
    const object = kprobePolicy({
      args: [{ index: 0, type: 'uint64' }],
      selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['0x10', '16', '010', '0o11', '0b1', '18446744073709551615'] }] }],
    });
    expect(selectorOf(object)?.filters).toEqual([
      { on: 'int', arg: 0, operator: 'Equal', values: ['1', '8', '9', '16', '18446744073709551615'] },
    ]);
  });

  it('knows the range of every integer type', () => {
    const codes = (type: string, value: string) =>
      codesOf(kprobePolicy({ args: [{ index: 0, type }], selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: [value] }] }] }));
    expect(codes('int', '2147483647')).toEqual([]);
    expect(codes('int', '2147483648')).toEqual(['NumberOutOfRange']);
    expect(codes('sint8', '-128')).toEqual([]);
    expect(codes('uint32', '-1')).toEqual(['NumberOutOfRange']);
    expect(codes('size_t', '18446744073709551615')).toEqual([]);
  });

  it('adds the capabilities of a filter up to one mask, in either spelling of DAC_OVERRIDE', () => {
    const object = lsmPolicy({
      matchCapabilities: [{ operator: 'In', values: ['CAP_CHOWN', 'DAC_OVERRIDE', 'CAP_DAC_OVERRIDE', 'CAP_BPF'] }],
    });
    expect(selectorOf(object)?.filters).toEqual([
      { on: 'capability', set: 'effective', operator: 'In', mask: String((1n << 39n) | 3n), isNamespaceCapability: false },
    ]);
  });

  it('tells Kubernetes namespaces from Linux namespaces', () => {
    const object = lsmPolicy({
      matchNamespaces: [
        { namespace: 'Pod', operator: 'NotIn', values: ['kube-system'] },
        { namespace: 'Mnt', operator: 'In', values: ['host_ns', '4026531841'] },
      ],
    });
    expect(selectorOf(object)?.filters).toEqual([
      { on: 'podNamespace', operator: 'NotIn', values: ['kube-system'] },
      { on: 'namespace', namespace: 'mnt', operator: 'In', values: ['4026531841', 'host_ns'] },
    ]);
    expect(problemsOf(lsmPolicy({ matchNamespaces: [{ namespace: 'Net', operator: 'In', values: ['default'] }] }))).toEqual([
      'spec.lsmhooks[0].selectors[0].matchNamespaces[0].values[0]: "default" is neither host_ns nor an inode number; for Kubernetes namespaces use "namespace: Pod"',
    ]);
  });

  it('keeps mode, options and nodeSelector apart from the plan and in it, as the digest demands', () => {
    const options = (value: string) => [
      { name: 'policy-mode', value },
      { name: 'palisade.dev/on-unknown', value: 'nomatch' },
      { name: 'palisade.dev/on-pending', value: 'apply' },
      { name: 'palisade.dev/substitute', value: 'kill' },
      { name: 'palisade.dev/event-rate', value: '50/s' },
    ];
    const enforce = compiled(lsmPolicy({ matchActions: deny }, { options: options('enforce') }));
    const monitor = compiled(lsmPolicy({ matchActions: deny }, { options: options('monitor'), nodeSelector: { matchLabels: { a: 'b' } } }));
    expect(enforce.plan.options).toEqual({ onUnknown: 'nomatch', onPending: 'apply', substitute: 'kill', eventRatePerSecond: 50 });
    expect([enforce.mode, monitor.mode]).toEqual(['enforce', 'monitor']);
    expect(monitor.digest).toBe(enforce.digest);
    expect(monitor.nodeSelector).toEqual({ matchLabels: { a: 'b' }, matchExpressions: [] });
    expect([enforce.enforces, compiled(lsmPolicy({})).enforces]).toEqual([true, false]);
  });

  it('scopes a namespaced policy to its namespace', () => {
    const { plan } = compiled(policyObject({ lsmhooks: [{ hook: 'file_open' }] }, 'TracingPolicyNamespaced'));
    expect(plan.scope).toEqual({ namespace: 'team-a', podSelector: null });
  });

  it('lets events say what the author wrote, and nothing where the message is empty', () => {
    const messageOf = (message: string) => compiled(kprobePolicy({ message })).plan.hooks[0]?.message;
    for (const text of ['a "quoted" C:\\path\n\twith \u001b', 'é', '']) expect(messageOf(text)).toBe(text);
  });

  it('cuts long messages at a whole character, and says so', () => {
    const object = kprobePolicy({ message: 'é'.repeat(200), tags: ['ab'] });
    expect(compiled(object).plan.hooks[0]?.message).toBe('é'.repeat(128));
    expect(findProblems(object)).toMatchObject([{ code: 'TextTruncated', severity: 'warning', path: 'spec.kprobes[0].message' }]);
  });
});

describe('refusing a policy', () => {
  it('finds all problems at once', () => {
    const object = kprobePolicy(
      { selectors: [{ matchArgs: [{ ...filter, index: 3 }], matchCapabilities: [{ operator: 'In', values: ['SYS_ADMIN'] }] }] },
      { options: [{ name: 'on-unknown', value: 'match' }] },
    );
    expect(problemsOf(object)).toEqual([
      'spec.options[0].name: unknown option "on-unknown"; did you mean "palisade.dev/on-unknown"?',
      'spec.kprobes[0].selectors[0].matchCapabilities[0].values[0]: Linux has no capability "SYS_ADMIN"; did you mean "CAP_SYS_ADMIN"?',
      'spec.kprobes[0].selectors[0].matchArgs[0].index: argument 3 is not among the args of this hook; declare it in args; declared: 0',
    ]);
  });

  it.each([
    ['a kernel function without "syscall: false"', { kprobes: [{ call: 'security_file_open' }] }, 'NotASyscall'],
    ['an LSM hook with a prefix', { lsmhooks: [{ hook: 'security_file_open' }] }, 'BadHookName'],
    ['a function that is none', { kprobes: [{ call: 'rm -rf /', syscall: false }] }, 'BadHookName'],
    ['a policy that watches nothing', {}, 'NoHooks'],
    [
      'an option given twice',
      {
        lsmhooks: [{ hook: 'a' }],
        options: [
          { name: 'policy-mode', value: 'monitor' },
          { name: 'policy-mode', value: 'enforce' },
        ],
      },
      'RepeatedOption',
    ],
    [
      'an option with a wrong value',
      { lsmhooks: [{ hook: 'a' }], options: [{ name: 'palisade.dev/event-rate', value: '0/s' }] },
      'BadOptionValue',
    ],
    ['the seventh argument of a function', { lsmhooks: [{ hook: 'a', args: [{ index: 6, type: 'int' }] }] }, 'ArgIndexOutOfRange'],
    [
      'a label requirement without values',
      { lsmhooks: [{ hook: 'a' }], podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      'BadLabelSelector',
    ],
    ['a message of one letter', { lsmhooks: [{ hook: 'a', message: 'x' }] }, 'TextTooShort'],
    ['65 selectors', { lsmhooks: [{ hook: 'a', selectors: Array.from({ length: 65 }, () => ({})) }] }, 'TooManySelectors'],
  ])('refuses %s', (_, spec, code) => {
    expect(codesOf(policyObject(spec))).toEqual([code]);
  });

  it.each([
    ['no values', { matchArgs: [{ ...filter, values: [] }] }, 'NoValues'],
    ['an empty value', { matchArgs: [{ ...filter, values: [''] }] }, 'BadValue'],
    ['a NUL inside a value', { matchArgs: [{ ...filter, values: ['a\0b'] }] }, 'BadValue'],
    ['an Equal of 4097 bytes', { matchArgs: [{ ...filter, values: ['a'.repeat(4097)] }] }, 'ValueTooLong'],
    ['a Postfix of 249 bytes', { matchArgs: [{ ...filter, operator: 'Postfix', values: ['a'.repeat(249)] }] }, 'ValueTooLong'],
    ['a binary that is no path', { matchBinaries: [{ operator: 'In', values: ['nc'] }] }, 'BadValue'],
    [
      'a namespace that cannot be one',
      { matchNamespaces: [{ namespace: 'Pod', operator: 'In', values: ['Kube_System'] }] },
      'BadNamespaceValue',
    ],
    ['an error that is none', { matchActions: [{ action: 'Override', argError: 1 }] }, 'OverrideErrorOutOfRange'],
    ['two errors', { matchActions: [...deny, { action: 'Override', argError: -2 }] }, 'RepeatedAction'],
    ['nine actions', { matchActions: Array.from({ length: 9 }, () => ({ action: 'Post' })) }, 'TooManyActions'],
    ['an address of a file', { matchArgs: [{ ...filter, operator: 'SAddr' }] }, 'OperatorTypeMismatch'],
  ])('refuses a selector with %s', (_, selector, code) => {
    expect(codesOf(lsmPolicy(selector))).toEqual([code]);
  });

  it('refuses to deny where the kernel cannot', () => {
    expect(codesOf(kprobePolicy({ call: 'tcp_connect', selectors: [{ matchActions: deny }] }))).toEqual(['OverrideNotPossible']);
    expect(codesOf(policyObject({ kprobes: [{ call: 'sys_linkat', selectors: [{ matchActions: deny }] }] }))).toEqual([]);
  });

  it('lets no namespaced policy reach beyond its namespace', () => {
    const hooks = { lsmhooks: [{ hook: 'file_open' }] };
    const apply = { options: [{ name: 'palisade.dev/on-pending', value: 'apply' }] };
    expect(codesOf(policyObject({ ...hooks, ...apply }, 'TracingPolicyNamespaced'))).toEqual(['NotInNamespacedPolicy']);
    expect(codesOf(policyObject({ ...hooks, hostSelector: {} }, 'TracingPolicyNamespaced'))).toContain('NotInNamespacedPolicy');
  });

  it('says of rollouts that they are still to come, and of nothing else', () => {
    const object = policyObject({ kprobes: [{ call: 'sys_read' }], options: [{ name: 'palisade.dev/rollout', value: 'slow' }] });
    expect(problemsOf(object)).toEqual([
      'spec.options[0].name: option "palisade.dev/rollout" is not supported yet; new versions go to all nodes at once; leave the option out',
    ]);
    expect(codesOf(object)).toEqual(['NotSupported']);
  });

  it('says what watches nothing and what is about the whole node only', () => {
    expect(codesOf(policyObject({ lists: [{ name: 'a', values: ['tcp_connect'] }] }))).toEqual(['NoHooks', 'Unused']);
    expect(codesOf(policyObject({ enforcers: [{ calls: ['sys_dup'] }] }))).toEqual(['NoHooks', 'Unused']);
    expect(compiled(policyObject({ loader: true })).plan).toMatchObject({ hooks: [], loader: true });
    expect(codesOf(policyObject({ loader: true, podSelector: {} }))).toEqual(['LoaderWithScope']);
    expect(codesOf(policyObject({ loader: true, podSelector: {}, containerSelector: {}, hostSelector: {} }))).toEqual([]);
    expect(codesOf(policyObject({ loader: true }, 'TracingPolicyNamespaced'))).toEqual(['NotInNamespacedPolicy']);
  });

  it('bounds the hooks of a policy, also those of a list', () => {
    const values = Array.from({ length: 1025 }, (_, index) => `function_${index}`);
    expect(codesOf(policyObject({ kprobes: [{ call: 'list:all', syscall: false }], lists: [{ name: 'all', values }] }))).toEqual([
      'TooManyHooks',
    ]);
  });

  it('finds the problems of a macro once, however many selectors use it', () => {
    const spec = {
      lsmhooks: [{ hook: 'file_open', selectors: [{ macros: ['a'] }, { macros: ['a'] }] }],
      selectorsMacros: { a: { matchBinaries: [{ operator: 'In', values: ['nc'] }] } },
    };
    expect(problemsOf(policyObject(spec))).toEqual([
      'spec.selectorsMacros.a.matchBinaries[0].values[0]: "nc" never matches: it is no absolute path',
    ]);
  });
});
