/** The smallest policies that use one thing each. The generator finds for each row the smallest of these that uses it. */
import { operatorsOf } from '../../src/policy/compile/arg-operators.ts';
import { PLAN_TYPES } from '../../src/policy/compile/argument-types.ts';
import { classOf } from '../../src/policy/arg-types.ts';
import { ACTIONS } from '../../src/policy/schema/actions.ts';
import { ARG_TYPES, type ArgTypeName } from '../../src/policy/schema/arguments.ts';
import { ARG_OPERATORS, type ArgOperatorName, NAMESPACE_TYPES } from '../../src/policy/schema/selectors.ts';
import { FIELD_SAMPLES } from './language-field-samples.ts';

/** `refused`: belongs to the language and cannot be had; the code with which it is refused. */
export type Sample = { readonly spec: object; readonly refused?: string };

type Hook = Readonly<Record<string, unknown>>;
type Section = 'kprobes' | 'lsmhooks' | 'tracepoints' | 'uprobes' | 'usdts' | 'fentries';
type Reader = { readonly section: Section; readonly hook: Hook; readonly index: number; readonly more?: Hook };

const probe = (call: string, index: number, more: Hook = {}): Reader => ({
  section: 'kprobes',
  hook: { call, syscall: false },
  index,
  more,
});
const syscall = (call: string, index: number, more: Hook = {}): Reader => ({ section: 'kprobes', hook: { call }, index, more });
const lsm = (hook: string, index: number): Reader => ({ section: 'lsmhooks', hook: { hook }, index });
const event = (subsystem: string, name: string, index: number): Reader => ({
  section: 'tracepoints',
  hook: { subsystem, event: name },
  index,
});

/** Where a value of each type can be read on every recorded kernel that has one. */
const READERS: Readonly<Record<ArgTypeName, Reader>> = {
  auto: event('sched', 'sched_process_exit', 5),
  int: lsm('file_permission', 1),
  sint8: syscall('sys_setuid', 0),
  int8: syscall('sys_setuid', 0),
  uint8: syscall('sys_setuid', 0),
  sint16: syscall('sys_setuid', 0),
  int16: syscall('sys_setuid', 0),
  uint16: syscall('sys_setuid', 0),
  uint32: syscall('sys_setuid', 0),
  sint32: lsm('file_permission', 1),
  int32: lsm('file_permission', 1),
  ulong: probe('tcp_sendmsg', 2),
  uint64: probe('tcp_sendmsg', 2),
  size_t: probe('tcp_sendmsg', 2),
  long: probe('tcp_close', 1),
  sint64: probe('tcp_close', 1),
  int64: probe('tcp_close', 1),
  char_buf: syscall('sys_write', 1, { sizeArgIndex: 3 }),
  char_iovec: syscall('sys_writev', 1, { sizeArgIndex: 3 }),
  skb: probe('ip_output', 2),
  sock: probe('tcp_connect', 0),
  sockaddr: lsm('socket_connect', 1),
  socket: lsm('socket_connect', 0),
  sockaddr_un: lsm('socket_connect', 1),
  string: syscall('sys_openat', 1),
  fd: syscall('sys_write', 0),
  file: lsm('file_open', 0),
  filename: probe('filename_lookup', 1),
  path: lsm('path_truncate', 0),
  nop: lsm('file_open', 0),
  bpf_attr: lsm('bpf', 1),
  perf_event: lsm('perf_event_write', 0),
  bpf_map: lsm('bpf_map', 0),
  user_namespace: probe('ns_capable', 0),
  capability: probe('capable', 0),
  kiocb: probe('generic_file_read_iter', 0),
  iov_iter: probe('generic_file_read_iter', 1),
  cred: probe('commit_creds', 0),
  const_buf: event('sched', 'sched_process_exec', 4),
  load_info: probe('load_module', 0),
  module: probe('do_init_module', 0),
  syscall64: event('raw_syscalls', 'sys_enter', 4),
  kernel_cap_t: probe('security_capset', 2),
  cap_inheritable: probe('security_capset', 0),
  cap_permitted: probe('security_capset', 0),
  cap_effective: probe('security_capset', 0),
  linux_binprm: lsm('bprm_check_security', 0),
  data_loc: event('sched', 'sched_process_exec', 4),
  net_device: probe('register_netdevice', 0),
  bpf_cmd: lsm('bpf', 0),
  dentry: lsm('path_unlink', 1),
  bpf_prog: lsm('bpf_prog', 0),
};

