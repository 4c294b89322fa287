import type { PlanArgType, PlanHookKind } from '../plan.ts';
import type { ArgTypeName } from '../schema/arguments.ts';

/** What a type of the language is in a plan. */
export const PLAN_TYPES: Readonly<Record<ArgTypeName, PlanArgType>> = {
  auto: 'auto',
  int: 'int32',
  int32: 'int32',
  sint32: 'int32',
  int8: 'int8',
  sint8: 'int8',
  int16: 'int16',
  sint16: 'int16',
  int64: 'int64',
  sint64: 'int64',
  long: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  ulong: 'uint64',
  size_t: 'uint64',
  string: 'string',
  filename: 'filename',
  path: 'path',
  file: 'file',
  dentry: 'dentry',
  fd: 'fd',
  kiocb: 'kiocb',
  linux_binprm: 'linux_binprm',
  char_buf: 'char_buf',
  char_iovec: 'char_iovec',
  iov_iter: 'iov_iter',
  const_buf: 'const_buf',
  data_loc: 'data_loc',
  net_device: 'net_device',
  sockaddr_un: 'sockaddr_un',
  sock: 'sock',
  socket: 'socket',
  skb: 'skb',
  sockaddr: 'sockaddr',
  kernel_cap_t: 'kernel_cap_t',
  cap_inheritable: 'cap_inheritable',
  cap_permitted: 'cap_permitted',
  cap_effective: 'cap_effective',
  capability: 'capability',
  bpf_cmd: 'bpf_cmd',
  syscall64: 'syscall64',
  cred: 'cred',
  user_namespace: 'user_namespace',
  bpf_attr: 'bpf_attr',
  bpf_map: 'bpf_map',
  bpf_prog: 'bpf_prog',
  perf_event: 'perf_event',
  load_info: 'load_info',
  module: 'module',
  nop: 'nop',
};

/** What a value of a program can be read as: numbers and bytes. All else are structs of the kernel. */
const PROGRAM_TYPES: ReadonlySet<PlanArgType> = new Set([
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'string',
  'char_buf',
  'nop',
  'auto',
]);

/** Why a hook cannot read a value as this type, and what would be right; null: it can. */
export function typeProblem(
  type: PlanArgType,
  kind: PlanHookKind,
  source: { readonly ofProgram: boolean; readonly resolved: boolean; readonly returned: boolean },
): { readonly message: string; readonly hint?: string } | null {
  const isTracepoint = kind === 'tracepoint' || kind === 'raw_tracepoint';
  switch (type) {
    case 'const_buf':
      return { message: 'const_buf cannot be asked for', hint: 'leave the type out: it is found in the format of the tracepoint' };
    case 'data_loc':
      return kind === 'tracepoint' ? null : { message: 'data_loc exists in tracepoints that are not raw only', hint: 'use "string"' };
    case 'syscall64':
      return isTracepoint && !source.resolved ? null : { message: 'syscall64 exists in tracepoints only', hint: 'use "uint64"' };
    case 'auto':
      return isTracepoint || source.resolved
        ? null
        : { message: 'the type is missing, and it cannot be found out here', hint: 'name it, for example "type: int" or "type: file"' };
    case 'nop':
      return source.returned
        ? { message: 'a return value that is not read says nothing', hint: 'name its type, for example "type: int"' }
        : null;
    default:
      return source.ofProgram && !PROGRAM_TYPES.has(type)
        ? {
            message: `${type} is a struct of the kernel, and this is a value of a program`,
            hint: 'use an integer type, "string" or "char_buf"',
          }
        : null;
  }
}

/** Buffers: their size is in another argument. */
export function isBuffer(type: PlanArgType): boolean {
  return type === 'char_buf' || type === 'char_iovec';
}
