/** The recorded kernels that come with Palisade (facts/), and those of users. The reader itself is `src/policy/bind/facts-file.ts`. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { KernelFileError, MAX_KERNEL_FILE_BYTES, readKernelFile } from '../policy/bind/facts-file.ts';
import type { KernelFacts } from '../policy/kernel-facts.ts';

const FOLDER = 'facts';
const ENDING = '.kernel';
/** From src/cli as well as from dist/src/cli the package is a few folders up. */
const MAX_LEVELS = 5;

/** Names for `--kernels`: `5.10`, `6.1`, `6.12`, `7.x`; oldest first. Empty where Palisade was installed without them. */
export function knownKernels(): readonly string[] {
  const folder = findFolder();
  if (folder === undefined) return [];
  const names = readdirSync(folder).filter((file) => file.endsWith(ENDING));
  return names.map((file) => file.slice(0, -ENDING.length)).toSorted(compareVersions);
}

/** Throws `KernelFileError`. */
export function readKnownKernel(name: string): KernelFacts {
  const folder = findFolder();
  if (folder === undefined || !knownKernels().includes(name)) {
    const known = knownKernels();
    const right = known.length === 0 ? 'no kernels came with this installation' : `known are ${known.join(', ')}`;
    throw new KernelFileError(`kernel ${JSON.stringify(name.slice(0, 64))} is not known; ${right}`);
  }
  return readKernelFactsFile(path.join(folder, `${name}${ENDING}`));
}

/** A file of `palisade-loader record`, or one of facts/. Throws `KernelFileError`. */
export function readKernelFactsFile(file: string): KernelFacts {
  const shown = JSON.stringify(file.slice(0, 256));
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > MAX_KERNEL_FILE_BYTES) throw new KernelFileError(`${shown}: ${size} bytes; at most ${MAX_KERNEL_FILE_BYTES} are right`);
    bytes = readFileSync(file);
  } catch (error) {
    if (error instanceof KernelFileError) throw error;
    throw new KernelFileError(`${shown}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
  try {
    return readKernelFile(bytes);
  } catch (error) {
    if (error instanceof KernelFileError) throw new KernelFileError(`${shown}: ${error.message}`);
    throw error;
  }
}

function findFolder(): string | undefined {
  let folder = import.meta.dirname;
  for (let level = 0; level < MAX_LEVELS; level += 1) {
    const candidate = path.join(folder, FOLDER);
    if (hasKernels(candidate)) return candidate;
    folder = path.dirname(folder);
  }
  return undefined;
}

function hasKernels(folder: string): boolean {
  try {
    return readdirSync(folder).some((file) => file.endsWith(ENDING));
  } catch {
    return false;
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
