import { describe, expect, it } from 'vitest';
import { readPlanes } from '../abi/hook-config.ts';
import { denyClasses, selectorAt, tableMask } from '../abi/hook-table-reader.ts';
import { CFG_LAYOUT, PAL_CLASS_PENDING, PAL_FEAT_OVERLAY_FILTER, PAL_FEAT_OVERRIDE, PAL_FEAT_RETURNS, PAL_P_SCOPE } from '../abi/layout.ts';
import { diffNodes } from './diff.ts';
import { link } from './link.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';
import { WHOLE_ENGINE } from './link-target.ts';
import { decodeSelector, type LinkedHook, type LinkedNode } from './linked-node.ts';
import { classRow, scopeRows } from './scope.ts';
import { testInput, testKernel } from './testing/kernels.ts';
import { fileOpenPolicy, testPolicy } from './testing/policies.ts';

const etc = fileOpenPolicy('etc', { prefix: '/etc/' });
const execKill = `kprobes:
- call: sys_execve
  syscall: true
  args: [{index: 0, type: string}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: [/bin/nc]}]
    matchActions: [{action: Sigkill}]`;
const kprobeOnFileOpen = `kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors: [{matchActions: [{action: Post}]}]`;

function only(node: LinkedNode, key: string): LinkedHook {
  const hook = node.hooks.find((entry) => entry.key === key);
  if (hook === undefined) throw new Error(`no hook ${key} among ${node.hooks.map((entry) => entry.key).join(' ')}`);
  return hook;
}

function next(node: LinkedNode, policies: readonly LinkPolicy[], changes: Partial<LinkInput> = {}): LinkedNode {
  return link(testInput(policies, { allocation: node.allocation, ...changes }));
}

function features(hook: LinkedHook): number {
  return hook.config.readUInt32LE(CFG_LAYOUT.at.feat);
}

