import type { Sample } from './language-samples.ts';

const FILE = { index: 0, type: 'file' };
const SHADOW = { index: 0, operator: 'Equal', values: ['/etc/shadow'] };
const DENY = { action: 'Override', argError: -1 };

const onFile = (selector: object): object => ({ lsmhooks: [{ hook: 'file_open', selectors: [selector] }] });
const onPath = (spec: object): object => ({
  lsmhooks: [{ hook: 'file_open', args: [FILE], selectors: [{ matchArgs: [SHADOW], matchActions: [DENY] }] }],
  ...spec,
});
const kprobe = (fields: object): object => ({ kprobes: [{ call: 'security_file_open', syscall: false, ...fields }] });
const fentry = (fields: object): object => ({ fentries: [{ call: 'security_file_open', syscall: false, ...fields }] });
const tracepoint = (fields: object): object => ({ tracepoints: [{ subsystem: 'sched', event: 'sched_process_exit', ...fields }] });
const uprobe = (fields: object): object => ({ uprobes: [{ path: '/usr/bin/bash', symbols: ['readline'], ...fields }] });
const usdt = (fields: object): object => ({ usdts: [{ path: '/usr/bin/app', provider: 'app', name: 'limit', ...fields }] });
const act = (fields: object): object => kprobe({ selectors: [{ matchActions: [fields] }] });
const override = (fields: object): object => uprobe({ selectors: [{ matchActions: [{ action: 'Override', ...fields }] }] });
const option = (name: string, value: string): Sample => ({ spec: onPath({ options: [{ name, value }] }) });
const labels = { matchLabels: { app: 'web' } };
const expression = (operator: string, values?: string[]): Sample => ({
  spec: onFile({
    matchWorkloads: { podSelector: { matchExpressions: [{ key: 'app', operator, ...(values === undefined ? {} : { values }) }] } },
  }),
});
const returned = { return: true, returnArg: { index: 0, type: 'int' } };
const failed = { index: 0, operator: 'LT', values: ['0'] };
const binaries = (block: string, operator: string, values: string[], more: object = {}): Sample => ({
  spec: onFile({ [block]: [{ operator, values, ...more }] }),
});

