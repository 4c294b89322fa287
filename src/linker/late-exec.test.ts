import { describe, expect, it } from 'vitest';
import { denyClasses } from '../abi/hook-table-reader.ts';
import { CFG_LAYOUT, PAL_FEAT_LATE_MARK, PAL_FEAT_LATE_RUN, PAL_FEAT_RETURNS, PAL_FEAT_SYSCALL } from '../abi/layout.ts';
import { link } from './link.ts';
import type { LinkedHook, LinkedNode } from './linked-node.ts';
import { testInput, testKernel } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

function onExec(name: string, args: string, filters: string, action = 'Sigkill'): ReturnType<typeof testPolicy> {
  return testPolicy(
    name,
    `kprobes: [{call: sys_execve, syscall: true, args: [${args}], selectors: [{${filters}, matchActions: [{action: ${action}}]}]}]`,
  );
}

const path = '{index: 0, type: string}';
const ofNc = 'matchArgs: [{index: 0, operator: Equal, values: [/bin/nc]}]';
const byPath = onExec('by-path', path, ofNc);
const byBinary = onExec('by-binary', '', 'matchBinaries: [{operator: In, values: [/usr/sbin/nginx]}]');

function keysOf(node: LinkedNode): readonly string[] {
  return node.hooks.map((hook) => hook.key).toSorted((a, b) => (a < b ? -1 : 1));
}

function only(node: LinkedNode, key: string): LinkedHook {
  const hook = node.hooks.find((entry) => entry.key === key);
  if (hook === undefined) throw new Error(`no hook ${key} among ${keysOf(node).join(' ')}`);
  return hook;
}

function features(hook: LinkedHook): number {
  return hook.config.readUInt32LE(CFG_LAYOUT.at.feat);
}

describe('an execve whose path cannot be read at its entry', () => {
  it('is decided by a late companion, under the same hook id', () => {
    const node = link(testInput([byPath]));
    const entry = only(node, 'kprobe:__x64_sys_execve');
    const late = only(node, 'late:kprobe:__x64_sys_execve');
    expect(entry.methods).toEqual(['kprobe_multi:__x64_sys_execve', 'kprobe:__x64_sys_execve']);
    expect(late.methods).toEqual(['lsm:bprm_creds_for_exec']);
    expect(features(entry) & (PAL_FEAT_LATE_MARK | PAL_FEAT_SYSCALL)).toBe(PAL_FEAT_LATE_MARK | PAL_FEAT_SYSCALL);
    expect(features(late) & PAL_FEAT_LATE_RUN).toBe(PAL_FEAT_LATE_RUN);
    expect(late.config.readUInt32LE(CFG_LAYOUT.at.hook)).toBe(entry.id);
    expect(late.recordHook).toBe(entry.id);
    expect(late.id).not.toBe(entry.id);
    expect(late.members[0]?.argSlots).toEqual(entry.members[0]?.argSlots);
  });

  it('is decided while the process is still what it was, wherever the kernel lets it', () => {
    const placeOn = (preempt: 'voluntary' | 'full', lsm: readonly string[]) =>
      only(link(testInput([byPath], { kernel: testKernel({ preempt, lsm }) })), 'late:kprobe:__x64_sys_execve').methods;
    expect(placeOn('full', ['bpf'])).toEqual(['lsm:bprm_creds_for_exec']);
    expect(placeOn('voluntary', [])).toEqual(['fmod_ret:security_bprm_creds_for_exec']);
    expect(placeOn('full', [])).toEqual(['raw_tp:sched_process_exec']);
  });

  it('is not put off for policies that look at something else of it, or at nothing: they have a hook of their own', () => {
    const byFlags = onExec(
      'by-flags',
      `${path}, {index: 4, type: int}`,
      'matchArgs: [{index: 0, operator: Equal, values: [/bin/nc]}, {index: 4, operator: Equal, values: ["0"]}]',
    );
    const together = link(testInput([byPath, byBinary, byFlags]));
    expect(keysOf(together)).toEqual(['kprobe:__x64_sys_execve', 'kprobe:__x64_sys_execve/entry', 'late:kprobe:__x64_sys_execve']);
    const own = only(together, 'kprobe:__x64_sys_execve/entry');
    expect(own.members.map((member) => member.uid).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['by-binary', 'by-flags']);
    expect(features(own) & PAL_FEAT_LATE_MARK).toBe(0);
    expect(keysOf(link(testInput([byFlags])))).toEqual(['kprobe:__x64_sys_execve/entry']);
  });

  it('is denied late as well, where a policy denies', () => {
    const kernel = testKernel({ preempt: 'voluntary' });
    const late = only(
      link(testInput([onExec('deny', path, ofNc, 'Override, argError: -13')], { kernel })),
      'late:fmod_ret:__x64_sys_execve',
    );
    expect(late.methods).toEqual(['lsm:bprm_creds_for_exec']);
    expect(features(late) & PAL_FEAT_RETURNS).toBe(PAL_FEAT_RETURNS);
    expect(denyClasses(late.table).map(({ errno }) => errno)).toEqual([-13]);
  });
});
