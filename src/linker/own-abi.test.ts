import { expect, it } from 'vitest';
import { CFG_LAYOUT } from '../abi/layout.ts';
import { link } from './link.ts';
import { testInput, testKernel } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

const on = (call: string, name = 'p') =>
  testPolicy(
    name,
    `kprobes: [{call: ${call}, syscall: true, args: [{index: 0, type: string}], selectors: [{matchActions: [{action: Post}]}]}]`,
  );
const arm64 = testKernel({ arch: 'aarch64' });

it("a system call that is named with the machine's own ABI shares the program of those that name it plainly", () => {
  const node = link(testInput([on('x64/sys_openat', 'a'), on('sys_openat', 'b')]));
  expect(node.problems).toEqual([]);
  expect(node.hooks.map((hook) => [hook.key, hook.members.length])).toEqual([['kprobe:__x64_sys_openat', 2]]);
  const hooksOnArm = link(testInput([on('arm64/sys_openat')], { kernel: arm64 })).hooks;
  expect(hooksOnArm.map((hook) => hook.key)).toEqual(['kprobe:__arm64_sys_openat']);
});

it('execve with its ABI has its second chance to be read as well', () => {
  const node = link(testInput([on('x64/sys_execve')]));
  expect(node.hooks.map((hook) => hook.key)).toEqual(['kprobe:__x64_sys_execve', 'late:kprobe:__x64_sys_execve']);
});

it('where only the entry of all system calls can be watched, its number is found', () => {
  const facts = { ...testKernel().facts, kprobe: false, kprobe_multi: false };
  const [hook] = link(testInput([on('x64/sys_openat')], { kernel: testKernel({ facts }) })).hooks;
  expect(hook?.key).toBe('raw_tp_sys_enter:__x64_sys_openat');
  expect(hook?.config.readInt32LE(CFG_LAYOUT.at.sysno)).toBe(257);
});

it('calls of another ABI are refused by name', () => {
  const { problems, hooks } = link(testInput([on('i386/sys_openat', 'a'), on('__ia32_sys_openat', 'b'), on('arm64/sys_openat', 'c')]));
  expect(hooks).toEqual([]);
  expect(problems.map(({ uid, reason }) => [uid, reason])).toEqual([
    ['a', 'NotInEngine'],
    ['b', 'NotInEngine'],
    ['c', 'NotInEngine'],
  ]);
});
