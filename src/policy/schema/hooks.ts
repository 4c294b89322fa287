import { z } from 'zod';
import { argument, returnArgument } from './arguments.ts';
import { object, off, uint53, withRules } from './primitives.ts';
import { selector } from './selectors.ts';

const message = z
  .string()
  .optional()
  .describe('Text that events of this hook carry, for whoever is on duty: 2 to 256 bytes, longer ones are cut with a warning.');
const tags = z
  .array(z.string())
  .max(16)
  .optional()
  .describe('Words that events of this hook carry, for example [mitre.T1059]. At most 16, of 2 to 128 bytes.');
const args = z
  .array(argument)
  .optional()
  .describe(
    'Arguments that events show and filters compare, for example {index: 0, type: file}. A filter can only name what is listed here.',
  );
const data = z
  .array(argument)
  .optional()
  .describe(
    'Values from elsewhere than the arguments: each has source and resolve, for example {index: 0, source: current_task, resolve: comm, type: string}.',
  );
const selectors = z
  .array(selector)
  .optional()
  .describe('Which calls matter and what happens then, tried in this order; the first that matches acts. None: every call sends an event.');
const btfPath = z.string().optional().describe('File with BTF of the program, for resolve and btfType.');
const returnFields = {
  return: off('Also watch the return: events show the value, and matchReturnArgs can filter by it. Needs returnArg.'),
  returnArg: returnArgument.optional(),
  returnArgAction: z
    .string()
    .optional()
    .describe('TrackSock or UntrackSock, done with the socket that the function returns; events of that socket then name its process.'),
};
type Returning = { readonly return: boolean; readonly returnArg?: unknown };

const RETURN_NEEDS_ARG = {
  rule: '!has(self.__return__) || !self.__return__ || has(self.returnArg)',
  message: '"return: true" needs returnArg',
  holds: (value: Returning) => !value.return || value.returnArg !== undefined,
};

function kernelFunction(description: string, title: string) {
  const shape = {
    call: z
      .string()
      .describe(
        'Kernel function, for example security_file_open or tcp_connect; system call, for example sys_openat (the prefix of the machine is ' +
          'added); or list:NAME for each function of a list. Names differ between kernels.',
      ),
    syscall: z
      .boolean()
      .default(true)
      .describe(
        'True, the default: call is a system call and its arguments are those of its caller. Write false for every other function.',
      ),
    ...returnFields,
    message,
    tags,
    args,
    data,
    selectors,
    ignore: object(
      { callNotFound: off('A kernel without this function runs the rest of the policy; its nodes count as loaded, and status tells.') },
      'What is no failure.',
    ).optional(),
  };
  return withRules(object(shape, description, title), RETURN_NEEDS_ARG);
}

export const kprobe = kernelFunction(
  'A probe on a kernel function. Arguments of system calls are in memory that the process can change after the check: to enforce, prefer ' +
    'lsmhooks or security_* functions.',
  'Kprobe',
);
export const fentry = kernelFunction(
  'A cheaper probe on a kernel function, by a trampoline. It observes only: no action that enforces.',
  'Fentry',
);

export const tracepoint = object(
  {
    subsystem: z.string().describe('Folder under events/ in tracefs, for example sched, syscalls or raw_syscalls.'),
    event: z.string().describe('Folder in that of the subsystem, for example sched_process_exec or sys_enter_openat.'),
    raw: off('Read the arguments of the tracepoint function by position instead of the fields of its format. Cheaper, and resolve works.'),
    message,
    tags,
    args,
    selectors,
  },
  'A tracepoint of the kernel: steadier between kernels than functions. It can kill, but not deny.',
  'Tracepoint',
);

export const lsmHook = object(
  {
    hook: z.string().describe('Name without prefix, for example file_open, bprm_check_security or socket_connect.'),
    message,
    tags,
    args,
    selectors,
  },
  'A hook of the Linux security modules: the place to deny, before the operation, on what the kernel itself will use. Override is its answer.',
  'LsmHook',
);

type Addressed = { readonly symbols?: unknown; readonly offsets?: unknown; readonly addrs?: unknown };