type Operand = { readonly type: ArgTypeName; readonly values?: readonly string[] };

/** Something for each operator to compare. */
const OPERANDS: Readonly<Record<ArgOperatorName, Operand>> = {
  Equal: { type: 'file', values: ['/etc/shadow'] },
  NotEqual: { type: 'file', values: ['/etc/shadow'] },
  In: { type: 'file', values: ['/etc/shadow', '/etc/gshadow'] },
  NotIn: { type: 'int', values: ['1', '2'] },
  Prefix: { type: 'file', values: ['/srv/'] },
  NotPrefix: { type: 'file', values: ['/srv/'] },
  Postfix: { type: 'file', values: ['.pem'] },
  NotPostfix: { type: 'file', values: ['.pem'] },
  SubString: { type: 'string', values: ['shadow'] },
  SubStringIgnCase: { type: 'string', values: ['shadow'] },
  GreaterThan: { type: 'uint64', values: ['4096'] },
  LessThan: { type: 'uint64', values: ['4096'] },
  GT: { type: 'uint64', values: ['4096'] },
  LT: { type: 'long', values: ['0'] },
  InRange: { type: 'uint32', values: ['1:999'] },
  NotInRange: { type: 'uint32', values: ['0:999'] },
  Mask: { type: 'int', values: ['0x2'] },
  InMap: { type: 'uint32', values: ['0', '1000:1999'] },
  NotInMap: { type: 'uint32', values: ['0', '1000'] },
  SAddr: { type: 'sock', values: ['127.0.0.0/8'] },
  NotSAddr: { type: 'sock', values: ['127.0.0.0/8', '::1'] },
  DAddr: { type: 'sock', values: ['10.0.0.0/8'] },
  NotDAddr: { type: 'sock', values: ['10.0.0.0/8', 'fd00::/8'] },
  SPort: { type: 'sock', values: ['22'] },
  NotSPort: { type: 'sock', values: ['22'] },
  DPort: { type: 'sock', values: ['4444', '8000:8080'] },
  NotDPort: { type: 'sock', values: ['443'] },
  SPortPriv: { type: 'sock' },
  NotSportPriv: { type: 'sock' },
  DPortPriv: { type: 'sock' },
  NotDPortPriv: { type: 'sock' },
  Protocol: { type: 'sock', values: ['IPPROTO_UDP'] },
  Family: { type: 'sock', values: ['AF_INET6'] },
  State: { type: 'sock', values: ['TCP_ESTABLISHED'] },
  FileType: { type: 'file', values: ['reg'] },
  NotFileType: { type: 'file', values: ['fifo'] },
  CapabilitiesGained: { type: 'cap_effective' },
  CelExpr: { type: 'int', values: ['arg0 == int32(2)'] },
};

function hookOf({ section, hook, index, more = {} }: Reader, type: ArgTypeName, rest: Hook): object {
  return { [section]: [{ ...hook, args: [{ index, ...(type === 'auto' ? {} : { type }), ...more }], ...rest }] };
}

/** The first operator that the type has, with a value; a type that filters do not compare is only shown. */
function typeSample(type: ArgTypeName): Sample {
  const reader = READERS[type];
  const rest = { selectors: [{ matchArgs: [{ index: reader.index, operator: 'Equal', values: valuesOf(type) }] }] };
  const spec = hookOf(reader, type, operatorsOf(PLAN_TYPES[type]).includes('Equal') ? rest : socketRest(type, reader.index));
  // The type is the schema's default: written, so that the row finds it.
  if (type === 'auto') return { spec: { tracepoints: [{ ...reader.hook, args: [{ index: reader.index, type }], ...rest }] } };
  return type === 'const_buf' ? { spec, refused: 'TypeNotUsable' } : { spec };
}

