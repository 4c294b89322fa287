import { z } from 'zod';
import { object, off, position } from './primitives.ts';

/** Every type name of upstream's language. */
export const ARG_TYPES = [
  'auto',
  'int',
  'sint8',
  'int8',
  'uint8',
  'sint16',
  'int16',
  'uint16',
  'uint32',
  'sint32',
  'int32',
  'ulong',
  'uint64',
  'size_t',
  'long',
  'sint64',
  'int64',
  'char_buf',
  'char_iovec',
  'skb',
  'sock',
  'sockaddr',
  'socket',
  'sockaddr_un',
  'string',
  'fd',
  'file',
  'filename',
  'path',
  'nop',
  'bpf_attr',
  'perf_event',
  'bpf_map',
  'user_namespace',
  'capability',
  'kiocb',
  'iov_iter',
  'cred',
  'const_buf',
  'load_info',
  'module',
  'syscall64',
  'kernel_cap_t',
  'cap_inheritable',
  'cap_permitted',
  'cap_effective',
  'linux_binprm',
  'data_loc',
  'net_device',
  'bpf_cmd',
  'dentry',
  'bpf_prog',
] as const;

export type ArgTypeName = (typeof ARG_TYPES)[number];

const shape = {
  index: position.describe(
    'Position from 0: in the prototype of the function, in the format of the tracepoint, or among the arguments of the usdt. In data it is free.',
  ),
  type: z
    .enum(ARG_TYPES)
    .default('auto')
    .describe(
      'How the value is read, shown and compared. Numbers: int, uint32, int64, size_t and so on. Texts: string, char_buf (with sizeArgIndex), ' +
        'filename, and what has a path: file, path, dentry, fd, linux_binprm. Sockets: sock, socket, skb, sockaddr. Capability sets: ' +
        'cap_effective and so on. Shown only: cred, bpf_attr, module and others. A type that is not that of the kernel reads nonsense. ' +
        'auto, the default: from the kernel, for tracepoints and resolve only. nop: reads nothing.',
    ),
  resolve: z
    .string()
    .optional()
    .describe(
      'Members to follow from the argument, for example mm.owner.real_parent.comm or d_name.name; [3] is an array element; at most 10 ' +
        'steps. With "source: pt_regs" a register, for example rdi.',
    ),
  sizeArgIndex: position
    .optional()
    .describe('For char_buf and char_iovec: the argument that holds the size, counted from 1 (its index plus 1).'),
  returnCopy: off('Read the buffer when the function returns, for example what read(2) filled in.'),
  maxData: off('For char_buf: read up to 327360 bytes instead of 4095. Costs as much as it reads.'),
  label: z.string().optional().describe('Name of the value in events, for example path.'),
  source: z
    .string()
    .optional()
    .describe('Only in data, where the value begins: current_task (its struct task_struct) or pt_regs (the registers).'),
  btfType: z.string().optional().describe('The struct that the argument is taken for before resolve is followed, for example sk_buff.'),
  btfTypeModule: z.string().optional().describe('The kernel module that defines btfType, for example nf_tables. None: the kernel itself.'),
};

export const argument = object(shape, 'A value that the hook reads, for events and for filters.', 'Argument');

/** The same fields; what they are for is another thing. */
export const returnArgument = object(
  shape,
  'How the value that the function returns is read, for example {index: 0, type: int}. Needed by "return: true".',
);

export type ArgumentSpec = z.infer<typeof argument>;
