import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loaderPath } from '../../scripts/loader-build.ts';
import { bundlePrograms } from '../cluster/bundle.ts';
import { cacheFolder } from '../host/cache.ts';
import type { Running } from '../vm/channel.ts';
import { fetchKernels, type KernelName } from '../vm/kernels.ts';
import { bootMachine, type Machine } from '../vm/machine.ts';

const root = path.join(import.meta.dirname, '../..');
const mainInGuest = '/app/src/cli/main.js';

/** A machine with Node, the CLI and the loader, and nothing of Kubernetes. */
export type StandaloneMachine = {
  readonly machine: Machine;
  /** Starts `palisade run ARGS…` as root. */
  readonly palisadeRun: (...args: string[]) => PalisadeRun;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type PalisadeRun = {
  readonly running: Running;
  readonly stdout: () => string;
  readonly stderr: () => string;
};

/** `files`: path in the machine → text. The tools at `tools` are busybox under other names: pid 1 is busybox itself, and exempt. */
export async function bootStandalone(
  kernelName: KernelName,
  files: ReadonlyMap<string, string>,
  tools: readonly string[],
): Promise<StandaloneMachine> {
  const cache = cacheFolder(process.env);
  const [kernel] = await fetchKernels(cache, [kernelName]);
  if (kernel === undefined) throw new Error(`kernel ${kernelName} is not there`);
  const scratch = await mkdtemp(path.join(tmpdir(), 'palisade-standalone-'));
  try {
    await bundlePrograms(path.join(root, 'dist'), scratch);
    const programs = new Map([
      [loaderPath('release'), '/usr/bin/palisade-loader'],
      [path.join(root, 'node_modules/node/bin/node'), '/usr/bin/node'],
    ]);
    for (const file of await readdir(scratch, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const local = path.join(file.parentPath, file.name);
      programs.set(local, path.join('/app', path.relative(scratch, local)));
    }
    const machine = await bootMachine({ cache, kernel, files: programs, memoryMiB: 2048 });
    await machine.writeFile('/app/package.json', '{"type":"module","version":"test"}');
    for (const [guestPath, text] of files) await machine.writeFile(guestPath, text);
    for (const tool of tools) await machine.run(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cp /bin/busybox "$1"', 'sh', tool]);
    return {
      machine,
      palisadeRun: (...args) => startRun(machine, args),
      [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
    };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function startRun(machine: Machine, args: readonly string[]): PalisadeRun {
  let stdout = '';
  let stderr = '';
  const script = 'ulimit -l unlimited; exec /usr/bin/node "$@"';
  const running = machine.start(['sh', '-c', script, 'sh', mainInGuest, 'run', ...args], {
    onStdout: (chunk) => {
      stdout += chunk.toString();
    },
    onStderr: (chunk) => {
      stderr += chunk.toString();
    },
  });
  return { running, stdout: () => stdout, stderr: () => stderr };
}
