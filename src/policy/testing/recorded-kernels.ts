/** The kernels of facts/, for tests. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readKernelFile } from '../bind/facts-file.ts';
import type { KernelFacts } from '../kernel-facts.ts';

export const RECORDED = ['5.10', '6.1', '6.12', '7.x'] as const;
export type RecordedKernel = (typeof RECORDED)[number];

const read = new Map<RecordedKernel, KernelFacts>();

export function readRecorded(name: RecordedKernel): KernelFacts {
  const known = read.get(name);
  if (known !== undefined) return known;
  const kernel = readKernelFile(readFileSync(path.join(import.meta.dirname, '../../../facts', `${name}.kernel`)));
  read.set(name, kernel);
  return kernel;
}
