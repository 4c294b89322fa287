/** Specs that compile and between them use every member of the language. */

const returning = { return: true, returnArg: { index: 0, type: 'sock', label: 'made' } };

const FUNCTIONS = {
  kprobes: [
    {
      call: 'security_socket_connect',
      syscall: false,
      message: 'connects',
      tags: ['net', 'tcp'],
      ignore: { callNotFound: true },
      args: [
        { index: 0, type: 'sock', label: 'socket' },
        { index: 1, type: 'sockaddr' },
        { index: 2, type: 'uint32' },
        { index: 2, type: 'int' },
        { index: 0, resolve: 'sk.__sk_common.skc_dport', btfType: 'socket_x', btfTypeModule: 'my_mod' },
      ],
      data: [
        { index: 0, type: 'string', source: 'current_task', resolve: 'comm' },
        { index: 0, type: 'uint64', source: 'pt_regs', resolve: 'rdi' },
      ],
      selectors: [
        {
          label: 'first',
          macros: ['shells'],
          matchArgs: [
            { args: [0], operator: 'DAddr', values: ['10.0.0.0/8', '2001:db8::/32'] },
            { args: [0], operator: 'NotDPort', values: ['443', '8000:8080'] },
            { args: [0], operator: 'State', values: ['TCP_ESTABLISHED'] },
            { args: [2], operator: 'InRange', values: ['1:5', '9:12'] },
            { args: [2, 3], operator: 'CelExpr', values: ['arg2 > uint32(5) && arg3 == int32(7)'] },
          ],
          matchData: [{ index: 0, operator: 'SubStringIgnCase', values: ['SH'] }],
          matchPIDs: [{ operator: 'NotIn', values: [1, 2], isNamespacePID: true, followForks: true }],
          matchParentBinaries: [{ operator: 'Postfix', values: ['/sh'] }],
          matchNamespaces: [
            { namespace: 'Net', operator: 'NotIn', values: ['host_ns', '4026531840'] },
            { namespace: 'Pod', operator: 'In', values: ['default'] },
          ],
          matchNamespaceChanges: [{ operator: 'In', values: ['Mnt', 'Uts'] }],
          matchCapabilities: [{ type: 'Permitted', operator: 'In', isNamespaceCapability: true, values: ['CAP_NET_RAW'] }],
          matchCapabilityChanges: [{ operator: 'NotIn', values: ['CAP_SYS_ADMIN'] }],
          matchWorkloads: {
            podSelector: { matchLabels: { app: 'web' } },
            containerSelector: { matchLabels: { name: 'main' } },
            hostSelector: {},
          },
          matchActions: [
            { action: 'Post', rateLimit: '1m', rateLimitScope: 'process', kernelStackTrace: true, userStackTrace: true },
            { action: 'Override', argError: -13 },
            { action: 'Signal', argSig: 15 },
            { action: 'TrackSock', argSock: 0 },
            { action: 'GetUrl', argUrl: 'https://example.test/x' },
            { action: 'DnsLookup', argFqdn: 'example.test' },
          ],
        },
        { matchActions: [{ action: 'NotifyEnforcer', argError: -1, argSig: 9 }, { action: 'NoPost' }] },
        { matchActions: [{ action: 'CleanupEnforcerNotification' }, { action: 'UntrackSock', argSock: 0 }, { action: 'Sigkill' }] },
      ],
    },
    {
      call: 'sys_read',
      args: [
        { index: 1, type: 'char_buf', returnCopy: true, sizeArgIndex: 3 },
        { index: 1, type: 'char_buf', maxData: true, sizeArgIndex: 3 },
      ],
      return: true,
      returnArg: { index: 0, type: 'int' },
      selectors: [
        {
          matchReturnArgs: [
            { index: 0, operator: 'GT', values: ['0'] },
            { index: 1, operator: 'Prefix', values: ['#!'] },
          ],
          matchReturnActions: [{ action: 'Post' }],
        },
      ],
    },
    { call: 'list:dups' },
    { call: 'list:all' },
    { call: 'list:ksys' },
    { call: 'sk_alloc', syscall: false, ...returning, returnArgAction: 'TrackSock' },
  ],
  fentries: [{ call: 'sk_free', syscall: false, ...returning, returnArgAction: 'UntrackSock' }],
  lists: [
    { name: 'dups', type: 'syscalls', values: ['sys_dup', 'i386/sys_dup'] },
    { name: 'all', type: 'generated_syscalls' },
    { name: 'ksys', type: 'generated_ftrace', pattern: '^ksys_(read|write)' },
  ],
  selectorsMacros: { shells: { matchBinaries: [{ operator: 'In', values: ['/bin/sh'], followChildren: true }] } },
  enforcers: [{ calls: ['list:dups', 'security_file_open'] }],
  podSelector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a', 'b'] }] },
  containerSelector: { matchExpressions: [{ key: 'repo', operator: 'In', values: ['docker.io/library/nginx'] }] },
  hostSelector: {},
  nodeSelector: { matchLabels: { kind: 'edge' } },
  options: [
    { name: 'override-method', value: 'fmod-ret' },
    { name: 'disable-kprobe-multi', value: '1' },
    { name: 'disable-uprobe-multi', value: '1' },
    { name: 'sleepable-preload-size', value: '1000' },
    { name: 'palisade.dev/substitute', value: 'kill' },
    { name: 'palisade.dev/on-unknown', value: 'match' },
    { name: 'palisade.dev/on-pending', value: 'apply' },
    { name: 'palisade.dev/event-rate', value: '5/s' },
  ],
};

