import { mkdir, writeFile } from 'node:fs/promises';
import { packKernelFile, readKernelFile } from '../../src/policy/bind/facts-file.ts';
import { cacheFolder } from '../host/cache.ts';
import { isKernelName, kernelNames } from '../vm/kernels.ts';
import { recordingOf, recordKernel, recordings } from './recording.ts';

/** Writes facts/ anew: boots each kernel named (all without a name) and keeps what the loader finds. After `make build`. */
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !isKernelName(name));
if (unknown.length > 0) {
  process.stderr.write(`${unknown.join(', ')}: kernels are ${kernelNames.join(', ')}\n`);
  process.exit(2);
}
await mkdir(recordings, { recursive: true });
for (const name of kernelNames.filter((known) => wanted.length === 0 || wanted.includes(known))) {
  const plain = await recordKernel(cacheFolder(process.env), name, 'release');
  const packed = packKernelFile(plain);
  const { release, preempt, catalogue } = readKernelFile(packed);
  await writeFile(recordingOf(name), packed);
  const kib = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;
  process.stdout.write(
    `${name}: ${release}, preempt=${preempt}, ${catalogue?.functions.size ?? 0} functions, ${kib(plain.length)} in ${kib(packed.length)}\n`,
  );
}