const specs: readonly object[] = [
  { kprobes: [{ call: 'sys_setuid' }] },
  kprobe({}),
  kprobe({ message: 'a file was opened' }),
  kprobe({ tags: ['files'] }),
  kprobe({ args: [FILE] }),
  kprobe({ args: [FILE], selectors: [{ matchArgs: [SHADOW] }] }),
  kprobe({ args: [FILE], selectors: [{ matchArgs: [{ args: [0], operator: 'Equal', values: ['/etc/shadow'] }] }] }),
  kprobe({ args: [{ ...FILE, label: 'path' }] }),
  kprobe({
    args: [{ index: 0, type: 'uint32', resolve: 'f_flags' }],
    selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['1'] }] }],
  }),
  kprobe({ args: [{ index: 0, type: 'uint32', resolve: 'f_flags', btfType: 'file' }] }),
  kprobe({ args: [{ index: 0, type: 'uint32', resolve: 'f_flags', btfType: 'file', btfTypeModule: 'nf_tables' }] }),
  kprobe({
    data: [{ index: 0, type: 'string', source: 'current_task', resolve: 'comm' }],
    selectors: [{ matchData: [{ index: 0, operator: 'Equal', values: ['sh'] }] }],
  }),
  kprobe({ data: [{ index: 0, type: 'uint64', source: 'pt_regs', resolve: 'rdi' }] }),
  kprobe({ ignore: { callNotFound: true } }),
  { kprobes: [{ call: 'sys_write', args: [{ index: 1, type: 'char_buf', sizeArgIndex: 3, maxData: true }] }] },
  {
    kprobes: [
      {
        call: 'sys_read',
        args: [{ index: 1, type: 'char_buf', sizeArgIndex: 3, returnCopy: true }],
        return: true,
        returnArg: { index: 0, type: 'long' },
      },
    ],
  },
  { kprobes: [{ call: 'sys_setuid', ...returned }] },
  { kprobes: [{ call: 'sys_setuid', ...returned, selectors: [{ matchReturnArgs: [failed] }] }] },
  {
    kprobes: [{ call: 'sys_setuid', ...returned, selectors: [{ matchReturnArgs: [failed], matchReturnActions: [{ action: 'Sigkill' }] }] }],
  },
  { kprobes: [{ call: 'sk_alloc', syscall: false, return: true, returnArg: { index: 0, type: 'sock' }, returnArgAction: 'TrackSock' }] },
  fentry({}),
  { fentries: [{ call: 'sys_setuid', syscall: true }] },
  fentry({ message: 'a file was opened' }),
  fentry({ tags: ['files'] }),
  fentry({ args: [FILE] }),
  fentry({ args: [FILE], selectors: [{ matchArgs: [SHADOW] }] }),
  fentry({ data: [{ index: 0, type: 'string', source: 'current_task', resolve: 'comm' }] }),
  fentry({ ignore: { callNotFound: true } }),
  fentry(returned),
  { fentries: [{ call: 'sk_alloc', syscall: false, return: true, returnArg: { index: 0, type: 'sock' }, returnArgAction: 'TrackSock' }] },
  tracepoint({}),
  tracepoint({ raw: true }),
  tracepoint({ message: 'a process ended' }),
  tracepoint({ tags: ['processes'] }),
  tracepoint({ args: [{ index: 6, type: 'int32' }] }),
  tracepoint({ args: [{ index: 6, type: 'int32' }], selectors: [{ matchArgs: [{ index: 6, operator: 'Equal', values: ['1'] }] }] }),
  { lsmhooks: [{ hook: 'file_open' }] },
  { lsmhooks: [{ hook: 'file_open', message: 'a file was opened' }] },
  { lsmhooks: [{ hook: 'file_open', tags: ['files'] }] },
  { lsmhooks: [{ hook: 'file_open', args: [FILE] }] },
  uprobe({}),
  { uprobes: [{ path: '/usr/bin/bash', offsets: [4096] }] },
  { uprobes: [{ path: '/usr/bin/bash', addrs: [4198400] }] },
  uprobe({ refCtrOffsets: [16] }),
  uprobe({ binaryDigests: [`sha256:${'0123456789abcdef'.repeat(4)}`] }),
  uprobe({ binaryDigests: [`sha256:${'0123456789abcdef'.repeat(4)}`], ignore: { digestVerificationFailure: true } }),
  uprobe({ message: 'a line was read' }),
  uprobe({ tags: ['shells'] }),
  uprobe({ args: [{ index: 0, type: 'string' }], selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['$ '] }] }] }),
  uprobe({ args: [{ index: 0, type: 'int', resolve: 'count', btfType: 'line' }], btfPath: '/usr/bin/bash.btf' }),
  uprobe({ data: [{ index: 0, type: 'string', source: 'current_task', resolve: 'comm' }] }),
  uprobe({ return: true, returnArg: { index: 0, type: 'string' } }),
  usdt({}),
  usdt({ message: 'a limit was reached' }),
  usdt({ tags: ['limits'] }),
  usdt({ args: [{ index: 0, type: 'int32' }], selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: ['1'] }] }] }),
  usdt({ args: [{ index: 0, type: 'int', resolve: 'count', btfType: 'line' }], btfPath: '/usr/bin/app.btf' }),
  { loader: true },
  { kprobes: [{ call: 'list:some', syscall: false }], lists: [{ name: 'some', values: ['tcp_connect', 'tcp_close'] }] },
  { kprobes: [{ call: 'list:some', syscall: false }], lists: [{ name: 'some', type: '', values: ['tcp_connect', 'tcp_close'] }] },
  { kprobes: [{ call: 'list:dups' }], lists: [{ name: 'dups', type: 'syscalls', values: ['sys_dup', 'sys_dup3'] }] },
  { kprobes: [{ call: 'list:dups' }], lists: [{ name: 'dups', type: 'syscalls', values: ['sys_dup'], validated: true }] },
  { kprobes: [{ call: 'list:all' }], lists: [{ name: 'all', type: 'generated_syscalls' }] },
  { kprobes: [{ call: 'list:ksys', syscall: false }], lists: [{ name: 'ksys', type: 'generated_ftrace', pattern: '^ksys_(read|write)$' }] },
  {
    lsmhooks: [{ hook: 'file_open', selectors: [{ macros: ['shells'] }] }],
    selectorsMacros: { shells: { matchBinaries: [{ operator: 'In', values: ['/bin/sh'] }] } },
  },
  onFile({ label: 'first' }),
  onFile({ matchPIDs: [{ operator: 'In', values: [42] }] }),
  onFile({ matchPIDs: [{ operator: 'NotIn', values: [42] }] }),
  onFile({ matchPIDs: [{ operator: 'In', values: [42], isNamespacePID: true }] }),
  onFile({ matchPIDs: [{ operator: 'In', values: [42], followForks: true }] }),
  onFile({ matchNamespaces: [{ namespace: 'Mnt', operator: 'NotIn', values: ['host_ns'] }] }),
  onFile({ matchNamespaceChanges: [{ operator: 'In', values: ['Mnt'] }] }),
  onFile({ matchNamespaceChanges: [{ operator: 'NotIn', values: ['Mnt'] }] }),
  onFile({ matchCapabilities: [{ operator: 'In', values: ['CAP_SYS_ADMIN'] }] }),
  onFile({ matchCapabilities: [{ operator: 'NotIn', values: ['CAP_SYS_ADMIN'] }] }),
  ...['Effective', 'Permitted', 'Inheritable'].map((type) =>
    onFile({ matchCapabilities: [{ type, operator: 'In', values: ['CAP_BPF'] }] }),
  ),
  onFile({ matchCapabilities: [{ operator: 'In', isNamespaceCapability: true, values: ['CAP_SYS_ADMIN'] }] }),
  onFile({ matchCapabilityChanges: [{ operator: 'In', values: ['CAP_SYS_ADMIN'] }] }),
  onFile({ matchWorkloads: { podSelector: labels } }),
  onFile({ matchWorkloads: { containerSelector: { matchLabels: { name: 'main' } } } }),
  onFile({ matchWorkloads: { hostSelector: {} } }),
  { ...onFile({}), podSelector: labels },
  { ...onFile({}), containerSelector: { matchExpressions: [{ key: 'repo', operator: 'In', values: ['docker.io/library/nginx'] }] } },
  { ...onFile({}), hostSelector: {} },
  { ...onFile({}), nodeSelector: { matchLabels: { kind: 'edge' } } },
  act({ action: 'Post', rateLimit: '1m' }),
  act({ action: 'Post', rateLimit: '1m', rateLimitScope: 'process' }),
  act({ action: 'Post', kernelStackTrace: true }),
  act({ action: 'Post', userStackTrace: true }),
  { lsmhooks: [{ hook: 'file_open', selectors: [{ matchActions: [{ action: 'Post', imaHash: true }] }] }] },
  override({ argError: -1 }),
  override({ argRegs: ['rax=0'] }),
  override({ argNewSymbol: 'other' }),
  override({ argNewAddr: 4198400 }),
  override({ argNewOffset: 4096 }),
];

