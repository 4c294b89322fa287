import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import type { ArgValue } from '../evaluate/event.ts';
import { formatProblem } from '../problem.ts';
import { PLAN_TYPES } from '../compile/argument-types.ts';
import { callBy } from '../evaluate/testing/processes.ts';
import { compiled, dangersOf, policyFiles, policyObject } from '../testing/policies.ts';
import { RECORDED, readRecorded } from '../testing/recorded-kernels.ts';
import { LSM_HOOKS_OF_SYSCALLS } from './lsm-hooks.ts';
import { STEADY_FUNCTIONS } from './unsteady-functions.ts';

const FILE = [{ index: 0, type: 'file' }];
const deny = { action: 'Override', argError: -1 };
const kill = { action: 'Sigkill' };
const inPods = { podSelector: {} };
const on = (operator: string, ...values: string[]) => ({ index: 0, operator, values });
const codes = (object: unknown): string[] => dangersOf(object).map((problem) => problem.code);
const named = (name: string, object: Record<string, unknown>) => ({ ...object, metadata: { name } });
const lsm = (selector: object, spec: object = inPods, hook = 'file_open') =>
  policyObject({ lsmhooks: [{ hook, args: FILE, selectors: [selector] }], ...spec });
const probe = (hook: object, spec: object = inPods) => policyObject({ kprobes: [hook], ...spec });
const seed = (name: string) => policyFiles('examples/seed').find((file) => file.name === name)?.object;

describe('a policy that is valid and dangerous', () => {
  it('is compiled, and each warning says where, what happens, and what would be right', () => {
    const found = dangersOf(seed('block-etc-writes.yaml'));
    expect(found.every((problem) => problem.severity === 'warning' && problem.hint !== undefined)).toBe(true);
    expect(found.map(formatProblem)).toEqual([
      'spec.kprobes[0].selectors[0]: matches /etc/ld.so.cache, which nearly every program opens when it starts: "security_file_open" would stop them all; name the files that matter, or the programs by matchBinaries',
      'spec.kprobes[0].selectors[0]: "block-etc-writes", but "security_file_open" is also passed for reading: who reads is killed; use the lsmhook file_permission, args {index: 1, type: int}, matchArgs {index: 1, operator: Equal, values: ["2"]} (2: written)',
      'spec.kprobes[0].selectors[0]: kills, but does not deny: the call of "security_file_open" still completes; deny it as well: add "action: Override, argError: -1" before Sigkill',
    ]);
  });

  it('fits into one warning of the API server, 256 characters', () => {
    for (const file of [...policyFiles('examples/seed'), ...policyFiles('examples')]) {
      for (const problem of dangersOf(file.object)) {
        expect(formatProblem(problem).length).toBeLessThanOrEqual(256);
      }
    }
  });

  it('is not what only observes what matters', () => {
    expect(codes(seed('observe-all-exec.yaml'))).toEqual([]);
    for (const file of policyFiles('examples').filter(({ name }) => /^(deny-secret|monitor-|watch-)/.test(name))) {
      expect([file.name, codes(file.object)]).toEqual([file.name, []]);
    }
  });

  it('can have hundreds of dangers, and the answer stays short', () => {
    const kprobes = Array.from({ length: 300 }, (_, index) => ({ call: `some_function_${index}`, syscall: false }));
    const found = dangersOf(policyObject({ kprobes }));
    expect(found).toHaveLength(101);
    expect(found.at(-1)).toMatchObject({ code: 'TooManyProblems', severity: 'warning', message: 'and 200 more problems' });
  });
});

