import { describe, expect, it } from 'vitest';
import { compiled, kprobePolicy, lsmPolicy, policyFiles, policyObject } from '../testing/policies.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explanation.ts';

const nameless = (): undefined => undefined;

function explained(object: unknown): Explanation {
  return explain(compiled(object), nameless);
}

/** Of a policy with one hook that has one selector. */
function conditionsOf(hook: object): readonly string[] {
  return explained(kprobePolicy(hook)).hooks[0]?.rules[0]?.conditions ?? [];
}

function effectsOf(actions: readonly object[]): readonly string[] {
  return explained(kprobePolicy({ selectors: [{ matchActions: actions }] })).hooks[0]?.rules[0]?.effects ?? [];
}

describe('The policies of the seeds', () => {
  const seeds = new Map(policyFiles('examples/seed').map(({ name, object }) => [name, explained(object)]));

  it('block-etc-writes: kills who opens a file below /etc, and does not promise more', () => {
    const { summary, who, hooks, cost } = seeds.get('block-etc-writes.yaml') ?? {};
    expect(summary).toBe('kills');
    expect(who).toEqual(['every process of every pod, and every process of the host']);
    expect(hooks).toEqual([
      {
        path: 'spec.kprobes[0]',
        when: 'a file is about to be opened, for reading or writing (kernel function security_file_open)',
        reads: ['argument 0 as file'],
        rules: [
          {
            path: 'spec.kprobes[0].selectors[0]',
            conditions: [
              'its pod is not in the Kubernetes namespace "kube-system" (never true outside pods)',
              'the process does not have CAP_SYS_ADMIN (effective)',
              'the path of the file in argument 0 begins with "/etc/"',
            ],
            effects: ['the process is killed (SIGKILL)', 'the call itself is not denied', 'an event is sent'],
          },
        ],
        hasRest: true,
        remarks: [],
      },
    ]);
    expect(cost?.class).toBe('medium');
  });

  it('block-reverse-shell-tools: kills who starts one of five programs outside two namespaces', () => {
    const { summary, hooks, beside } = seeds.get('block-reverse-shell-tools.yaml') ?? {};
    expect(summary).toBe('kills');
    expect(hooks?.[0]?.when).toBe('a program is about to be executed (system call execve)');
    expect(hooks?.[0]?.rules[0]?.conditions).toEqual([
      'its pod is not in the Kubernetes namespace "kube-system" or "monitoring" (never true outside pods)',
      'the text in argument 0 is "/bin/nc", "/bin/ncat", "/usr/bin/nc", "/usr/bin/ncat" or "/usr/bin/python3"',
    ]);
    expect(beside).toContain('while the Kubernetes namespace of a container is not known yet, nothing is done there');
  });

  it('observe-all-exec: sends an event for each, without conditions', () => {
    const { summary, hooks, cost } = seeds.get('observe-all-exec.yaml') ?? {};
    expect(summary).toBe('observes');
    expect(hooks?.[0]?.rules).toEqual([{ path: expect.any(String), conditions: [], effects: ['an event is sent'] }]);
    expect(hooks?.[0]?.hasRest).toBe(false);
    expect(cost?.class).toBe('low');
  });
});

const number = { index: 1, type: 'int' };
const socket = { call: 'tcp_connect', args: [{ index: 0, type: 'sock' }] };

