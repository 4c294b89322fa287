import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readKernels } from './kernel-choice.ts';

const FILE = path.join(import.meta.dirname, '../../facts/6.12.kernel');

describe('kernels that are asked for', () => {
  it('are known ones and files, each once, in the order in which they were named', () => {
    expect(readKernels(['7.x,5.10', '5.10', FILE]).map(({ name }) => name)).toEqual(['7.x', '5.10', '6.12']);
  });

  it('are told apart where two have one name', () => {
    expect(readKernels(['6.12', FILE]).map(({ name }) => name)).toEqual(['6.12', FILE]);
  });
});
