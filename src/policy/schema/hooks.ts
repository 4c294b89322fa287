import { z } from 'zod';
import { argument } from './arguments.ts';
import { object, uint53, withRules } from './primitives.ts';
import { selector } from './selectors.ts';

const message = z.string().optional().describe('Text for events, 2 to 256 characters.');
const tags = z.array(z.string()).max(16).optional().describe('Words for events, 2 to 128 characters each.');
const args = z.array(argument).optional().describe('Arguments to read.');
const data = z.array(argument).optional().describe('Further values to read.');
const selectors = z.array(selector).optional().describe('Which calls matter, and what happens then. None: every call is reported.');
const returnFields = {
  return: z.boolean().default(false).describe('Also watch the return of the function.'),
  returnArg: argument.optional(),
  returnArgAction: z.string().optional().describe('TrackSock or UntrackSock on the returned socket.'),
};
type Returning = { readonly return: boolean; readonly returnArg?: unknown };

const RETURN_NEEDS_ARG = {
  rule: '!has(self.__return__) || !self.__return__ || has(self.returnArg)',
  message: '"return: true" needs returnArg',
  holds: (value: Returning) => !value.return || value.returnArg !== undefined,
};

const plainKprobe = object(
  {
    call: z.string().describe('Kernel function, system call (sys_…), or list:NAME.'),
    syscall: z.boolean().default(true).describe('The function is a system call.'),
    ...returnFields,
    message,
    tags,
    args,
    data,
    selectors,
    ignore: object(
      { callNotFound: z.boolean().default(false).describe('A kernel without this function is no failure.') },
      'Failures that do not matter.',
    ).optional(),
  },
  'A probe on a kernel function.',
);

export const kprobe = withRules(plainKprobe, RETURN_NEEDS_ARG);

export const tracepoint = object(
  {
    subsystem: z.string().describe('For example sched.'),
    event: z.string().describe('For example sched_process_exec.'),
    raw: z.boolean().default(false).describe('Read the raw arguments instead of the fields.'),
    message,
    tags,
    args,
    selectors,
  },
  'A kernel tracepoint.',
);

export const lsmHook = object(
  { hook: z.string().describe('For example file_open, without a prefix.'), message, tags, args, selectors },
  'A hook of the Linux security modules.',
);

type Addressed = { readonly symbols?: unknown; readonly offsets?: unknown; readonly addrs?: unknown };

const ONE_ADDRESSING = {
  rule: '(has(self.symbols) ? 1 : 0) + (has(self.offsets) ? 1 : 0) + (has(self.addrs) ? 1 : 0) <= 1',
  message: 'at most one of symbols, offsets and addrs',
  holds: (value: Addressed) => [value.symbols, value.offsets, value.addrs].filter((each) => each !== undefined).length <= 1,
};

const plainUprobe = object(
  {
    path: z.string().describe('ELF file, as the agent sees it.'),
    symbols: z.array(z.string()).optional().describe('Functions by name.'),
    offsets: z.array(uint53).optional().describe('Functions by file offset.'),
    addrs: z.array(uint53).optional().describe('Functions by address.'),
    refCtrOffsets: z.array(uint53).optional().describe('Offsets of reference counters.'),
    btfPath: z.string().optional().describe('File with type information.'),
    binaryDigests: z.array(z.string()).optional().describe('Allowed digests of the file, as TYPE:HEX.'),
    ...returnFields,
    message,
    tags,
    args,
    data,
    selectors,
    ignore: object(
      { digestVerificationFailure: z.boolean().default(false).describe('A file with another digest is no failure.') },
      'Failures that do not matter.',
    ).optional(),
  },
  'A probe on a function of a program.',
);

export const uprobe = withRules(plainUprobe, ONE_ADDRESSING, RETURN_NEEDS_ARG);

export const usdt = object(
  {
    path: z.string().describe('ELF file, as the agent sees it.'),
    provider: z.string().describe('Provider of the tracepoint.'),
    name: z.string().describe('Name of the tracepoint.'),
    btfPath: z.string().optional().describe('File with type information.'),
    message,
    tags,
    args,
    selectors,
  },
  'A tracepoint of a program.',
);

export const enforcer = object(
  { calls: z.array(z.string()).describe('System calls, security_* functions, or list:NAME.') },
  'Calls that NotifyEnforcer can deny.',
);

export const list = object(
  {
    name: z.string().describe('Used as list:NAME.'),
    type: z.enum(['', 'syscalls', 'generated_syscalls', 'generated_ftrace']).optional().describe('What the values are.'),
    values: z.array(z.string()).optional().describe('Functions or system calls.'),
    pattern: z.string().optional().describe('Regular expression for generated_ftrace.'),
    validated: z.boolean().default(false).describe('The values need no check.'),
  },
  'A named list of functions.',
);

export const option = object({ name: z.string().describe('Name of the option.'), value: z.string().describe('Its value.') }, 'An option.');

export type KprobeSpec = z.infer<typeof kprobe>;
export type TracepointSpec = z.infer<typeof tracepoint>;
export type LsmHookSpec = z.infer<typeof lsmHook>;
export type OptionSpec = z.infer<typeof option>;
export type UprobeSpec = z.infer<typeof uprobe>;
export type UsdtSpec = z.infer<typeof usdt>;
export type EnforcerSpec = z.infer<typeof enforcer>;
export type ListSpec = z.infer<typeof list>;
