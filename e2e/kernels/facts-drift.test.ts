import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readKernelFile } from '../../src/policy/bind/facts-file.ts';
import type { KernelFacts } from '../../src/policy/kernel-facts.ts';
import { figure } from '../cluster/tests/figures.ts';
import { cacheFolder } from '../host/cache.ts';
import { kernelNames } from '../vm/kernels.ts';
import { recordingOf, recordKernel } from './recording.ts';

/**
 * facts/ says what the tested kernels say. Distributions publish new builds of a series: another build may have a few names more, and has
 * the same facts; `make generate-facts` records it.
 */
describe('A recorded kernel', () => {
  it.each(kernelNames)('%s is as its file in facts/ says', async (name) => {
    const said = readKernelFile(await recordKernel(cacheFolder(process.env), name, 'faults'));
    const kept = readKernelFile(await readFile(recordingOf(name)));
    expect(withoutNames(said)).toEqual(withoutNames(kept));
    const [now, then] = [namesOf(said), namesOf(kept)];
    const differing = [...now.symmetricDifference(then)];
    if (said.release === kept.release) {
      expect(differing).toEqual([]);
      expect(Buffer.compare(bytesOf(said), bytesOf(kept))).toBe(0);
    } else {
      figure(`${name}: names that differ between ${kept.release} (recorded) and ${said.release}`, differing.length);
      expect(differing.length).toBeLessThan(then.size / 50);
    }
  });
});

/** All that is no name, and not the number of the build. */
function withoutNames({ arch, lsm, preempt, facts, config }: KernelFacts): object {
  return { arch, lsm, preempt, facts, config };
}

function namesOf({ catalogue }: KernelFacts): Set<string> {
  const fields = (name: string): string => (catalogue?.formatOf?.(name) ?? []).map((field) => JSON.stringify(field)).join(' ');
  return new Set([
    ...(catalogue?.functions ?? []),
    ...Array.from(catalogue?.lsmHooks ?? [], (name) => `lsm:${name}`),
    ...Array.from(catalogue?.tracepoints ?? [], (name) => `tracepoint:${name} ${fields(name)}`),
    ...Array.from(catalogue?.errorInjectable ?? [], (name) => `injectable:${name}`),
  ]);
}

function bytesOf({ catalogue }: KernelFacts): Uint8Array {
  return catalogue?.types?.kernel.bytes ?? new Uint8Array();
}
