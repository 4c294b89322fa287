/** Whether a value that a kernel hands out can be read as the type that a policy gives it. */
import type { PlanArgType } from '../plan.ts';
import type { ValueShape } from './value-shape.ts';

/** `note`: it is read, and something about it is not as the policy says. */
export type Fit = { readonly fits: true; readonly note?: string } | { readonly fits: false };

const FITS: Fit = { fits: true };
const MISFIT: Fit = { fits: false };

/** Structures that a type is read from, behind a pointer or lying there itself. */
const STRUCTURES: Readonly<Partial<Record<PlanArgType, readonly string[]>>> = {
  filename: ['filename'],
  path: ['path'],
  file: ['file'],
  dentry: ['dentry'],
  kiocb: ['kiocb'],
  linux_binprm: ['linux_binprm'],
  char_iovec: ['iovec'],
  iov_iter: ['iov_iter'],
  net_device: ['net_device'],
  // 7.x has a name of its own for addresses whose length is not that of the structure.
  sockaddr_un: ['sockaddr_un', 'sockaddr', 'sockaddr_unsized', '__kernel_sockaddr_storage', 'sockaddr_storage'],
  sockaddr: ['sockaddr', 'sockaddr_unsized', '__kernel_sockaddr_storage', 'sockaddr_storage', 'sockaddr_in', 'sockaddr_in6'],
  sock: ['sock', 'sock_common'],
  socket: ['socket'],
  skb: ['sk_buff'],
  kernel_cap_t: ['kernel_cap_struct', 'kernel_cap_t', ''],
  cap_effective: ['cred'],
  cap_permitted: ['cred'],
  cap_inheritable: ['cred'],
  cred: ['cred'],
  user_namespace: ['user_namespace'],
  bpf_attr: ['bpf_attr'],
  bpf_map: ['bpf_map'],
  bpf_prog: ['bpf_prog'],
  perf_event: ['perf_event'],
  load_info: ['load_info'],
  module: ['module'],
};

const INTEGER = /^(u?)int(8|16|32|64)$/;
const NUMBERS: Readonly<Partial<Record<PlanArgType, number>>> = { fd: 4, capability: 4, bpf_cmd: 4, syscall64: 8 };

export function fitOf(type: PlanArgType, shape: ValueShape): Fit {
  if (shape.kind === 'nothing') return MISFIT;
  if (type === 'auto' || type === 'nop' || type === 'const_buf') return FITS;
  const integer = INTEGER.exec(type);
  if (integer !== null) return fitInteger(type, { bytes: Number(integer[2]) / 8, signed: integer[1] === '' }, shape);
  const width = NUMBERS[type];
  if (width !== undefined) return shape.kind === 'number' ? FITS : MISFIT;
  if (type === 'string' || type === 'char_buf' || type === 'data_loc') return fitText(type, shape);
  return fitStructure(STRUCTURES[type] ?? [], shape);
}

function fitInteger(type: string, wanted: { readonly bytes: number; readonly signed: boolean }, shape: ValueShape): Fit {
  if (shape.kind === 'pointer') {
    return wanted.bytes === 8 ? FITS : { fits: true, note: `it is a pointer, of which ${type} is the lower half` };
  }
  if (shape.kind !== 'number') return shape.kind === 'structure' && shape.bytes <= 8 ? FITS : MISFIT;
  if (shape.bytes !== wanted.bytes) return { fits: true, note: `it has ${shape.bytes} bytes and ${type} has ${wanted.bytes}` };
  if (shape.signed === wanted.signed) return FITS;
  return { fits: true, note: `it is ${shape.signed ? 'signed' : 'unsigned'} and ${type} is not` };
}

function fitText(type: 'string' | 'char_buf' | 'data_loc', shape: ValueShape): Fit {
  switch (shape.kind) {
    case 'located':
      return FITS;
    case 'array':
      return shape.of === 'char' && type !== 'data_loc' ? FITS : MISFIT;
    case 'pointer':
      // A buffer may be behind any pointer; text is not behind one to a structure.
      return type === 'char_buf' || (type === 'string' && (shape.to.length === 0 || shape.to.includes('char'))) ? FITS : MISFIT;
    default:
      return MISFIT;
  }
}

function fitStructure(wanted: readonly string[], shape: ValueShape): Fit {
  if (shape.kind === 'structure') return shape.names.some((name) => wanted.includes(name)) ? FITS : MISFIT;
  if (shape.kind !== 'pointer') return shape.kind === 'number' && wanted.includes('') && shape.bytes === 8 ? FITS : MISFIT;
  return shape.to.length === 0 || shape.to.some((name) => wanted.includes(name)) ? FITS : MISFIT;
}

/** What filters on a value of type `auto` compare. */
export function comparedAs(shape: ValueShape): 'number' | 'text' | 'nothing' {
  switch (shape.kind) {
    case 'number':
      return 'number';
    case 'located':
      return 'text';
    case 'array':
      return shape.of === 'char' ? 'text' : 'nothing';
    case 'pointer':
      return shape.to.includes('char') ? 'text' : 'number';
    default:
      return 'nothing';
  }
}
