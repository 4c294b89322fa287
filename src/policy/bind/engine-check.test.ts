import { describe, expect, it } from 'vitest';
import { bind } from '../bind.ts';
import type { Plan, PlanAction, PlanFilter, PlanHook } from '../plan.ts';
import { kernel612, kernelWith } from '../testing/kernels.ts';
import { arg, doing, filtering, hookOn, planOf } from './testing/plans.ts';

/** Nothing is known of this kernel but that everything works. */
const kernel = kernelWith(kernel612, { catalogue: null });

function refusal(hook: PlanHook, members: Partial<Plan> = {}): string {
  const failures = bind(planOf(hook, members), kernel, 'enforce').flatMap(({ failure }) => failure ?? []);
  for (const { field, message } of failures) {
    const inside = /^spec\.\w+\[\d+\]\.(.*)$/.exec(field)?.[1];
    expect(message).toMatch(/^the engine of this version does not run .* yet/);
    if (inside !== undefined) expect(message).toContain(inside);
  }
  return failures.map(({ reason, field }) => `${reason} ${field}`).join(', ');
}

const onFile = (members: Partial<PlanHook>) => hookOn('lsm:file_open', { args: [arg(0, 'file'), arg(0, 'uint64')], ...members });

describe('What the engine of this version does not run is refused by its field', () => {
  it.each<[string, PlanHook, string]>([
    ['fentries', hookOn('fentry:vfs_read'), 'spec.fentries[0]'],
    ['raw tracepoints', hookOn('raw_tracepoint:sched/sched_switch'), 'spec.tracepoints[0]'],
    ['uprobes', hookOn('uprobe:/bin/bash'), 'spec.uprobes[0]'],
    ['usdts', hookOn('usdt:/bin/bash'), 'spec.usdts[0]'],
    ['returns', hookOn('kprobe:vfs_read', { returns: true }), 'spec.kprobes[0].return'],
    ['tracking of returned sockets', hookOn('kprobe:x', { returnSocket: 'track' }), 'spec.kprobes[0].returnArgAction'],
    ['lists that the kernel fills', hookOn('kprobe:x', { generated: { from: 'syscalls' } }), 'spec.kprobes[0].call'],
    [
      'system calls of 32-bit programs, though they may be missing',
      hookOn('kprobe:i386/sys_openat', { syscall: true, ignoreMissing: true }),
      'spec.kprobes[0].call',
    ],
    ['types', hookOn('lsm:x', { args: [arg(0, 'file'), arg(1, 'dentry')] }), 'spec.lsmhooks[0].args[1].type'],
    ['resolve', hookOn('lsm:x', { args: [arg(0, 'file', { resolve: ['f_path'] })] }), 'spec.lsmhooks[0].args[0].resolve'],
    ['data', hookOn('kprobe:x', { args: [arg(0, 'int32', { from: 'current_task', resolve: ['pid'] })] }), 'spec.kprobes[0].data[0].source'],
    ['sizes of buffers', hookOn('kprobe:x', { args: [arg(0, 'string', { sizeIndex: 1 })] }), 'spec.kprobes[0].args[0].sizeArgIndex'],
    ['copies at return', hookOn('kprobe:x', { args: [arg(0, 'string', { returnCopy: true })] }), 'spec.kprobes[0].args[0].returnCopy'],
    [
      'labels of selectors',
      onFile({ selectors: [{ path: 'spec.s[0]', filters: [], actions: [{ type: 'post' }], label: 'x' }] }),
      'spec.s[0].label',
    ],
    [
      'workloads of selectors',
      onFile({ selectors: [{ path: 'spec.s[0]', filters: [], actions: [{ type: 'post' }], workload: { podSelector: null } }] }),
      'spec.s[0].matchWorkloads',
    ],
  ])('%s', (_, hook, field) => {
    expect(refusal(hook)).toBe(`NotInEngine ${field}`);
  });

  it.each<[PlanFilter, string]>([
    [{ on: 'range', arg: 1, operator: 'InRange', ranges: [['1', '2']] }, 'matchArgs'],
    [{ on: 'mask', arg: 1, mask: '1' }, 'matchArgs'],
    [{ on: 'substring', arg: 0, values: ['x'] }, 'matchArgs'],
    [{ on: 'fileType', arg: 0, operator: 'In', values: ['reg'] }, 'matchArgs'],
    [{ on: 'bytes', arg: 0, operator: 'Prefix', values: ['/'.repeat(256)] }, 'matchArgs'],
    [{ on: 'bytes', arg: 0, operator: 'Postfix', values: ['é'.repeat(125)] }, 'matchArgs'],
    [{ on: 'pid', operator: 'In', values: ['1'] }, 'matchPIDs'],
    [{ on: 'binary', operator: 'Prefix', values: ['/bin/'] }, 'matchBinaries'],
    [{ on: 'binary', operator: 'In', values: ['/bin/sh'], followChildren: true }, 'matchBinaries'],
    [{ on: 'binary', operator: 'In', values: ['/bin/sh'], of: 'parent' }, 'matchParentBinaries'],
    [{ on: 'binary', operator: 'In', values: [`/${'b'.repeat(255)}`] }, 'matchBinaries'],
    [{ on: 'namespaceChange', operator: 'In', namespaces: ['mnt'] }, 'matchNamespaceChanges'],
  ])('filter %j', (filter, block) => {
    expect(refusal(onFile(filtering(filter)))).toBe(`NotInEngine spec.selectors[0].${block}`);
  });

  it.each<[PlanAction, string]>([
    [{ type: 'signal', signal: 15 }, ''],
    [{ type: 'track_sock', arg: 0 }, ''],
    [{ type: 'notify_enforcer', errno: -1, signal: 0 }, ''],
    [{ type: 'get_url', url: 'http://x' }, ''],
    [{ type: 'post', rateLimitMs: 1000 }, '.rateLimit'],
    [{ type: 'post', kernelStack: true }, '.kernelStackTrace'],
    [{ type: 'post', imaHash: true }, '.imaHash'],
  ])('action %j', (action, member) => {
    expect(refusal(onFile(doing({ type: 'nopost' }, action)))).toBe(`NotInEngine spec.selectors[0].matchActions[1]${member}`);
  });

  it('scopes and the loader, beside whatever the hooks are', () => {
    const scope = { namespace: null, podSelector: null };
    expect(refusal(onFile({}), { scope: { ...scope, host: 'also' } })).toBe('NotInEngine spec.hostSelector');
    const containerSelector = { matchLabels: { name: 'x' }, matchExpressions: [] };
    expect(refusal(onFile({}), { scope: { ...scope, containerSelector } })).toBe('NotInEngine spec.containerSelector');
    expect(refusal(onFile({}), { loader: true })).toBe('NotInEngine spec.loader');
  });
});