describe('a policy that says writes and matches reads', () => {
  const mask = { index: 1, operator: 'Equal', values: ['2'] };
  const right = named(
    'block-etc-writes',
    policyObject({
      ...inPods,
      lsmhooks: [
        {
          hook: 'file_permission',
          args: [...FILE, { index: 1, type: 'int' }],
          selectors: [{ matchArgs: [on('Prefix', '/etc/'), mask], matchActions: [deny, kill] }],
        },
      ],
    }),
  );

  it('is told of the hook and argument that see the difference, which every recorded kernel has and the engine runs', () => {
    expect(codes(right)).toEqual([]);
    for (const kernel of RECORDED) {
      const [bound] = bind(compiled(right).plan, readRecorded(kernel), 'enforce');
      expect([kernel, bound?.failure]).toEqual([kernel, null]);
    }
  }, 30_000);

  it('then lets readers alone and stops writers', () => {
    const { plan } = compiled(right);
    const [hook] = plan.hooks;
    const file: ArgValue = { kind: 'bytes', value: Buffer.from('/etc/passwd') };
    const verdict = (bits: bigint) => hook && evaluate(plan, hook, 'enforce', callBy({}, [file, { kind: 'int', value: bits }]));
    expect(verdict(4n)).toMatchObject({ selector: null, errno: null });
    expect(verdict(2n)).toMatchObject({ selector: 0, errno: -1, kill: true });
  });

  it.each(['no-writes', 'etc-modified', 'read-only-root', 'detect-tampering'])('is recognised by its name: %s', (name) => {
    expect(codes(named(name, lsm({ matchArgs: [on('Equal', '/etc/shadow')] })))).toEqual(['ReadingAsWell']);
  });

  it.each(['alternative-dns', 'credit-cards', 'appendix', 'edition'])('is not seen in words that are about something else: %s', (name) => {
    expect(codes(named(name, lsm({ matchArgs: [on('Equal', '/etc/shadow')] })))).toEqual([]);
  });

  it('is recognised by message, tag and label too', () => {
    const hook = { hook: 'file_open', args: FILE, selectors: [{ matchArgs: [on('Equal', '/etc/shadow')] }] };
    expect(codes(policyObject({ lsmhooks: [{ ...hook, message: 'someone writes the password file' }] }))).toEqual(['ReadingAsWell']);
    expect(codes(policyObject({ lsmhooks: [{ ...hook, tags: ['fs.write'] }] }))).toEqual(['ReadingAsWell']);
    expect(codes(policyObject({ lsmhooks: [hook] }))).toEqual([]);
  });
});

describe('a denial where every program passes', () => {
  const all = (hook: string, ...selectors: object[]) => policyObject({ ...inPods, lsmhooks: [{ hook, args: FILE, selectors }] });

  it.each(['bprm_check_security', 'bprm_creds_for_exec', 'mmap_file'])('stops them all if no filter says which: %s', (hook) => {
    expect(codes(all(hook, { matchActions: [deny] }))).toEqual(['EveryProgram']);
    expect(
      codes(all(hook, { matchNamespaces: [{ namespace: 'Pod', operator: 'NotIn', values: ['kube-system'] }], matchActions: [kill] })),
    ).toContain('EveryProgram');
  });

  it('is said of system calls and tracepoints too', () => {
    expect(codes(probe({ call: 'sys_execve', selectors: [{ matchActions: [kill] }] }))).toEqual(['EveryProgram']);
    const tracepoint = { subsystem: 'sched', event: 'sched_process_exec', selectors: [{ matchActions: [kill] }] };
    expect(codes(policyObject({ ...inPods, tracepoints: [tracepoint] }))).toEqual(['EveryProgram']);
  });

  it('is none with a filter, with an exception before it, in monitor mode, or where few programs pass', () => {
    const on = { matchBinaries: [{ operator: 'In', values: ['/usr/bin/nc'] }] };
    expect(codes(all('bprm_check_security', { ...on, matchActions: [deny] }))).toEqual([]);
    expect(codes(all('bprm_check_security', { ...on, matchActions: [{ action: 'NoPost' }] }, { matchActions: [deny] }))).toEqual([]);
    const monitor = { ...inPods, options: [{ name: 'policy-mode', value: 'monitor' }] };
    expect(codes(lsm({ matchActions: [deny] }, monitor, 'mmap_file'))).toEqual([]);
    expect(codes(all('ptrace_access_check', { matchActions: [deny] }))).toEqual([]);
  });
});