function valuesOf(type: ArgTypeName): readonly string[] {
  switch (classOf(PLAN_TYPES[type])) {
    case 'capabilities':
      return ['CAP_SYS_ADMIN'];
    case 'text':
      return type === 'net_device' ? ['eth0'] : ['/etc/shadow'];
    default:
      return ['7'];
  }
}

function socketRest(type: ArgTypeName, index: number): Hook {
  return classOf(PLAN_TYPES[type]) === 'socket' ? { selectors: [{ matchArgs: [{ index, operator: 'Family', values: ['AF_INET'] }] }] } : {};
}

function operatorSample(operator: ArgOperatorName): Sample {
  const { type, values } = OPERANDS[operator];
  const reader = READERS[type];
  if (operator === 'CapabilitiesGained') {
    const args = [
      { index: 1, type },
      { index: 0, type },
    ];
    return { spec: { kprobes: [{ ...reader.hook, args, selectors: [{ matchArgs: [{ operator, args: [0, 1] }] }] }] } };
  }
  return {
    spec: hookOf(reader, type, {
      selectors: [{ matchArgs: [{ index: reader.index, operator, ...(values === undefined ? {} : { values }) }] }],
    }),
  };
}

const SOCKET = { call: 'tcp_connect', syscall: false, args: [{ index: 0, type: 'sock' }] };
const withActions = (hook: Hook, ...actions: readonly Hook[]): object => ({ ...hook, selectors: [{ matchActions: actions }] });

const ACTION_SAMPLES: Readonly<Record<(typeof ACTIONS)[number], object>> = {
  Post: { lsmhooks: [withActions({ hook: 'kernel_module_request' }, { action: 'Post' })] },
  NoPost: { lsmhooks: [withActions({ hook: 'kernel_module_request' }, { action: 'Override', argError: -1 }, { action: 'NoPost' })] },
  Sigkill: { lsmhooks: [withActions({ hook: 'kernel_module_request' }, { action: 'Sigkill' })] },
  Signal: { lsmhooks: [withActions({ hook: 'kernel_module_request' }, { action: 'Signal', argSig: 15 })] },
  Override: { lsmhooks: [withActions({ hook: 'kernel_module_request' }, { action: 'Override', argError: -1 })] },
  GetUrl: { kprobes: [withActions({ call: 'sys_setuid' }, { action: 'GetUrl', argUrl: 'http://127.0.0.1/hit' })] },
  DnsLookup: { kprobes: [withActions({ call: 'sys_setuid' }, { action: 'DnsLookup', argFqdn: 'canary.test' })] },
  TrackSock: { kprobes: [withActions(SOCKET, { action: 'TrackSock', argSock: 0 })] },
  UntrackSock: { kprobes: [withActions(SOCKET, { action: 'UntrackSock', argSock: 0 })] },
  NotifyEnforcer: {
    kprobes: [withActions({ call: 'sys_setuid' }, { action: 'NotifyEnforcer', argError: -1, argSig: 9 })],
    enforcers: [{ calls: ['sys_setuid'] }],
  },
  CleanupEnforcerNotification: { kprobes: [withActions({ call: 'sys_setuid' }, { action: 'CleanupEnforcerNotification' })] },
  Set: {
    usdts: [
      withActions(
        { path: '/usr/bin/app', provider: 'app', name: 'limit', args: [{ index: 0, type: 'int32' }] },
        { action: 'Set', argIndex: 0, argValue: 1 },
      ),
    ],
  },
};

export const SAMPLES: readonly Sample[] = [
  ...FIELD_SAMPLES,
  ...ARG_TYPES.map(typeSample),
  ...ARG_OPERATORS.map(operatorSample),
  ...ACTIONS.map((action): Sample => ({ spec: ACTION_SAMPLES[action] })),
  ...NAMESPACE_TYPES.map((namespace): Sample => {
    const filter = { namespace, operator: 'In', values: [namespace === 'Pod' ? 'default' : '4026531840'] };
    return { spec: { lsmhooks: [{ hook: 'file_open', selectors: [{ matchNamespaces: [filter] }] }] } };
  }),
];