describe('What the engine runs is not refused', () => {
  it.each<[string, PlanHook]>([
    [
      'every type',
      hookOn('kprobe:x', { args: (['int8', 'uint64', 'string', 'path', 'file'] as const).map((type, index) => arg(index, type)) }),
    ],
    ['values of full length', onFile(filtering({ on: 'bytes', arg: 0, operator: 'Prefix', values: ['/'.repeat(255)] }))],
    ['endings of full length', onFile(filtering({ on: 'bytes', arg: 0, operator: 'NotPostfix', values: ['/'.repeat(248)] }))],
    ['binaries', onFile(filtering({ on: 'binary', operator: 'NotIn', values: ['/bin/sh'] }))],
    ['capabilities', onFile(filtering({ on: 'capability', set: 'effective', operator: 'In', mask: '1', isNamespaceCapability: true }))],
    ['namespaces', onFile(filtering({ on: 'namespace', namespace: 'pid', operator: 'In', values: ['host_ns'] }))],
    ['namespaces of pods', onFile(filtering({ on: 'podNamespace', operator: 'In', values: ['default'] }))],
    ['all its actions at once', onFile(doing({ type: 'post' }, { type: 'nopost' }, { type: 'sigkill' }, { type: 'override', errno: -1 }))],
    ['functions that may be missing', hookOn('kprobe:x', { ignoreMissing: true })],
  ])('%s', (_, hook) => {
    expect(refusal(hook)).toBe('');
  });
});

describe('A system call that is named with an ABI', () => {
  const messageOf = (target: string) => bind(planOf(hookOn(`kprobe:${target}`, { syscall: true })), kernel612, 'enforce')[0]?.failure;

  it('is not said to be missing on kernels whose names are known', () => {
    expect(messageOf('i386/sys_openat')).toEqual({
      reason: 'NotInEngine',
      field: 'spec.kprobes[0].call',
      message: 'the engine of this version does not run system calls of another ABI ("i386/sys_openat") yet (call)',
    });
  });

  it("is the one with the plain name if the ABI is the kernel's own", () => {
    const bound = (target: string) => bind(planOf(hookOn(`kprobe:${target}`, { syscall: true })), kernel612, 'enforce')[0];
    expect(bound('x64/sys_openat')).toEqual(bound('sys_openat'));
    expect(bound('x64/sys_openat')).toMatchObject({ failure: null, point: 'syscall:sys_openat' });
    expect(messageOf('arm64/sys_openat')?.message).toContain('of another ABI');
    expect(messageOf('x64/sys_opennat')?.message).toBe('this kernel has no system call "sys_opennat"; did you mean "sys_openat"?');
  });

  it('is no list whose name has a slash', () => {
    const hook = hookOn('kprobe:list/a', { syscall: true, generated: { from: 'syscalls' } });
    const [bound] = bind(planOf(hook), kernel612, 'enforce');
    expect(bound?.failure?.message).toContain('lists that the kernel fills');
  });
});
