import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { knownKernels, readKernelFactsFile, readKnownKernel } from './kernel-facts-files.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'palisade-facts-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('Recorded kernels', () => {
  it('are the four tested ones, oldest first', () => {
    expect(knownKernels()).toEqual(['5.10', '6.1', '6.12', '7.x']);
  });

  it('say what kernel they are, which names it has, and what its functions look like', () => {
    const kernel = readKnownKernel('6.12');
    expect(kernel).toMatchObject({ arch: 'x86_64', preempt: 'voluntary', facts: { btf: true, bpf_lsm: true, override_return: false } });
    expect(kernel.release).toMatch(/^6\.12\./);
    expect(kernel.lsm).toContain('bpf');
    expect(kernel.catalogue?.functions.has('security_file_open')).toBe(true);
    expect(kernel.catalogue?.types?.kernel.prototypeOf('security_file_open')?.parameters).toHaveLength(1);
  });

  it('that are not known are refused with those that are', () => {
    expect(() => readKnownKernel('6.13')).toThrow('kernel "6.13" is not known; known are 5.10, 6.1, 6.12, 7.x');
    expect(() => readKnownKernel('../package')).toThrow('is not known');
  });

  it('of users name their file when they cannot be read', () => {
    const file = path.join(folder, 'my.kernel');
    writeFileSync(file, 'CONFIG_BPF=y\n');
    expect(() => readKernelFactsFile(file)).toThrow(/my\.kernel": not a recorded kernel/);
    expect(() => readKernelFactsFile(path.join(folder, 'none'))).toThrow('ENOENT');
    expect(() => readKernelFactsFile(folder)).toThrow('EISDIR');
  });
});