describe('a filter that is wider than it looks', () => {
  it('is none after an exception for the files that all programs need, and is one after an exception for a program', () => {
    const etc = { matchArgs: [on('Prefix', '/etc/')], matchActions: [deny] };
    const needed = { matchArgs: [on('Equal', '/etc/ld.so.cache')], matchActions: [{ action: 'NoPost' }] };
    const program = { matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }], matchActions: [{ action: 'NoPost' }] };
    const after = (earlier: object) =>
      policyObject({ ...inPods, lsmhooks: [{ hook: 'file_open', args: FILE, selectors: [earlier, etc] }] });
    expect(codes(after(needed))).toEqual([]);
    expect(codes(after(program))).toEqual(['CommonFile']);
  });

  it.each([
    [on('Prefix', '/etc/'), ['CommonFile']],
    [on('Prefix', '/'), ['CommonFile']],
    [on('Postfix', '.so.6'), ['CommonFile']],
    [on('NotPrefix', '/home/'), ['CommonFile']],
    [on('Prefix', '/etc/kubernetes/'), []],
    [on('Equal', '/etc/shadow'), []],
  ])('%j', (filter, wanted) => {
    expect(codes(lsm({ matchArgs: [filter], matchActions: [deny] }))).toEqual(wanted);
  });

  it('is none for some programs, in monitor mode, or with an exception', () => {
    const etc = { matchArgs: [on('Prefix', '/etc/')], matchActions: [deny] };
    expect(codes(lsm({ ...etc, matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }] }))).toEqual([]);
    expect(codes(lsm(etc, { ...inPods, options: [{ name: 'policy-mode', value: 'monitor' }] }))).toEqual([]);
    expect(codes(lsm({ ...etc, matchArgs: [...etc.matchArgs, on('NotEqual', '/etc/ld.so.cache')] }))).toEqual([]);
  });
});

describe('a policy for the whole cluster that enforces', () => {
  const selector = { matchArgs: [on('Equal', '/etc/shadow')], matchActions: [deny] };

  it('says where, or is told that the host is meant as well', () => {
    expect(dangersOf(lsm(selector, {})).map(formatProblem)).toEqual([
      'spec.lsmhooks[0].selectors[0]: enforces in every process of every node, the host and kube-system too; add "podSelector: {}" (all pods, no host process), or try it with policy-mode monitor',
    ]);
  });

  it.each([
    ['podSelector', { podSelector: {} }],
    ['containerSelector', { containerSelector: { matchLabels: { name: 'main' } } }],
    ['hostSelector, so that the host is what is meant', { hostSelector: {} }],
    ['podSelector and hostSelector for all pods and the host', { podSelector: {}, hostSelector: {} }],
    ['nodeSelector', { nodeSelector: { matchLabels: { kind: 'edge' } } }],
    ['monitor mode', { options: [{ name: 'policy-mode', value: 'monitor' }] }],
  ])('is not with a %s', (_, spec) => {
    expect(codes(lsm(selector, spec))).toEqual([]);
  });

  it.each([
    [{ matchNamespaces: [{ namespace: 'Pod', operator: 'NotIn', values: ['kube-system'] }] }],
    [{ matchNamespaces: [{ namespace: 'Pid', operator: 'NotIn', values: ['host_ns'] }] }],
    [{ matchBinaries: [{ operator: 'In', values: ['/usr/bin/nc'] }] }],
    [{ matchWorkloads: { podSelector: { matchLabels: { app: 'web' } } } }],
  ])('is not where each selector that enforces has a scope: %j', (scope) => {
    expect(codes(lsm({ ...selector, ...scope }, {}))).toEqual([]);
  });

  it('is still one if its nodeSelector is empty, which is all nodes', () => {
    expect(codes(lsm(selector, { nodeSelector: {} }))).toEqual(['NoScope']);
  });

  it('is still one if it kills when the function returns', () => {
    const failed = { matchReturnArgs: [on('LT', '0')], matchReturnActions: [kill] };
    expect(codes(probe({ call: 'sys_setuid', return: true, returnArg: { index: 0, type: 'int' }, selectors: [failed] }, {}))).toEqual([
      'NoScope',
    ]);
  });

  it('is still one if only some programs are excepted, and is none in its own namespace or without actions', () => {
    expect(codes(lsm({ ...selector, matchBinaries: [{ operator: 'NotIn', values: ['/bin/login'] }] }, {}))).toEqual(['NoScope']);
    const namespaced = policyObject({ lsmhooks: [{ hook: 'file_open', args: FILE, selectors: [selector] }] }, 'TracingPolicyNamespaced');
    expect(codes(namespaced)).toEqual([]);
    expect(codes(lsm({ matchArgs: selector.matchArgs }, {}))).toEqual([]);
  });
});