describe('a link', () => {
  it('fuses an lsm hook and a kprobe on its function into one program, and keeps both their names for events', () => {
    const watch = testPolicy('watch', kprobeOnFileOpen);
    const node = link(testInput([etc, watch]));
    expect(node.problems).toEqual([]);
    expect(node.hooks).toHaveLength(1);
    const hook = only(node, 'lsm:file_open');
    expect(hook.methods).toEqual(['lsm:file_open']);
    expect(new Map(hook.members.map((member) => [member.uid, member.path]))).toEqual(
      new Map([
        ['etc', 'spec.lsmhooks[0]'],
        ['watch', 'spec.kprobes[0]'],
      ]),
    );
    expect(features(hook) & PAL_FEAT_RETURNS).toBe(PAL_FEAT_RETURNS);
    expect(features(hook) & PAL_FEAT_OVERLAY_FILTER).toBe(PAL_FEAT_OVERLAY_FILTER);
  });

  it('gives every selector its policy, its hook in the plan and its place in it', () => {
    const twice = testPolicy(
      'twice',
      `${kprobeOnFileOpen}\nlsmhooks: [{hook: file_open, selectors: [{matchActions: [{action: Post}]}, {matchActions: [{action: NoPost}]}]}]`,
    );
    const hook = only(link(testInput([twice])), 'lsm:file_open');
    const placesOf = (hookIndex: number): unknown[] => {
      const member = hook.members.find((entry) => entry.hookIndex === hookIndex);
      if (member === undefined) throw new Error(`hook ${hookIndex} is not there`);
      return Array.from({ length: member.selectorCount }, (_, i) => decodeSelector(selectorAt(hook.table, member.firstBit + i).selector));
    };
    expect(placesOf(0)).toEqual([{ hookIndex: 0, selectorIndex: 0 }]);
    expect(placesOf(1)).toEqual([
      { hookIndex: 1, selectorIndex: 0 },
      { hookIndex: 1, selectorIndex: 1 },
    ]);
  });

  it('keeps numbers from link to link while policies come and go', () => {
    const first = link(testInput([etc, testPolicy('exec', execKill)]));
    const numberOf = (node: LinkedNode, uid: string): number | undefined => node.policies.find((entry) => entry.ref.uid === uid)?.number;
    const second = next(first, [testPolicy('exec', execKill), fileOpenPolicy('opt', { prefix: '/opt/' })]);
    const third = next(second, [etc, testPolicy('exec', execKill)]);
    expect(numberOf(second, 'exec')).toBe(numberOf(first, 'exec'));
    expect(numberOf(third, 'exec')).toBe(numberOf(first, 'exec'));
    expect(numberOf(second, 'opt')).not.toBe(numberOf(first, 'etc'));
    expect(only(second, 'kprobe:__x64_sys_execve').id).toBe(only(first, 'kprobe:__x64_sys_execve').id);
  });

  it('is the same whatever order the policies come in', () => {
    const policies = ['a', 'b', 'c', 'd'].map((name) => fileOpenPolicy(name, { prefix: `/${name}/`, binaries: [`/bin/${name}`] }));
    const one = link(testInput(policies));
    const other = link(testInput(policies.toReversed()));
    expect(other.label.equals(one.label)).toBe(true);
  });

  it('a change of mode is a change of data alone: the verified program stays', () => {
    const before = link(testInput([etc]));
    const after = next(before, [{ ...etc, mode: 'monitor' }]);
    const [old, now] = [only(before, 'lsm:file_open'), only(after, 'lsm:file_open')];
    expect(now.configDigest).toBe(old.configDigest);
    expect(now.dataDigest).not.toBe(old.dataDigest);
    expect(denyClasses(now.table)).toEqual([]);
    expect(tableMask(now.table, 'wdeny')).not.toBe(0n);
    expect(diffNodes(before, after).map(({ send }) => send)).toEqual(['DATA']);
  });

  it('shares a hook that no policy changed', () => {
    const exec = testPolicy('exec', execKill);
    const before = link(testInput([etc, exec]));
    const after = next(before, [{ ...etc, mode: 'monitor' }, exec]);
    const sent = new Map(diffNodes(before, after).map(({ hook, send }) => [hook.key, send]));
    expect(sent.get('lsm:file_open')).toBe('DATA');
    expect(sent.get('kprobe:__x64_sys_execve')).toBe('SHARE');
    expect(diffNodes(null, after).every(({ send }) => send === 'HOOK')).toBe(true);
  });

  it('a change of a pod selector changes the data of its hooks, although their tables are the same', () => {
    const select = (label: string): LinkPolicy => testPolicy('pods', `podSelector: {matchLabels: {app: ${label}}}\n${kprobeOnFileOpen}`);
    const before = link(testInput([select('a')]));
    const after = next(before, [select('b')]);
    expect(only(after, 'lsm:file_open').table.equals(only(before, 'lsm:file_open').table)).toBe(true);
    expect(only(after, 'lsm:file_open').dataDigest).not.toBe(only(before, 'lsm:file_open').dataDigest);
  });

  it('orders errors by severity: EPERM before EACCES before the rest', () => {
    const policies = [-5, -13, -1, -2].map((errno) => fileOpenPolicy(`p${errno}`, { prefix: `/${-errno}/`, errno }));
    expect(denyClasses(only(link(testInput(policies)), 'lsm:file_open').table).map((entry) => entry.errno)).toEqual([-1, -13, -2, -5]);
  });

  it('puts a kill in the place of a deny where that is all the kernel has and the policy allows it', () => {
    const policy = testPolicy(
      'deny',
      `options: [{name: palisade.dev/substitute, value: kill}]
kprobes:
- call: sys_unlink
  syscall: true
  selectors: [{matchActions: [{action: Override, argError: -1}]}]`,
    );
    const kernel = testKernel({ lsm: [], facts: { ...testKernel().facts, override_return: false, fmod_ret: false } });
    const hook = only(link(testInput([policy], { kernel })), 'kprobe:__x64_sys_unlink');
    expect(hook.members[0]?.substituted).toBe(true);
    expect(denyClasses(hook.table)).toEqual([]);
    expect(tableMask(hook.table, 'kill')).not.toBe(0n);
  });

  it('keeps a hook that overrides return values apart from those that watch the same function', () => {
    const deny = testPolicy(
      'deny',
      'kprobes: [{call: sys_unlink, syscall: true, selectors: [{matchActions: [{action: Override, argError: -1}]}]}]',
    );
    const watch = testPolicy('watch', 'kprobes: [{call: sys_unlink, syscall: true, selectors: [{matchActions: [{action: Post}]}]}]');
    const node = link(testInput([deny, watch], { target: WHOLE_ENGINE }));
    expect(node.hooks.map((hook) => [hook.key, (features(hook) & PAL_FEAT_OVERRIDE) !== 0])).toEqual(
      expect.arrayContaining([
        ['kprobe:__x64_sys_unlink', false],
        ['kprobe_override:__x64_sys_unlink', true],
      ]),
    );
  });

  it('gives a policy that wants its probe alone a hook of its own, beside the one that others have attached with a link for many', () => {
    const call = (option: string): string =>
      `kprobes: [{call: tcp_connect, syscall: false, selectors: [{matchActions: [{action: Sigkill}]}]}]${option}`;
    const many = testPolicy('many', call(''));
    const alone = testPolicy('alone', call('\noptions: [{name: disable-kprobe-multi, value: "true"}]'));
    const before = link(testInput([many]));
    const after = next(before, [many, alone]);
    expect(after.problems).toEqual([]);
    const [first, second] = [only(after, 'kprobe:tcp_connect'), only(after, 'kprobe_single:tcp_connect')];
    expect([first.id, first.methods]).toEqual([only(before, 'kprobe:tcp_connect').id, ['kprobe_multi:tcp_connect', 'kprobe:tcp_connect']]);
    expect([second.id === first.id, second.methods]).toEqual([false, ['kprobe:tcp_connect']]);
    expect([first, second].map((hook) => [hook.members.map(({ uid }) => uid), tableMask(hook.table, 'kill') !== 0n])).toEqual([
      [['many'], true],
      [['alone'], true],
    ]);
  });

  it('shares one hook with policies that want their probes alone where the kernel has no link for many', () => {
    const kernel = testKernel({ facts: { ...testKernel().facts, kprobe_multi: false } });
    const call = 'kprobes: [{call: tcp_connect, syscall: false}]';
    const alone = testPolicy('alone', `${call}\noptions: [{name: disable-kprobe-multi, value: "true"}]`);
    const node = link(testInput([testPolicy('many', call), alone], { kernel }));
    expect(node.hooks.map((hook) => [hook.key, hook.members.length])).toEqual([['kprobe:tcp_connect', 2]]);
  });

  it('skips a hook that may be missing once the loader has not found its function, and fails policies that did not say so', () => {
    const spec = (ignore: string): string => `kprobes:
- {call: security_file_open, syscall: false}
- {call: no_such_function, syscall: false${ignore}}`;
    const lenient = testPolicy('lenient', spec(', ignore: {callNotFound: true}'));
    const strict = testPolicy('strict', spec(''));
    const missing = { reason: 'FunctionNotFound' as const, message: 'no such function' };
    const unusable = new Map([
      ['kprobe_multi:no_such_function', missing],
      ['kprobe:no_such_function', missing],
    ]);
    const node = link(testInput([lenient, strict], { unusable }));
    expect(node.policies.map(({ ref, skippedHooks }) => [ref.uid, skippedHooks])).toEqual([['lenient', [1]]]);
    expect(node.hooks.map(({ key }) => key)).toEqual(['lsm:file_open']);
    expect(node.problems).toMatchObject([{ uid: 'strict', reason: 'FunctionNotFound', path: 'spec.kprobes[1]' }]);
  });

  it('does not skip a hook that may be missing when anything else keeps it from being attached', () => {
    const lenient = testPolicy('lenient', 'kprobes: [{call: tcp_connect, syscall: false, ignore: {callNotFound: true}}]');
    const unusable = new Map([
      ['kprobe_multi:tcp_connect', { reason: 'MemoryLimit' as const, message: 'no memory' }],
      ['kprobe:tcp_connect', { reason: 'FunctionNotFound' as const, message: 'no such function' }],
    ]);
    expect(link(testInput([lenient], { unusable })).problems).toMatchObject([{ uid: 'lenient', reason: 'MemoryLimit' }]);
  });

  it('skips a system call that no kernel has instead of looking for it at the entry of all of them', () => {
    const lenient = testPolicy('lenient', 'kprobes: [{call: sys_no_such, syscall: true, ignore: {callNotFound: true}}]');
    const missing = { reason: 'FunctionNotFound' as const, message: 'no such function' };
    const unusable = new Map([
      ['kprobe_multi:__x64_sys_no_such', missing],
      ['kprobe:__x64_sys_no_such', missing],
    ]);
    const node = link(testInput([lenient], { unusable }));
    expect([node.problems, node.hooks, node.policies.map(({ skippedHooks }) => skippedHooks)]).toEqual([[], [], [[0]]]);
  });

  it('puts all policies at a point on fmod_ret where one of them denies there, since nothing behind it sees what it denied', () => {
    const kernel = testKernel({ preempt: 'voluntary', facts: { ...testKernel().facts, d_path_lsm: false } });
    const shutdown = testPolicy('other', 'lsmhooks: [{hook: task_kill, selectors: [{matchActions: [{action: Post}]}]}]');
    const node = link(testInput([etc, testPolicy('watch', kprobeOnFileOpen), shutdown], { kernel }));
    expect(node.problems).toEqual([]);
    expect(node.hooks.map((hook) => [hook.key, hook.methods])).toEqual(
      expect.arrayContaining([
        ['fmod_ret:security_file_open', ['fmod_ret:security_file_open']],
        ['lsm:task_kill', ['lsm:task_kill']],
      ]),
    );
    expect(only(node, 'fmod_ret:security_file_open').members).toHaveLength(2);
  });

  it('goes on without a way of attaching that has failed, and says why when none is left', () => {
    const unusable = new Map([['lsm:file_open', { reason: 'TrampolineLimit' as const, message: 'full' }]]);
    const watch = testPolicy('watch', kprobeOnFileOpen);
    const node = link(testInput([etc, watch], { unusable }));
    expect(node.hooks.map((hook) => hook.key)).toEqual(['kprobe:security_file_open']);
    expect(node.problems).toEqual([{ uid: 'etc', reason: 'TrampolineLimit', path: 'spec.lsmhooks[0]', message: 'full' }]);
  });

  it('says what is missing in the words of the policy: who asked for a function hears of no LSM hook', () => {
    const missing = (reason: 'LsmHookNotFound' | 'FunctionNotFound') => ({ reason, message: 'not there' });
    const unusable = new Map([
      ['lsm:file_open', missing('LsmHookNotFound')],
      ['fmod_ret:security_file_open', missing('FunctionNotFound')],
      ['kprobe_multi:security_file_open', missing('FunctionNotFound')],
      ['kprobe:security_file_open', missing('FunctionNotFound')],
    ]);
    const node = link(testInput([etc, testPolicy('watch', kprobeOnFileOpen)], { unusable }));
    expect(node.problems.map(({ uid, reason }) => [uid, reason])).toEqual([
      ['etc', 'LsmHookNotFound'],
      ['watch', 'FunctionNotFound'],
    ]);
  });
});

