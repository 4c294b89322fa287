/** Which type of slot reads an argument of a policy's type. */
import {
  PAL_T_BPF_ATTR,
  PAL_T_BPF_MAP,
  PAL_T_BPF_PROG,
  PAL_T_BPRM,
  PAL_T_BUFFER,
  PAL_T_CAP_EFF,
  PAL_T_CAP_INH,
  PAL_T_CAP_PRM,
  PAL_T_CAPS,
  PAL_T_CHAR_IOVEC,
  PAL_T_CONST_BUF,
  PAL_T_CRED,
  PAL_T_DENTRY,
  PAL_T_FD,
  PAL_T_FILE,
  PAL_T_FILENAME,
  PAL_T_IOV_ITER,
  PAL_T_KIOCB,
  PAL_T_LOAD_INFO,
  PAL_T_MODULE,
  PAL_T_NET_DEVICE,
  PAL_T_PATH,
  PAL_T_PERF_EVENT,
  PAL_T_SKB,
  PAL_T_SOCK,
  PAL_T_SOCKADDR,
  PAL_T_SOCKADDR_UN,
  PAL_T_SOCKET,
  PAL_T_STRING,
  PAL_T_USER_NS,
} from '../abi/layout.ts';
import type { PlanArgType } from '../policy/plan.ts';
import type { PlanCapabilitySetType, PlanShownType, PlanSocketType, PlanTextType } from '../policy/plan-types.ts';
import type { FunctionArg } from './prototype.ts';

const MEMORY_TYPES = {
  string: PAL_T_STRING,
  data_loc: PAL_T_STRING,
  filename: PAL_T_FILENAME,
  path: PAL_T_PATH,
  file: PAL_T_FILE,
  dentry: PAL_T_DENTRY,
  fd: PAL_T_FD,
  kiocb: PAL_T_KIOCB,
  linux_binprm: PAL_T_BPRM,
  char_buf: PAL_T_BUFFER,
  char_iovec: PAL_T_CHAR_IOVEC,
  iov_iter: PAL_T_IOV_ITER,
  net_device: PAL_T_NET_DEVICE,
  sockaddr_un: PAL_T_SOCKADDR_UN,
  sock: PAL_T_SOCK,
  socket: PAL_T_SOCKET,
  skb: PAL_T_SKB,
  sockaddr: PAL_T_SOCKADDR,
  cred: PAL_T_CRED,
  user_namespace: PAL_T_USER_NS,
  const_buf: PAL_T_CONST_BUF,
  bpf_attr: PAL_T_BPF_ATTR,
  bpf_map: PAL_T_BPF_MAP,
  bpf_prog: PAL_T_BPF_PROG,
  perf_event: PAL_T_PERF_EVENT,
  load_info: PAL_T_LOAD_INFO,
  module: PAL_T_MODULE,
} satisfies Readonly<Record<PlanTextType | PlanSocketType | PlanShownType, number>>;

const SCALAR_TYPES = {
  kernel_cap_t: PAL_T_CAPS,
  cap_effective: PAL_T_CAP_EFF,
  cap_permitted: PAL_T_CAP_PRM,
  cap_inheritable: PAL_T_CAP_INH,
} satisfies Readonly<Record<PlanCapabilitySetType, number>>;

/** Those with names, and their widths. */
const NAMED_INTEGERS: Readonly<Partial<Record<PlanArgType, number>>> = { capability: 4, bpf_cmd: 4, syscall64: 8 };
const INTEGER = /^(u?)int(8|16|32|64)$/;

/** Null: not copied into scratch memory. */
export function memoryType(type: PlanArgType): number | null {
  const types: Readonly<Partial<Record<PlanArgType, number>>> = MEMORY_TYPES;
  return types[type] ?? null;
}

/** Sets of capabilities: 64 bits behind a pointer, compared as a number. */
export function scalarType(type: PlanArgType): number | null {
  const types: Readonly<Partial<Record<PlanArgType, number>>> = SCALAR_TYPES;
  return types[type] ?? null;
}

export function integerOf(type: PlanArgType): { readonly bytes: number; readonly signed: boolean } | null {
  const named = NAMED_INTEGERS[type];
  if (named !== undefined) return { bytes: named, signed: false };
  const match = INTEGER.exec(type);
  return match === null ? null : { bytes: Number(match[2]) / 8, signed: match[1] === '' };
}

/** An integer may be read from anything that fits a register; pointers must point to what the policy says, where the kernel tells. */
export function fitsType(type: PlanArgType, actual: FunctionArg): boolean {
  if (type === 'string') return actual.type === 'ptr' || actual.type === 'user-ptr';
  return type === 'file' || type === 'path' ? actual.type === `struct:${type}` || actual.type === 'ptr' : true;
}
