import { basename } from 'node:path';
import { KernelFileError } from '../policy/bind/facts-file.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';
import { CliError } from './cli-io.ts';
import { knownKernels, readKernelFactsFile, readKnownKernel } from './kernel-facts-files.ts';

export type NamedKernel = {
  /** `6.12`; of a file its name without `.kernel`, or its path where another one has this name. */
  readonly name: string;
  readonly facts: KernelFacts;
};

export const ALL_KERNELS = 'all';
const MAX_KERNELS = 64;

/** `5.10,6.12`, `all`, and paths of files, also mixed; what is given twice is read once. What is not known is a `CliError`. */
export function readKernels(words: readonly string[]): readonly NamedKernel[] {
  const wanted = words.flatMap((word) => word.split(',')).flatMap((word) => (word === ALL_KERNELS ? allKernels() : [word.trim()]));
  const distinct = [...new Set(wanted)].filter((word) => word !== '');
  if (distinct.length === 0) throw new CliError(`no kernel is named; known are ${knownKernels().join(', ')}, and "${ALL_KERNELS}"`);
  if (distinct.length > MAX_KERNELS) throw new CliError(`${distinct.length} kernels; at most ${MAX_KERNELS} at once`);
  const kernels = distinct.map(readKernel);
  const counts = Map.groupBy(kernels, ({ name }) => name);
  // Two nodes may have given their recordings one name in two folders.
  return kernels.map((kernel, index) => ((counts.get(kernel.name)?.length ?? 0) > 1 ? { ...kernel, name: distinct[index] ?? '' } : kernel));
}

/** A known kernel, or a file with one. */
export function readKernel(word: string): NamedKernel {
  try {
    if (knownKernels().includes(word)) return { name: word, facts: readKnownKernel(word) };
    if (isPath(word)) return { name: basename(word).replace(/\.kernel$/, ''), facts: readKernelFactsFile(word) };
  } catch (error) {
    if (error instanceof KernelFileError) throw new CliError(error.message);
    throw error;
  }
  const known = knownKernels();
  const all = known.length === 0 ? 'none came with this installation' : `known are ${known.join(', ')}`;
  throw new CliError(`kernel ${JSON.stringify(word.slice(0, 64))} is not known; ${all}; a file has a "/" or ".kernel" in its name`);
}

function allKernels(): readonly string[] {
  const known = knownKernels();
  if (known.length === 0) throw new CliError('no recorded kernels came with this installation: name files');
  return known;
}

function isPath(word: string): boolean {
  return word.includes('/') || word.endsWith('.kernel');
}