describe('scope', () => {
  const pod = { uid: 'u1', namespace: 'team-a', labels: { app: 'web' } };
  const other = { uid: 'u2', namespace: 'team-b', labels: { app: 'web' } };

  it('a policy of a namespace acts on the pods of that namespace, and on no pending or host process', () => {
    const team = fileOpenPolicy('team', { prefix: '/srv/' }, { namespace: 'team-a' });
    const hook = only(link(testInput([etc, team], { pods: [pod, other] })), 'lsm:file_open');
    const bit = 1n << BigInt(hook.members.find((member) => member.uid === 'team')?.firstBit ?? 0);
    expect(classRow(hook.scope, pod)).toBe(bit);
    expect(classRow(hook.scope, other)).toBe(0n);
    expect(scopeRows(hook.scope, new Map()).get(PAL_CLASS_PENDING)).toBeUndefined();
    expect(readPlanes(hook.config)[0]?.source).toBe(PAL_P_SCOPE);
  });

  it('only a policy of the cluster that asks for it acts on containers whose pod is not known yet', () => {
    const spec = (option: string): string =>
      `options: [{name: palisade.dev/on-pending, value: ${option}}]\npodSelector: {matchLabels: {app: web}}\n${execKill}`;
    const row = (option: string): bigint | undefined =>
      scopeRows(only(link(testInput([testPolicy('p', spec(option))])), 'kprobe:__x64_sys_execve').scope, new Map()).get(PAL_CLASS_PENDING);
    expect(row('apply')).toBe(1n);
    expect(row('wait')).toBeUndefined();
  });

  it('pods that are alike share a class, which stays theirs whatever happens to policies', () => {
    const twin = { ...pod, uid: 'u3' };
    const first = link(testInput([etc], { pods: [pod, other, twin] }));
    expect(first.podClasses.get('u3')).toBe(first.podClasses.get('u1'));
    expect(first.podClasses.get('u2')).not.toBe(first.podClasses.get('u1'));
    const second = next(first, [], { pods: [other, twin] });
    expect(second.podClasses.get('u3')).toBe(first.podClasses.get('u1'));
  });

  it('a hook without scoped selectors looks at no class', () => {
    const hook = only(link(testInput([etc])), 'lsm:file_open');
    expect(readPlanes(hook.config).some((plane) => plane.source === PAL_P_SCOPE)).toBe(false);
  });
});