describe('arguments of system calls that change after the check', () => {
  const path = { args: [{ index: 0, type: 'string' }], selectors: [{ matchArgs: [on('Equal', '/bin/nc')], matchActions: [kill] }] };

  it('are the danger of the other seed, whose hint is what the kernel executes', () => {
    expect(dangersOf(seed('block-reverse-shell-tools.yaml')).map(formatProblem)).toEqual([
      'spec.kprobes[0].selectors[0]: enforces by memory of the process, which it can change before the kernel of "sys_execve" reads it; enforce in the lsmhook bprm_creds_from_file, args: [{index: 1, type: file}]',
    ]);
  });

  it('are none if they are numbers, if nothing is enforced, or if the LSM hook is asked', () => {
    expect(codes(probe({ ...path, call: 'sys_execve', selectors: [{ matchArgs: path.selectors[0]?.matchArgs }] }))).toEqual([]);
    const number = { args: [{ index: 0, type: 'int' }], selectors: [{ matchArgs: [on('Equal', '0')], matchActions: [kill] }] };
    expect(codes(probe({ ...number, call: 'sys_setuid' }))).toEqual([]);
    const executed = { hook: 'bprm_creds_from_file', args: [{ index: 1, type: 'file' }] };
    const selectors = [{ matchArgs: [{ ...on('Equal', '/bin/nc'), index: 1 }], matchActions: [kill] }];
    expect(codes(policyObject({ ...inPods, lsmhooks: [{ ...executed, selectors }] }))).toEqual([]);
  });

  it('are also those of tracepoints at the entry of system calls', () => {
    const tracepoints = [{ subsystem: 'syscalls', event: 'sys_enter_execve', ...path, args: [{ index: 0, type: 'string' }] }];
    expect(codes(policyObject({ ...inPods, tracepoints }))).toContain('ArgumentCanChange');
  });

  it.each([...LSM_HOOKS_OF_SYSCALLS])('%s has an LSM hook on every recorded kernel that takes the argument', (_, better) => {
    const { hook, index, type } = better;
    const name = Object.entries(PLAN_TYPES).find(([, plan]) => plan === type)?.[0];
    const { plan } = compiled(policyObject({ lsmhooks: [{ hook, args: [{ index, type: name }] }] }));
    for (const kernel of RECORDED) {
      const [bound] = bind(plan, readRecorded(kernel), 'enforce');
      const failure = bound?.failure?.reason === 'NotInEngine' ? null : bound?.failure;
      expect([kernel, failure, bound?.notes.filter((note) => note.reason === 'BtfTypeMismatch')]).toEqual([kernel, null, []]);
    }
  });
});

describe('a kill without a deny', () => {
  const file = { call: 'sys_unlinkat', selectors: [{ matchActions: [kill] }] };

  it('comes too late for what the call does', () => {
    expect(dangersOf(probe(file)).map(formatProblem)).toEqual([
      'spec.kprobes[0].selectors[0]: kills, but does not deny: the call of "sys_unlinkat" still completes; deny it as well: add "action: Override, argError: -1" before Sigkill',
    ]);
    expect(codes(probe({ ...file, selectors: [{ matchActions: [deny, kill] }] }))).toEqual([]);
  });

  it('is enough where nothing of the call is left when the process is gone', () => {
    for (const call of ['sys_execve', 'sys_setuid', 'sys_chroot']) {
      expect([call, codes(probe({ ...file, call })).includes('KillWithoutDeny')]).toEqual([call, false]);
    }
    expect(codes(lsm({ matchActions: [kill] }, inPods, 'bprm_check_security'))).not.toContain('KillWithoutDeny');
  });

  it('cannot be helped on a tracepoint or an ordinary function, so another hook is named', () => {
    const [found] = dangersOf(probe({ call: 'tcp_connect', syscall: false, selectors: [{ matchActions: [kill] }] }));
    expect(found).toMatchObject({ code: 'KillWithoutDeny', hint: expect.stringContaining('lsmhook') });
  });
});

describe('hooks that cost too much', () => {
  it('run at every system call', () => {
    const filtered = { args: [{ index: 4, type: 'int64' }], selectors: [{ matchArgs: [{ index: 4, operator: 'Equal', values: ['59'] }] }] };
    expect(codes(policyObject({ tracepoints: [{ subsystem: 'raw_syscalls', event: 'sys_enter', ...filtered }] }))).toEqual([
      'EverySyscall',
    ]);
    const lists = [{ name: 'all', type: 'generated_syscalls' }];
    expect(codes(policyObject({ lists, kprobes: [{ call: 'list:all' }] }))).toEqual(['EverySyscall']);
    expect(codes(policyObject({ tracepoints: [{ subsystem: 'syscalls', event: 'sys_enter_execve' }] }))).toEqual([]);
  });

  it.each([
    ['kprobes', { call: 'sys_read' }],
    ['kprobes', { call: 'tcp_sendmsg', syscall: false }],
    ['lsmhooks', { hook: 'file_permission' }],
    ['kprobes', { call: 'security_file_permission', syscall: false }],
    ['tracepoints', { subsystem: 'sched', event: 'sched_switch' }],
    ['tracepoints', { subsystem: 'syscalls', event: 'sys_enter_write' }],
  ])('send an event for every call of what is called all the time: %s %j', (section, hook) => {
    expect(codes(policyObject({ [section]: [hook] }))).toEqual(['HotHook']);
    const binaries = { selectors: [{ matchBinaries: [{ operator: 'In', values: ['/bin/nc'] }] }] };
    expect(codes(policyObject({ [section]: [{ ...hook, ...binaries }] }))).toEqual([]);
    const limited = { selectors: [{ matchActions: [{ action: 'Post', rateLimit: '1m' }] }] };
    expect(codes(policyObject({ [section]: [{ ...hook, ...limited }] }))).toEqual([]);
  });
});

