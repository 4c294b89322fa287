import path from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../host/cache.ts';
import { fetchKernels, isKernelName, kernelNames } from './kernels.ts';
import { bootMachine, type Emulation } from './machine.ts';

const usage = `Boots a kernel, runs one command in it, and ends with the command's status.
node e2e/vm/run.ts --kernel ${kernelNames.join('|')} [--file LOCAL[:GUEST]]… [--emulation single-thread|multi-thread|icount]
                   [--memory MIB] [--append KERNEL-ARGUMENTS] [--uid UID] [--console] -- COMMAND ARGUMENT…
Files come to /w/NAME without a GUEST path; the command runs in /w. Programs bring their shared libraries.
`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

function emulationOf(text: string): Emulation {
  if (text === 'single-thread' || text === 'multi-thread' || text === 'icount') return text;
  return fail(`--emulation ${text}: must be single-thread, multi-thread or icount`);
}

const { values, positionals } = parseArgs({
  options: {
    kernel: { type: 'string', default: '6.12' },
    file: { type: 'string', multiple: true, default: [] },
    emulation: { type: 'string', default: 'single-thread' },
    memory: { type: 'string', default: '1024' },
    append: { type: 'string', default: '' },
    uid: { type: 'string', default: '0' },
    console: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (!isKernelName(values.kernel)) fail(`--kernel ${values.kernel}: must be one of ${kernelNames.join(', ')}`);
const [program, ...args] = positionals;
if (program === undefined) fail('no command given');

const files = new Map<string, string>();
for (const file of values.file) {
  const [local = '', guest] = file.split(':');
  files.set(path.resolve(local), guest ?? `/w/${path.basename(local)}`);
}
const cache = cacheFolder(process.env);
const [kernel] = await fetchKernels(cache, [values.kernel]);
if (kernel === undefined) fail(`--kernel ${values.kernel}: not there`);
await using machine = await bootMachine({
  cache,
  kernel,
  files,
  emulation: emulationOf(values.emulation),
  memoryMiB: Number(values.memory),
  bootArguments: values.append,
});
await machine.run(['mkdir', '-p', '/w']);
const { status } = await machine.run([program, ...args], {
  cwd: '/w',
  uid: Number(values.uid),
  onStdout: (chunk) => process.stdout.write(chunk),
  onStderr: (chunk) => process.stderr.write(chunk),
});
if (values.console) process.stderr.write(machine.console());
process.exitCode = status < 0 ? 128 - status : status;
