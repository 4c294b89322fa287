import { describe, expect, it } from 'vitest';
import { nearestName, nearestNames } from './nearest.ts';

describe('the nearest name', () => {
  it.each([
    ['security_file_opn', 'security_file_open'],
    ['Prefx', 'Prefix'],
    ['CAP_SYS_ADMN', 'CAP_SYS_ADMIN'],
    ['matchBinarys', 'matchBinaries'],
    ['prefix', 'Prefix'],
    ['tcp_conncet', 'tcp_connect'],
  ])('of %s is %s', (name, expected) => {
    expect(nearestName(name, ['security_file_open', 'Prefix', 'Postfix', 'CAP_SYS_ADMIN', 'matchBinaries', 'tcp_connect', 'x'])).toBe(
      expected,
    );
  });

  it('is none if nothing is near', () => {
    expect(nearestName('banana', ['security_file_open', 'Equal'])).toBeUndefined();
    expect(nearestName('', ['ab'])).toBeUndefined();
  });

  it('comes in order of likeness, and no more than asked for', () => {
    expect(nearestNames('vfs_rea', ['vfs_reads', 'vfs_read', 'vfs_write', 'vfs_ready', 'vfs_re'], 3)).toEqual([
      'vfs_re',
      'vfs_read',
      'vfs_reads',
    ]);
  });

  it('is found among all functions of a kernel in no time to speak of', () => {
    const functions = Array.from({ length: 130_000 }, (_, number) => `some_kernel_function_${number}`);
    expect(nearestName('security_file_opn', [...functions, 'security_file_open'])).toBe('security_file_open');
  });

  it('of a hostile name of any length is bounded work', () => {
    expect(nearestName('a'.repeat(1_000_000), ['a'.repeat(100)])).toBeUndefined();
  });
});