const FILES = {
  lsmhooks: [
    {
      hook: 'file_open',
      args: [
        { index: 0, type: 'file' },
        { index: 1, type: 'cap_effective' },
        { index: 2, type: 'cap_permitted' },
      ],
      selectors: [
        {
          matchArgs: [
            { index: 0, operator: 'NotFileType', values: ['dir', 'fifo'] },
            { index: 0, operator: 'NotPostfix', values: ['.conf'] },
            { index: 1, operator: 'Mask', values: ['CAP_SYS_ADMIN'] },
            { args: [1, 2], operator: 'CapabilitiesGained' },
          ],
          matchActions: [{ action: 'Post', imaHash: true }],
        },
      ],
    },
  ],
  tracepoints: [
    {
      subsystem: 'raw_syscalls',
      event: 'sys_enter',
      args: [{ index: 4, type: 'syscall64' }, { index: 5 }],
      selectors: [{ matchArgs: [{ index: 4, operator: 'InMap', values: ['list:dups', '7'] }] }],
    },
    { subsystem: 'sched', event: 'sched_process_exec', raw: true, args: [{ index: 2, resolve: 'file.f_path.dentry' }] },
  ],
  lists: [{ name: 'dups', type: 'syscalls', values: ['sys_dup', 'i386/sys_dup'] }],
};

const PROGRAMS = {
  uprobes: [
    {
      path: '/bin/bash',
      symbols: ['readline', 'main+0x10'],
      refCtrOffsets: [0, 16],
      btfPath: '/bin/bash.btf',
      binaryDigests: [`sha256:${'0'.repeat(64)}`, 'build-id:00ff'],
      ignore: { digestVerificationFailure: true },
      args: [{ index: 0, resolve: 'name.text', btfType: 'line' }],
      return: true,
      returnArg: { index: 0, type: 'string' },
      selectors: [{ matchActions: [{ action: 'Override', argRegs: ['rax=11', 'rip=8%rsp', 'rsp=8(%rsp)'] }] }],
    },
    { path: '/bin/a', offsets: [4096], selectors: [{ matchActions: [{ action: 'Override', argNewSymbol: 'other' }] }] },
    { path: '/bin/b', addrs: [4096], selectors: [{ matchActions: [{ action: 'Override', argNewOffset: 16 }] }] },
    { path: '/bin/b', symbols: ['a'], selectors: [{ matchActions: [{ action: 'Override', argNewAddr: 16 }] }] },
    { path: '/bin/b', symbols: ['a'], selectors: [{ matchActions: [{ action: 'Override', argError: 5 }] }] },
  ],
  usdts: [
    {
      path: '/bin/c',
      provider: 'libc',
      name: 'setjmp',
      args: [{ index: 1, type: 'int32' }],
      selectors: [{ matchActions: [{ action: 'Set', argIndex: 1, argValue: 4 }] }],
    },
  ],
  hostSelector: {},
};

export const WHOLE_LANGUAGE: readonly (readonly [title: string, spec: object])[] = [
  ['functions of the kernel', FUNCTIONS],
  ['files and tracepoints', FILES],
  ['programs', PROGRAMS],
  ['mappings', { loader: true }],
];