describe('functions inside the kernel', () => {
  it('are not kept from one version to the next, and there may be something that is', () => {
    expect(dangersOf(probe({ call: 'do_init_module', syscall: false })).map(formatProblem)).toEqual([
      'spec.kprobes[0].call: "do_init_module" is a function inside the kernel: other versions rename or inline it, or change its arguments; use the tracepoint module/module_load; or check with palisade lint --kernels all',
    ]);
    expect(codes(probe({ call: 'do_init_module', syscall: false, ignore: { callNotFound: true } }))).toEqual([]);
  });

  it.each([{ call: 'sys_openat' }, { call: 'security_file_open', syscall: false }, { call: 'tcp_connect', syscall: false }])(
    'are none of those that stay: %j',
    (hook) => {
      expect(codes(probe(hook))).toEqual([]);
    },
  );

  it('that are said to be steady are on every recorded kernel, with as many parameters', () => {
    for (const name of STEADY_FUNCTIONS) {
      const counts = RECORDED.map((kernel) => readRecorded(kernel).catalogue?.types?.kernel.prototypeOf(name)?.parameters.length);
      expect([name, new Set(counts).size, counts.includes(undefined)]).toEqual([name, 1, false]);
    }
  });
});

describe('addresses outside of a network', () => {
  const outside = (...values: string[]) => ({ matchArgs: [on('NotDAddr', ...values)] });
  const connects = (...selectors: object[]) =>
    probe({ call: 'tcp_connect', syscall: false, args: [{ index: 0, type: 'sock' }], selectors });

  it('are those of the family that the network is of, and no other', () => {
    expect(dangersOf(connects(outside('10.0.0.0/8'))).map(formatProblem)).toEqual([
      'spec.kprobes[0].selectors[0]: IPv6 never matches here: "tcp_connect" sees it, and no value is of that family; add an address of it, or a selector with operator Family, values: [AF_INET6]',
    ]);
    expect(codes(connects(outside('fd00::/8')))).toEqual(['OneAddressFamily']);
  });

  it('are of both where both are named, or the family is asked for', () => {
    expect(codes(connects(outside('10.0.0.0/8', 'fd00::/8')))).toEqual([]);
    expect(codes(connects(outside('10.0.0.0/8'), { matchArgs: [on('Family', 'AF_INET6')] }))).toEqual([]);
    expect(codes(connects({ matchArgs: [on('DAddr', '10.0.0.0/8')] }))).toEqual([]);
  });
});

describe('selectors in the wrong order', () => {
  const shells = { matchBinaries: [{ operator: 'In', values: ['/bin/bash'] }] };

  it('stop all programs but the one that is named, as a published policy does', () => {
    const selectors = (first: object) =>
      policyObject({ ...inPods, lsmhooks: [{ hook: 'socket_connect', selectors: [first, { matchActions: [deny] }] }] });
    expect(dangersOf(selectors(shells)).map(formatProblem)).toEqual([
      'spec.lsmhooks[0].selectors[0]: has no matchActions, so what it matches is reported and let pass, and all the rest is stopped by the next selector; if that is meant write "matchActions: [{action: Post}]", else move matchActions here and remove the next selector',
    ]);
    expect(codes(selectors({ ...shells, matchActions: [{ action: 'Post' }] }))).toEqual([]);
  });

  it('hide a selector behind one that always matches', () => {
    const hook = { hook: 'socket_connect', selectors: [{}, { ...shells, matchActions: [deny] }] };
    expect(dangersOf(policyObject({ ...inPods, lsmhooks: [hook] }))).toMatchObject([
      { code: 'UnreachableSelector', path: 'spec.lsmhooks[0].selectors[1]' },
    ]);
  });
});
