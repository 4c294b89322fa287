import { expect, it } from 'vitest';
import { syscallNumber, syscallValue } from './syscall-numbers.ts';

it('a system call has the number of the machine, by the name of its function', () => {
  expect(syscallNumber('sys_execve', 'x86_64')).toBe(59);
  expect(syscallNumber('sys_execve', 'aarch64')).toBe(221);
  expect(syscallNumber('sys_newstat', 'x86_64')).toBe(4);
  expect(syscallNumber('sys_no_such_call', 'x86_64')).toBeUndefined();
  expect(syscallNumber('sys_execve', 'riscv64')).toBeUndefined();
});

it('calls of 32-bit programs are told apart from those of the same number', () => {
  expect(syscallValue('sys_dup', 'x86_64')).toBe(32n);
  expect(syscallValue('x64/sys_dup', 'x86_64')).toBe(32n);
  expect(syscallValue('i386/sys_dup', 'x86_64')).toBe(0x8000_0000n + 41n);
  expect(syscallValue('i386/sys_dup', 'aarch64')).toBeUndefined();
  expect(syscallValue('arm32/sys_dup', 'x86_64')).toBeUndefined();
});