describe('budgets', () => {
  function wide(name: string, selectors: number, namespace?: string): LinkPolicy {
    const list = Array.from(
      { length: selectors },
      (_, i) => `  - matchArgs: [{index: 0, operator: Prefix, values: [/${name}/${i}/]}]`,
    ).join('\n');
    const spec = `lsmhooks:\n- hook: file_open\n  args: [{index: 0, type: file}]\n  selectors:\n${list}`;
    return testPolicy(name, spec, namespace === undefined ? {} : { namespace });
  }

  it('four policies of 64 selectors fill a hook; the fifth is refused by name and the others run', () => {
    const first = link(testInput(['a', 'b', 'c', 'd'].map((name) => wide(name, 64))));
    expect(first.problems).toEqual([]);
    const second = next(
      first,
      ['0', 'a', 'b', 'c', 'd'].map((name) => wide(name, 64)),
    );
    expect(second.problems).toMatchObject([{ uid: '0', reason: 'HookSelectorBudget', path: 'spec.lsmhooks[0]' }]);
    expect(second.policies.map((entry) => entry.ref.uid)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('policies of namespaces leave a quarter of a hook to the cluster', () => {
    const node = link(testInput([...['a', 'b', 'c', 'd'].map((name) => wide(name, 64, 'team-a')), wide('cluster', 64)]));
    expect(node.problems).toHaveLength(1);
    expect(node.problems[0]).toMatchObject({ reason: 'HookSelectorBudget' });
    expect(node.policies.map((entry) => entry.ref.uid)).toContain('cluster');
  });

  it('a policy that returns a ninth error on a hook is refused', () => {
    const policies = Array.from({ length: 9 }, (_, i) => fileOpenPolicy(`p${i}`, { prefix: `/${i}/`, errno: -1 - i }));
    expect(link(testInput(policies)).problems).toMatchObject([{ reason: 'TooManyActions' }]);
  });

  it('257 different sets of binaries are one too many for a node', () => {
    const policies = Array.from({ length: 257 }, (_, i) =>
      testPolicy(`p${i}`, `kprobes: [{call: f${i}, syscall: false, selectors: [{matchBinaries: [{operator: In, values: [/bin/${i}]}]}]}]`),
    );
    const node = link(testInput(policies));
    expect(node.problems).toMatchObject([{ reason: 'NodeSetBudget', path: 'spec.kprobes[0].selectors[0]' }]);
    expect(node.policies).toHaveLength(256);
  });
});

describe('what the kernel says of a function', () => {
  it('an argument that the function does not have, or has as another type, is the policy that names it', () => {
    const prototypes = new Map([
      ['lsm:file_open', { kind: 'function' as const, args: [{ index: 0, bytes: 8, signed: false, type: 'struct:inode' }] }],
    ]);
    expect(link(testInput([etc], { prototypes })).problems).toMatchObject([
      { uid: 'etc', reason: 'BtfTypeMismatch', path: 'spec.lsmhooks[0]' },
    ]);
    const none = new Map([['lsm:file_open', { kind: 'function' as const, args: [] }]]);
    expect(link(testInput([etc], { prototypes: none })).problems).toMatchObject([{ reason: 'ArgIndexOutOfRange' }]);
  });

  it('a tracepoint whose format is not known cannot be linked', () => {
    const policy = testPolicy('tp', 'tracepoints: [{subsystem: sched, event: sched_switch, args: [{index: 4, type: int32}]}]');
    expect(link(testInput([policy], { prototypes: new Map([['tracepoint:sched/sched_switch', null]]) })).problems).toMatchObject([
      { reason: 'TracepointMissing' },
    ]);
  });
});