describe('Conditions', () => {
  it.each([
    ['Equal', ['3', '1'], 'argument 1 is one of 1 or 3'],
    ['NotEqual', ['1'], 'argument 1 is not 1'],
    ['GT', ['100'], 'argument 1 is at least 101'],
    ['LT', ['0'], 'argument 1 is at most -1'],
    ['InRange', ['1:10', '20:30'], 'argument 1 is 1 to 10 or 20 to 30'],
    ['Mask', ['5'], 'argument 1 has one of the bits 0x5'],
  ])('on numbers: %s', (operator, values, text) => {
    expect(conditionsOf({ args: [number], selectors: [{ matchArgs: [{ index: 1, operator, values }] }] })).toEqual([text]);
  });

  it.each([
    ['Prefix', ['/etc/'], 'the path of the file in argument 0 begins with "/etc/"'],
    ['NotPostfix', ['.so', '.a'], 'the path of the file in argument 0 does not end with ".a" or ".so"'],
    ['FileType', ['reg', 'dir'], 'the file in argument 0 is one of a directory or a regular file'],
  ])('on files: %s', (operator, values, text) => {
    expect(conditionsOf({ selectors: [{ matchArgs: [{ index: 0, operator, values }] }] })).toEqual([text]);
  });

  it.each([
    ['DAddr', ['10.0.0.0/8'], 'the destination address of argument 0 is in 10.0.0.0/8'],
    ['NotSAddr', ['fd00::/8'], 'the source address of argument 0 is outside fd00::/8 (never true for an address of another family)'],
    ['DPort', ['443', '8000:8080'], 'the destination port of argument 0 is one of 443 or 8000 to 8080'],
    ['Protocol', ['IPPROTO_UDP'], 'the protocol of argument 0 is IPPROTO_UDP'],
    ['State', ['TCP_LISTEN'], 'the state of argument 0 is TCP_LISTEN'],
    ['State', ['TCP_ESTABLISHED', 'TCP_SYN_SENT'], 'the state of argument 0 is one of TCP_ESTABLISHED or TCP_SYN_SENT'],
    ['Family', ['300:400'], 'the family of argument 0 is 300 to 400'],
  ])('on sockets: %s', (operator, values, text) => {
    expect(conditionsOf({ ...socket, selectors: [{ matchArgs: [{ index: 0, operator, values }] }] })).toEqual([text]);
  });

  it.each([
    [{ matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }] }, 'the program is "/bin/sh"'],
    [
      { matchBinaries: [{ operator: 'NotIn', values: ['/bin/sh'], followChildren: true }] },
      'the process and its ancestors never ran "/bin/sh"',
    ],
    [{ matchParentBinaries: [{ operator: 'Prefix', values: ['/opt/'] }] }, 'the parent\'s program begins with "/opt/"'],
    [
      { matchPIDs: [{ operator: 'In', values: [1], isNamespacePID: true }] },
      'the process id inside its pid namespace is 1 (on the host it is 0)',
    ],
    [{ matchPIDs: [{ operator: 'NotIn', values: [1, 2], followForks: true }] }, 'neither the process id nor that of an ancestor is 1 or 2'],
    [{ matchNamespaces: [{ namespace: 'Net', operator: 'In', values: ['host_ns'] }] }, "its net namespace is the host's"],
    [
      { matchNamespaceChanges: [{ operator: 'In', values: ['Mnt'] }] },
      'the process has entered another mnt namespace since its program started',
    ],
    [
      { matchCapabilities: [{ type: 'Effective', operator: 'In', values: ['CAP_NET_RAW', 'CAP_BPF'] }] },
      'the process has CAP_NET_RAW or CAP_BPF (effective)',
    ],
    [
      { matchCapabilityChanges: [{ type: 'Effective', operator: 'In', values: ['CAP_BPF'] }] },
      'the process has gained or lost CAP_BPF (effective) since its program started',
    ],
    [
      { matchCapabilityChanges: [{ type: 'Effective', operator: 'In', values: ['CAP_BPF'], isNamespaceCapability: true }] },
      "the process has gained or lost CAP_BPF (effective, in a user namespace that is not the host's) since its program started",
    ],
  ])('on the process: %j', (selector, text) => {
    expect(conditionsOf({ selectors: [selector] })).toEqual([text]);
  });

  it('say what is converted in an expression, because that may change it, and name bits that have no name', () => {
    const args = [
      { index: 0, type: 'cap_effective' },
      { index: 1, type: 'uint32' },
    ];
    const matchArgs = [
      { index: 0, operator: 'Mask', values: ['0x8000000000000001'] },
      { index: 1, operator: 'CelExpr', values: ['int32(arg1) < int32(0)'] },
      { index: 1, operator: 'CelExpr', values: ['!(arg1 == uint32(5)) && arg1 < uint32(9)'] },
    ];
    expect(conditionsOf({ args, selectors: [{ matchArgs }] })).toEqual([
      'argument 0 has one of the bits CAP_CHOWN or 0x8000000000000000',
      'int32(argument 1) < 0',
      '(not (argument 1 == 5)) and (argument 1 < 9)',
    ]);
    const equal = [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['CAP_SYS_ADMIN,CAP_BPF', '0'] }] }];
    expect(conditionsOf({ args, selectors: equal })).toEqual(['argument 0 is one of exactly none or exactly CAP_SYS_ADMIN + CAP_BPF']);
  });

  it('leave no bound out of which the type is not known', () => {
    const tracepoint = { subsystem: 'syscalls', event: 'sys_exit_openat', args: [{ index: 5, type: 'auto' }] };
    const between = [{ matchArgs: [{ index: 5, operator: 'InRange', values: ['0:5'] }] }];
    const { hooks } = explained(policyObject({ tracepoints: [{ ...tracepoint, selectors: between }] }));
    expect(hooks[0]?.when).toBe('the system call openat returns (tracepoint syscalls/sys_exit_openat)');
    expect(hooks[0]?.rules[0]?.conditions).toEqual(['field 5 is 0 to 5']);
  });

  it('name what a kernel calls the argument, if it says', () => {
    const policy = compiled(kprobePolicy({ selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['/etc/shadow'] }] }] }));
    const [hook] = explain(policy, (_hook, index) => (index === 0 ? 'file' : undefined)).hooks;
    expect(hook?.rules[0]?.conditions).toEqual(['the path of the file in argument 0 (file) is "/etc/shadow"']);
  });

  it('show some of many values, and how many there are', () => {
    const values = Array.from({ length: 30 }, (_, at) => String(at));
    const [text] = conditionsOf({ args: [number], selectors: [{ matchArgs: [{ index: 1, operator: 'Equal', values }] }] });
    expect(text).toBe('argument 1 is one of 0, 1, 2, 3, 4, 5, 6 or 23 more');
  });
});

