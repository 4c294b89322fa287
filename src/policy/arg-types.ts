import { type IntRange, rangeOf } from './integers.ts';
import type { PlanArgType } from './plan.ts';
import type { PlanSocketType, PlanTextType } from './plan-types.ts';

/** What filters see in a type: a number, a set of capabilities, a text, a socket; or nothing (`shown`), or not yet (`auto`). */
export type ArgTypeClass = 'integer' | 'capabilities' | 'text' | 'socket' | 'shown' | 'auto';

const CLASSES: Readonly<Record<PlanArgType, ArgTypeClass>> = {
  int8: 'integer',
  int16: 'integer',
  int32: 'integer',
  int64: 'integer',
  uint8: 'integer',
  uint16: 'integer',
  uint32: 'integer',
  uint64: 'integer',
  capability: 'integer',
  bpf_cmd: 'integer',
  syscall64: 'integer',
  kernel_cap_t: 'capabilities',
  cap_effective: 'capabilities',
  cap_permitted: 'capabilities',
  cap_inheritable: 'capabilities',
  string: 'text',
  filename: 'text',
  path: 'text',
  file: 'text',
  dentry: 'text',
  fd: 'text',
  kiocb: 'text',
  linux_binprm: 'text',
  char_buf: 'text',
  char_iovec: 'text',
  iov_iter: 'text',
  data_loc: 'text',
  net_device: 'text',
  sockaddr_un: 'text',
  sock: 'socket',
  socket: 'socket',
  skb: 'socket',
  sockaddr: 'socket',
  cred: 'shown',
  user_namespace: 'shown',
  const_buf: 'shown',
  bpf_attr: 'shown',
  bpf_map: 'shown',
  bpf_prog: 'shown',
  perf_event: 'shown',
  load_info: 'shown',
  module: 'shown',
  nop: 'shown',
  auto: 'auto',
};

export function classOf(type: PlanArgType): ArgTypeClass {
  return CLASSES[type];
}

export function isTextType(type: PlanArgType): type is PlanTextType {
  return classOf(type) === 'text';
}

export function isSocketType(type: PlanArgType): type is PlanSocketType {
  return classOf(type) === 'socket';
}

/** Bytes as they are, NUL included; all other texts end at their first NUL. */
export function isRawBuffer(type: PlanArgType): boolean {
  return type === 'char_buf' || type === 'char_iovec' || type === 'iov_iter';
}

/** What a value of the type can be; of `auto`, what any integer can be. Undefined for what is no number. */
export function numberRangeOf(type: PlanArgType): IntRange | undefined {
  switch (type) {
    case 'capability':
    case 'bpf_cmd':
      return rangeOf('uint32');
    case 'syscall64':
    case 'kernel_cap_t':
    case 'cap_effective':
    case 'cap_permitted':
    case 'cap_inheritable':
      return rangeOf('uint64');
    case 'auto':
      return { min: rangeOf('int64').min, max: rangeOf('uint64').max };
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return rangeOf(type);
    default:
      return undefined;
  }
}
