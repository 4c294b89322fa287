import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

const notifying = {
  tracepoints: [
    { subsystem: 'raw_syscalls', event: 'sys_enter', selectors: [{ matchActions: [{ action: 'NotifyEnforcer', argError: -1 }] }] },
  ],
};
const lists = [
  { name: 'dups', type: 'syscalls', values: ['sys_dup', '__ia32_sys_dup'] },
  { name: 'hooks', values: ['security_file_open'] },
  { name: 'reads', values: ['vfs_read'] },
  { name: 'all', type: 'generated_syscalls' },
];
const policy = (calls: readonly string[], more: object = {}) => {
  const used = lists.filter((list) => calls.includes(`list:${list.name}`));
  return policyObject({ ...notifying, lists: used, enforcers: [{ calls }], ...more });
};

describe('enforcers', () => {
  it('name system calls of any ABI and security functions, one by one or by list', () => {
    expect(compiled(policy(['list:hooks', '__x64_sys_openat', 'list:dups', 'sys_dup'])).plan.enforcer).toEqual({
      path: 'spec.enforcers[0]',
      calls: ['i386/sys_dup', 'security_file_open', 'sys_dup', 'sys_openat'],
    });
  });

  it.each([
    ['a function that cannot be denied', ['vfs_read'], 'BadHookName'],
    ['a list of such functions', ['list:reads'], 'BadHookName'],
    ['a list that a node makes', ['list:all'], 'BadList'],
    ['a list that there is not', ['list:none'], 'UnknownList'],
    ['no call', [], 'NoValues'],
  ])('are refused with %s', (_, calls, code) => {
    expect(codesOf(policy(calls))).toEqual([code]);
  });

  it('are one for a policy', () => {
    expect(codesOf(policy(['sys_dup'], { enforcers: [{ calls: ['sys_dup'] }, { calls: ['sys_dup2'] }] }))).toEqual(['TooManyEnforcers']);
  });

  it('deny security functions by fmod_ret only', () => {
    const options = [{ name: 'override-method', value: 'override-return' }];
    expect(problemsOf(policy(['security_file_open'], { options }))).toEqual([
      'spec.enforcers[0].calls: "security_file_open" cannot be denied by override-return; leave the option override-method out, or set it to "fmod-ret"',
    ]);
    expect(codesOf(policy(['sys_dup'], { options }))).toEqual([]);
  });

  it('that nobody notifies are told of', () => {
    expect(codesOf(policyObject({ lsmhooks: [{ hook: 'file_open' }], enforcers: [{ calls: ['sys_dup'] }] }))).toEqual(['Unused']);
  });
});
