import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { loaderPath, type LoaderBuild } from '../../scripts/loader-build.ts';
import { fetchKernels, type KernelName } from '../vm/kernels.ts';
import { bootMachine } from '../vm/machine.ts';

/** Where recorded kernels lie, and what their files end with. */
export const recordings = path.join(import.meta.dirname, '../../facts');
export const recordingOf = (name: KernelName): string => path.join(recordings, `${name}.kernel`);

const loaderInGuest = '/usr/bin/palisade-loader';
const configInGuest = '/boot/config';
const recordTimeoutMs = 300_000;

/**
 * Boots a kernel as Debian does, with the security modules of its own configuration, and lets the loader record it. The result is what
 * `readKernelFile` reads, not packed yet.
 */
export async function recordKernel(cache: string, name: KernelName, build: LoaderBuild): Promise<Buffer> {
  const [kernel] = await fetchKernels(cache, [name]);
  if (kernel === undefined) throw new Error(`kernel ${name} is not there`);
  const config = path.join(path.dirname(kernel.image), 'config');
  const modules = /^CONFIG_LSM="([\w,]+)"$/m.exec(await readFile(config, 'utf8'))?.[1];
  if (modules === undefined) throw new Error(`kernel ${name}: ${config} names no security modules`);
  await using machine = await bootMachine({
    cache,
    kernel,
    files: new Map([
      [loaderPath(build), loaderInGuest],
      [config, configInGuest],
    ]),
    bootArguments: `lsm=${modules}`,
  });
  const chunks: Buffer[] = [];
  let complaints = '';
  const script = 'mkdir -p /run/palisade; ulimit -l unlimited; exec "$@"';
  const { status } = await machine.run(['sh', '-c', script, 'sh', loaderInGuest, 'record', '--config', configInGuest], {
    signal: AbortSignal.timeout(recordTimeoutMs),
    onStdout: (chunk) => chunks.push(chunk),
    onStderr: (chunk) => {
      complaints += chunk.toString();
    },
  });
  if (status !== 0) throw new Error(`kernel ${name}: palisade-loader record: status ${status}: ${complaints.slice(-2000)}`);
  return Buffer.concat(chunks);
}