describe('What happens', () => {
  it.each([
    [[{ action: 'Post' }], ['an event is sent']],
    [[{ action: 'NoPost' }], ['no event is sent']],
    [[{ action: 'Sigkill' }], ['the process is killed (SIGKILL)', 'the call itself is not denied', 'an event is sent']],
    [[{ action: 'Signal', argSig: 15 }], ['SIGTERM is sent to the process', 'an event is sent']],
    [[{ action: 'Override', argError: -13 }], ['the call is denied: it fails with EACCES and has no effect', 'an event is sent']],
    [[{ action: 'GetUrl', argUrl: 'http://127.0.0.1/' }], ['the agent fetches http://127.0.0.1/', 'an event is sent']],
    [
      [{ action: 'Post', rateLimit: '2m', rateLimitScope: 'global', userStackTrace: true }],
      ["an event is sent with the program's stack, unless an equal one was sent in the last 2 minutes"],
    ],
  ])('%j', (actions, effects) => {
    expect(effectsOf(actions)).toEqual(effects);
  });

  it('a kill that goes with a deny is not said to be incomplete', () => {
    const both = [{ action: 'Sigkill' }, { action: 'Override', argError: -1 }];
    const { summary, hooks } = explained(lsmPolicy({ matchActions: both }));
    expect(summary).toBe('denies and kills');
    expect(hooks[0]?.rules[0]?.effects).not.toContain('the call itself is not denied');
  });

  it('who is killed gets no other signal', () => {
    const effects = effectsOf([{ action: 'Signal', argSig: 10 }, { action: 'Sigkill' }]);
    expect(effects).toEqual(['the process is killed (SIGKILL)', 'the call itself is not denied', 'an event is sent']);
  });

  it('a function of a program that returns at once is no denial of the kernel', () => {
    const uprobe = { path: '/bin/bash', symbols: ['readline'], selectors: [{ matchActions: [{ action: 'Override', argError: 5 }] }] };
    expect(explained(policyObject({ uprobes: [uprobe] })).summary).toBe('changes what programs do');
  });

  it('a rule behind one without conditions is never reached', () => {
    const [hook] = explained(kprobePolicy({ selectors: [{ matchActions: [{ action: 'NoPost' }] }, { matchActions: [] }] })).hooks;
    expect(hook?.rules[1]?.effects).toEqual(['this rule is never reached: one before it has no conditions']);
    expect(hook?.hasRest).toBe(false);
  });

  it('who enforces is told whom it spares', () => {
    const spared = expect.stringContaining('pid 1, the kubelet and the container runtime');
    expect(explained(lsmPolicy({ matchActions: [{ action: 'Override', argError: -1 }] })).beside).toContainEqual(spared);
    expect(explained(lsmPolicy({})).beside).not.toContainEqual(spared);
  });

  it('monitor mode does nothing of it, and says so first', () => {
    const options = [{ name: 'policy-mode', value: 'monitor' }];
    const { summary, beside } = explained(lsmPolicy({ matchActions: [{ action: 'Override', argError: -1 }] }, { options }));
    expect(summary).toBe('observes (monitor mode; else it denies)');
    expect(beside[0]).toContain('monitor mode: nothing is denied');
  });

  const writeAndReturn = {
    call: 'sys_write',
    syscall: true,
    args: [{ index: 0, type: 'int' }],
    return: true,
    returnArg: { index: 0, type: 'int' },
  };

  it('one event tells of entry and return, when the call returns', () => {
    const policy = kprobePolicy({ ...writeAndReturn, selectors: [{ matchReturnArgs: [{ index: 0, operator: 'LT', values: ['0'] }] }] });
    const { hooks, cost } = explained(policy);
    expect(hooks[0]?.when).toBe('something is about to be written (system call write), and again when it returns');
    expect(hooks[0]?.rules[0]).toMatchObject({
      conditions: [],
      effects: ['its return is waited for'],
      atReturn: { conditions: ['the return value is at most -1'], effects: ['an event is sent'] },
    });
    expect(cost.class).toBe('high');
  });

  it('the event of a denied call does not wait for a return', () => {
    const policy = kprobePolicy({ ...writeAndReturn, selectors: [{ matchActions: [{ action: 'Override', argError: -1 }] }] });
    const [rule] = explained(policy).hooks[0]?.rules ?? [];
    expect(rule?.effects.at(-1)).toBe('an event is sent at once, because a denied call does not return');
    expect(rule).not.toHaveProperty('atReturn');
  });
});

