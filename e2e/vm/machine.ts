import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Socket } from 'node:net';
import { freePort } from '../host/free-port.ts';
import { connectUnix, startCommand, type CommandResult, type ExecOptions, type Running } from './channel.ts';
import { cpioArchive } from './cpio.ts';
import { guestImage } from './guest-image.ts';
import type { Kernel } from './kernels.ts';
import { programEntries } from './programs.ts';

/** How the processor is emulated: one host thread in turns (faithful ordering), one per processor, or counting instructions. */
export type Emulation = 'single-thread' | 'multi-thread' | 'icount';

const emulationFlags: Record<Emulation, readonly string[]> = {
  'single-thread': ['-accel', 'tcg,thread=single,tb-size=256', '-smp', '2'],
  'multi-thread': ['-accel', 'tcg,thread=multi,tb-size=256', '-smp', '2'],
  icount: ['-accel', 'tcg,thread=single,tb-size=256', '-icount', 'shift=0,sleep=off', '-smp', '1'],
};

export type MachineOptions = {
  readonly cache: string;
  readonly kernel: Kernel;
  readonly emulation?: Emulation;
  readonly memoryMiB?: number;
  /** Programs and files to boot with: path here → path in the machine. Programs bring their shared libraries. */
  readonly files?: ReadonlyMap<string, string>;
  /** Added to the kernel's command line. */
  readonly bootArguments?: string;
  /** How long the machine may take to answer, milliseconds. */
  readonly bootTimeoutMs?: number;
};

/** A running machine with one kernel. Dispose it to end it. */
export type Machine = {
  readonly kernel: Kernel;
  readonly run: (argv: readonly [string, ...string[]], options?: ExecOptions) => Promise<CommandResult>;
  readonly start: (argv: readonly [string, ...string[]], options?: ExecOptions) => Running;
  readonly writeFile: (guestPath: string, bytes: string | Uint8Array, mode?: string) => Promise<void>;
  readonly readFile: (guestPath: string) => Promise<string>;
  readonly copyIn: (localPath: string, guestPath: string) => Promise<void>;
  /** A connection to a unix socket in the machine, made by the given user there. */
  readonly connectUnix: (guestPath: string, uid: number) => Promise<Socket>;
  /** All that the kernel and its first process have printed. */
  readonly console: () => string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Boots a kernel and waits until commands can be run in it. */
export async function bootMachine(options: MachineOptions): Promise<Machine> {
  const image = await guestImage(options.cache, options.kernel);
  const scratch = await mkdtemp(path.join(tmpdir(), 'palisade-vm-'));
  const extra = cpioArchive(await programEntries(options.files ?? new Map()));
  const initrd = path.join(scratch, 'initrd');
  await writeFile(initrd, Buffer.concat([await readFile(image), extra]));
  const port = await freePort();
  const child = spawn(
    'setpriv',
    [
      // The machine never outlives the process that booted it.
      '--pdeathsig',
      'KILL',
      'qemu-system-x86_64',
      ...emulationFlags[options.emulation ?? 'single-thread'],
      '-cpu',
      'max',
      '-m',
      String(options.memoryMiB ?? 1024),
      '-nographic',
      '-no-reboot',
      '-nodefaults',
      '-serial',
      'stdio',
      '-netdev',
      `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-10.0.2.15:1024`,
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
      '-kernel',
      options.kernel.image,
      '-initrd',
      initrd,
      // no_timer_check: on a busy host the emulated timer can be late, and the kernel would give up on it at boot.
      '-append',
      `console=ttyS0 quiet panic=-1 no_timer_check lsm=landlock,lockdown,yama,integrity,apparmor,bpf ${options.bootArguments ?? ''}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let printed = '';
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(scratch, { recursive: true, force: true });
  };
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(bootFailure('did not answer in time')), options.bootTimeoutMs ?? 60_000);
    const bootFailure = (why: string): Error =>
      new Error(`machine ${options.kernel.name}: ${why}\n${printed.split('\n').slice(-20).join('\n')}`);
    const listen = (chunk: Buffer): void => {
      printed += chunk.toString('latin1').replaceAll('\r', '');
      if (!printed.includes('guestd ready')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', reject);
    child.on('close', () => reject(bootFailure('ended while booting')));
  });
  try {
    await ready;
  } catch (error) {
    await dispose();
    throw error;
  }
  return connect(options.kernel, port, () => printed, dispose);
}

function connect(kernel: Kernel, port: number, console: () => string, dispose: () => Promise<void>): Machine {
  const run: Machine['run'] = (argv, options = {}) => startCommand(port, argv, { input: '', ...options }).result;
  const mustRun = async (argv: readonly [string, ...string[]], input: string | Uint8Array): Promise<string> => {
    const { status, stdout, stderr } = await run(argv, { input });
    if (status !== 0) throw new Error(`machine ${kernel.name}: ${argv.join(' ')}: status ${status}: ${stderr}`);
    return stdout;
  };
  const writeGuestFile: Machine['writeFile'] = async (guestPath, bytes, mode = '644') => {
    await mustRun(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"', 'sh', guestPath, mode], bytes);
  };
  return {
    kernel,
    run,
    start: (argv, options) => startCommand(port, argv, options),
    writeFile: writeGuestFile,
    readFile: (guestPath) => mustRun(['cat', guestPath], ''),
    copyIn: async (localPath, guestPath) => writeGuestFile(guestPath, await readFile(localPath), '755'),
    connectUnix: (guestPath, uid) => connectUnix(port, guestPath, uid),
    console,
    [Symbol.asyncDispose]: dispose,
  };
}
