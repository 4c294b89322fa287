import { z } from 'zod';
import { object, position } from './primitives.ts';

/** Every type name of upstream's language. */
export const ARG_TYPES = [
  'auto', 'int', 'sint8', 'int8', 'uint8', 'sint16', 'int16', 'uint16', 'uint32', 'sint32', 'int32', 'ulong', 'uint64', 'size_t',
  'long', 'sint64', 'int64', 'char_buf', 'char_iovec', 'skb', 'sock', 'sockaddr', 'socket', 'sockaddr_un', 'string', 'fd', 'file',
  'filename', 'path', 'nop', 'bpf_attr', 'perf_event', 'bpf_map', 'user_namespace', 'capability', 'kiocb', 'iov_iter', 'cred',
  'const_buf', 'load_info', 'module', 'syscall64', 'kernel_cap_t', 'cap_inheritable', 'cap_permitted', 'cap_effective',
  'linux_binprm', 'data_loc', 'net_device', 'bpf_cmd', 'dentry', 'bpf_prog',
] as const;

export type ArgTypeName = (typeof ARG_TYPES)[number];

export const argument = object(
  {
    index: position.describe('Position in the function prototype, from 0; for tracepoints the number of the field.'),
    type: z.enum(ARG_TYPES).default('auto').describe('How the argument is read and shown.'),
    resolve: z.string().optional().describe('Member path to follow from the argument, for example "mm.owner.comm".'),
    sizeArgIndex: position.optional().describe('Position plus 1 of the argument that holds the size of this buffer.'),
    returnCopy: z.boolean().default(false).describe('Read the buffer when the function returns.'),
    maxData: z.boolean().default(false).describe('Read up to 327360 bytes of the buffer instead of 4096.'),
    label: z.string().optional().describe('Name shown beside the value in events.'),
    source: z.string().optional().describe('In "data": current_task or pt_regs.'),
    btfType: z.string().optional().describe('Type that the argument is taken for before "resolve" is followed.'),
    btfTypeModule: z.string().optional().describe('Kernel module that defines btfType.'),
  },
  'A value that the hook reads.',
);

export type ArgumentSpec = z.infer<typeof argument>;