it('functions of a list are explained together', () => {
  const lists = [{ name: 'some', type: 'syscalls', values: ['sys_open', 'sys_openat', 'sys_kill'] }];
  const { hooks } = explained(policyObject({ lists, kprobes: [{ call: 'list:some', syscall: true, args: [{ index: 0, type: 'int' }] }] }));
  expect(hooks).toMatchObject([
    {
      path: 'spec.kprobes[0]',
      when: 'one of 3 functions is reached: system call kill, system call open or system call openat',
      reads: ['argument 0 as int32'],
    },
  ]);
});

describe('In a container whose pod is not known yet', () => {
  const deny = { matchActions: [{ action: 'Override', argError: -1 }] };
  const notKubeSystem = { matchNamespaces: [{ namespace: 'Pod', operator: 'NotIn', values: ['kube-system'] }] };
  const apply = { options: [{ name: 'palisade.dev/on-pending', value: 'apply' }] };
  const web = { podSelector: { matchLabels: { app: 'web' } } };
  const allPods = { podSelector: {} };
  const pending = (object: unknown): readonly string[] => explained(object).beside.filter((text) => text.includes('known yet'));

  it('what is about all pods holds', () => {
    expect(pending(lsmPolicy(deny, allPods))).toEqual(['this holds in containers whose pod is not known yet as well']);
  });

  it('what asks for labels or a namespace waits for them', () => {
    expect(pending(lsmPolicy(deny, web))).toEqual(['while the pod of a container is not known yet, nothing is done there']);
    expect(pending(lsmPolicy({ ...deny, ...notKubeSystem }))).toEqual([
      'while the Kubernetes namespace of a container is not known yet, nothing is done there',
    ]);
  });

  it('a policy that says apply enforces, and keeps its exceptions', () => {
    const exception = { matchBinaries: [{ operator: 'In', values: ['/bin/ok'] }], matchActions: [{ action: 'NoPost' }] };
    const policy = kprobePolicy({ selectors: [exception, deny] }, { ...web, ...apply });
    expect(pending(policy)).toEqual(['while the pod of a container is not known yet, this holds there, whatever pod it will be']);
    expect(pending(lsmPolicy(deny, { ...web, ...apply }))).toEqual([
      'while the pod of a container is not known yet, this holds there, whatever pod it will be',
    ]);
  });

  it('nothing is said where nobody asks for pods', () => {
    expect(pending(lsmPolicy(deny))).toEqual([]);
    expect(pending(lsmPolicy(deny, { hostSelector: {} }))).toEqual([]);
  });
});

describe('Whom a policy is about', () => {
  const hook = { lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }] }] };
  it.each([
    [{ podSelector: {} }, ['processes of all pods', 'never a process of the host']],
    [
      { podSelector: { matchLabels: { app: 'web' } }, hostSelector: {} },
      ['processes of pods with the label app = "web"', 'and every process of the host'],
    ],
    [{ hostSelector: {} }, ['processes of the host only: those outside all pods']],
    [
      { containerSelector: { matchExpressions: [{ key: 'name', operator: 'NotIn', values: ['proxy'] }] } },
      ['processes in containers without name = "proxy" of all pods', 'never a process of the host'],
    ],
    [
      { nodeSelector: { matchExpressions: [{ key: 'gpu', operator: 'Exists' }] } },
      ['every process of every pod, and every process of the host', 'only on nodes that have the label gpu'],
    ],
  ])('%j', (spec, who) => {
    expect(explained(policyObject({ ...hook, ...spec })).who).toEqual(who);
  });

  it('of a namespace: its pods', () => {
    expect(explained(policyObject(hook, 'TracingPolicyNamespaced')).who).toEqual([
      'processes of all pods in the namespace "team-a"',
      'never a process of the host',
    ]);
  });
});