const ONE_ADDRESSING = {
  rule: '(has(self.symbols) ? 1 : 0) + (has(self.offsets) ? 1 : 0) + (has(self.addrs) ? 1 : 0) <= 1',
  message: 'at most one of symbols, offsets and addrs',
  holds: (value: Addressed) => [value.symbols, value.offsets, value.addrs].filter((each) => each !== undefined).length <= 1,
};

const path = z
  .string()
  .describe('The program or library, for example /bin/bash: a path of the host, not of a container (those are under /proc/PID/root).');

const plainUprobe = object(
  {
    path,
    symbols: z
      .array(z.string())
      .optional()
      .describe('Functions by name, with an offset if need be: [readline, main.main+0x10]. One of symbols, offsets and addrs is needed.'),
    offsets: z.array(uint53).optional().describe('Functions by offset in the file, in place of symbols.'),
    addrs: z.array(uint53).optional().describe('Functions by address as in the symbol table, in place of symbols.'),
    refCtrOffsets: z
      .array(uint53)
      .optional()
      .describe('File offsets of the counters that switch the probes on, one for each symbol, offset or address.'),
    btfPath,
    binaryDigests: z
      .array(z.string())
      .optional()
      .describe('Probe only a file with one of these digests: sha256:HEX, also sha1, sha384, sha512 and build-id.'),
    ...returnFields,
    message,
    tags,
    args,
    data,
    selectors,
    ignore: object(
      { digestVerificationFailure: off('Where the file has another digest, the rest of the policy runs.') },
      'What is no failure.',
    ).optional(),
  },
  'A probe on a function of a program or library, in every process that runs it. Cluster-wide policies only.',
  'Uprobe',
);

export const uprobe = withRules(plainUprobe, ONE_ADDRESSING, RETURN_NEEDS_ARG);

export const usdt = object(
  {
    path,
    provider: z.string().describe('Provider of the tracepoint, as readelf -n shows it, for example libc.'),
    name: z.string().describe('Name of the tracepoint, for example setjmp.'),
    btfPath,
    message,
    tags,
    args,
    selectors,
  },
  'A tracepoint that is built into a program or library. Cluster-wide policies only.',
  'Usdt',
);

export const enforcer = object(
  {
    calls: z.array(z.string()).describe('System calls (sys_openat), security_* functions, or list:NAME of type syscalls.'),
  },
  'Calls in which the action NotifyEnforcer of other hooks can deny or kill. At most one entry.',
  'Enforcer',
);

export const list = object(
  {
    name: z.string().describe('What list:NAME refers to.'),
    type: z
      .enum(['', 'syscalls', 'generated_syscalls', 'generated_ftrace'])
      .optional()
      .describe(
        'None: kernel functions. syscalls: system calls, for example sys_dup or i386/sys_dup. generated_syscalls: all of them. ' +
          'generated_ftrace: functions that can be probed and fit pattern.',
      ),
    values: z.array(z.string()).optional().describe('The names. None for the generated types.'),
    pattern: z.string().optional().describe('For generated_ftrace, needed there: a regular expression, for example ^ksys_.'),
    validated: off('The values exist: do not look them up.'),
  },
  'A named list of functions or system calls, for call, for enforcers and for InMap.',
  'List',
);

export const option = object(
  {
    name: z
      .string()
      .describe(
        'policy-mode, disable-kprobe-multi, disable-uprobe-multi, override-method, sleepable-preload-size, or ours: ' +
          'palisade.dev/substitute, palisade.dev/on-unknown, palisade.dev/on-pending, palisade.dev/event-rate, palisade.dev/rollout.',
      ),
    value: z.string().default('').describe('Always a text: quote numbers and true or false.'),
  },
  'A setting of the policy. A name that does not exist or comes twice is refused.',
  'Option',
);

export type KprobeSpec = z.infer<typeof kprobe>;
export type TracepointSpec = z.infer<typeof tracepoint>;
export type LsmHookSpec = z.infer<typeof lsmHook>;
export type OptionSpec = z.infer<typeof option>;
export type UprobeSpec = z.infer<typeof uprobe>;
export type UsdtSpec = z.infer<typeof usdt>;
export type EnforcerSpec = z.infer<typeof enforcer>;
export type ListSpec = z.infer<typeof list>;
