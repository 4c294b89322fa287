import { describe, expect, it } from 'vitest';
import { bind } from './bind.ts';
import { compiled, findProblems, policyObject } from './testing/policies.ts';
import { RECORDED, readRecorded } from './testing/recorded-kernels.ts';

const FILE = { index: 0, type: 'file' };
const lsm = (fields: object, spec: object = {}) => ({ lsmhooks: [{ hook: 'file_open', args: [FILE], ...fields }], ...spec });
const onFile = (selector: object, spec: object = {}) => lsm({ selectors: [selector] }, spec);
const onSocket = (operator: string, value: string) => ({
  kprobes: [
    {
      call: 'tcp_connect',
      syscall: false,
      args: [{ index: 0, type: 'sock' }],
      selectors: [{ matchArgs: [{ index: 0, operator, values: [value] }] }],
    },
  ],
});
const lists = [{ name: 'dups', type: 'syscalls', values: ['sys_dup'] }];

/** What is written, and what is suggested in its place. */
const WRITTEN: readonly (readonly [what: string, spec: object, suggested: string])[] = [
  ['section', { kprobe: [] }, '"kprobes"'],
  ['field of a hook', lsm({ mesage: 'x' }), '"message"'],
  ['field of a selector', onFile({ matchPids: [] }), '"matchPIDs"'],
  ['field of a filter', onFile({ matchArgs: [{ index: 0, operater: 'Equal' }] }), '"operator"'],
  ['field of an action', onFile({ matchActions: [{ action: 'Override', argErr: -1 }] }), '"argError"'],
  ['type', lsm({ args: [{ index: 0, type: 'fil' }] }), '"file"'],
  ['type by its C name', lsm({ args: [{ index: 0, type: 'uint32_t' }] }), '"uint32"'],
  ['operator', onFile({ matchArgs: [{ index: 0, operator: 'Prefixx', values: ['/'] }] }), '"Prefix"'],
  ['operator in another case', onFile({ matchArgs: [{ index: 0, operator: 'equal', values: ['/'] }] }), '"Equal"'],
  ['operator of binaries', onFile({ matchBinaries: [{ operator: 'Notin', values: ['/a'] }] }), '"NotIn"'],
  ['action', onFile({ matchActions: [{ action: 'SigKill' }] }), '"Sigkill"'],
  ['action for another word', onFile({ matchActions: [{ action: 'Overide', argError: -1 }] }), '"Override"'],
  ['kind of namespace', onFile({ matchNamespaces: [{ namespace: 'Mntt', operator: 'In', values: ['host_ns'] }] }), '"Mnt"'],
  ['value of a namespace', onFile({ matchNamespaces: [{ namespace: 'Mnt', operator: 'In', values: ['hostns'] }] }), '"host_ns"'],
  ['changed namespace', onFile({ matchNamespaceChanges: [{ operator: 'In', values: ['Usr'] }] }), '"User"'],
  ['capability', onFile({ matchCapabilities: [{ operator: 'In', values: ['CAP_SYS_ADMN'] }] }), '"CAP_SYS_ADMIN"'],
  ['capability without its prefix', onFile({ matchCapabilities: [{ operator: 'In', values: ['BPF'] }] }), '"CAP_BPF"'],
  ['capability in small letters', onFile({ matchCapabilityChanges: [{ operator: 'In', values: ['cap_net_rw'] }] }), '"CAP_NET_RAW"'],
  ['option', onFile({}, { options: [{ name: 'policymode', value: 'monitor' }] }), '"policy-mode"'],
  ['option without its prefix', onFile({}, { options: [{ name: 'event-rate', value: '1/s' }] }), '"palisade.dev/event-rate"'],
  ['address family', onSocket('Family', 'AF_INET4'), '"AF_INET"'],
  ['address family without its prefix', onSocket('Family', 'inet6'), '"AF_INET6"'],
  ['protocol', onSocket('Protocol', 'IPPROTO_UPD'), '"IPPROTO_UDP"'],
  ['protocol without its prefix', onSocket('Protocol', 'TCP'), '"IPPROTO_TCP"'],
  ['state of a connection', onSocket('State', 'ESTABLISHED'), '"TCP_ESTABLISHED"'],
  ['type of a file', onFile({ matchArgs: [{ index: 0, operator: 'FileType', values: ['regualr'] }] }), '"regular"'],
  ['LSM hook with its prefix', { lsmhooks: [{ hook: 'security_file_open' }] }, '"file_open"'],
  ['list', { kprobes: [{ call: 'list:dup' }], lists }, '"dups"'],
  ['macro', onFile({ macros: ['shell'] }, { selectorsMacros: { shells: {} } }), '"shells"'],
  ['register', { kprobes: [{ call: 'sys_dup', data: [{ index: 0, type: 'uint64', source: 'pt_regs', resolve: 'rdii' }] }] }, '"rdi"'],
];

describe('a name of finitely many that is misspelt gets the nearest one', () => {
  it.each(WRITTEN.map(([what, spec, suggested]) => ({ what, spec, suggested })))('$what: $suggested', ({ spec, suggested }) => {
    const hints = findProblems(policyObject(spec)).flatMap((problem) => (problem.severity === 'error' ? [problem.hint ?? ''] : []));
    expect(hints.some((hint) => hint.includes(`did you mean ${suggested}?`))).toBe(true);
  });

  it.each([
    ['function', { kprobes: [{ call: 'security_file_opn', syscall: false }] }, '"security_file_open"', 'spec.kprobes[0].call'],
    ['function that lost a letter', { kprobes: [{ call: 'tcp_conect', syscall: false }] }, '"tcp_connect"', 'spec.kprobes[0].call'],
    ['system call, as policies write it', { kprobes: [{ call: 'sys_opnat' }] }, '"sys_openat"', 'spec.kprobes[0].call'],
    ['LSM hook', { lsmhooks: [{ hook: 'file_opn' }] }, '"file_open"', 'spec.lsmhooks[0].hook'],
    [
      'tracepoint',
      { tracepoints: [{ subsystem: 'sched', event: 'sched_process_exitt' }] },
      '"sched/sched_process_exit"',
      'spec.tracepoints[0].event',
    ],
    ['function of a fentry', { fentries: [{ call: 'commit_cred', syscall: false }] }, '"commit_creds"', 'spec.fentries[0].call'],
  ])('%s, from every recorded kernel', (_, spec, suggested, field) => {
    const { plan } = compiled(policyObject(spec));
    for (const kernel of RECORDED) {
      const failure = bind(plan, readRecorded(kernel), 'enforce')[0]?.failure;
      expect([kernel, failure?.message]).toEqual([kernel, expect.stringContaining(`did you mean ${suggested}?`)]);
      expect(failure?.field.startsWith(field.replace(/\.\w+$/, ''))).toBe(true);
    }
  });

  it('member of a struct, from every recorded kernel', () => {
    const arg = { index: 0, type: 'uint32', resolve: 'f_flag' };
    const { plan } = compiled(policyObject({ kprobes: [{ call: 'security_file_open', syscall: false, args: [arg] }] }));
    for (const kernel of RECORDED) {
      const failure = bind(plan, readRecorded(kernel), 'enforce')[0]?.failure;
      expect([kernel, failure?.message]).toEqual([kernel, expect.stringContaining('did you mean "f_flags"?')]);
    }
  });
});