export const FIELD_SAMPLES: readonly Sample[] = [
  ...specs.map((spec): Sample => ({ spec })),
  expression('In', ['web']),
  expression('NotIn', ['web']),
  expression('Exists'),
  expression('DoesNotExist'),
  binaries('matchBinaries', 'In', ['/usr/bin/nc']),
  binaries('matchBinaries', 'NotIn', ['/usr/bin/nc']),
  binaries('matchBinaries', 'Prefix', ['/usr/bin/']),
  binaries('matchBinaries', 'NotPrefix', ['/usr/bin/']),
  binaries('matchBinaries', 'Postfix', ['/nc']),
  binaries('matchBinaries', 'NotPostfix', ['/nc']),
  binaries('matchBinaries', 'In', ['/usr/bin/sudo'], { followChildren: true }),
  binaries('matchParentBinaries', 'In', ['/usr/sbin/sshd']),
  option('policy-mode', 'monitor'),
  option('override-method', 'fmod-ret'),
  option('disable-kprobe-multi', 'true'),
  option('disable-uprobe-multi', 'true'),
  option('sleepable-preload-size', '1000'),
  option('palisade.dev/substitute', 'kill'),
  option('palisade.dev/on-unknown', 'match'),
  option('palisade.dev/on-pending', 'apply'),
  option('palisade.dev/event-rate', '50/s'),
  { spec: uprobe({ return: true, returnArg: { index: 0, type: 'int' }, returnArgAction: 'TrackSock' }), refused: 'ActionNotPossible' },
  { ...option('palisade.dev/rollout', 'slow'), refused: 'NotSupported' },
];
