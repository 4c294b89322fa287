import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EMPTY_ALLOCATION } from '../../linker/allocation.ts';
import { link } from '../../linker/link.ts';
import { testInput } from '../../linker/testing/kernels.ts';
import { fileOpenPolicy } from '../../linker/testing/policies.ts';
import { createAllocationFile } from './allocation-file.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function fresh(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palisade-'));
  folders.push(folder);
  return join(folder, 'allocation.json');
}

describe('the numbers on disk', () => {
  it('come back as they were written', async () => {
    const path = await fresh();
    const { allocation } = link(
      testInput([fileOpenPolicy('etc', { prefix: '/etc/', binaries: ['/bin/a'] })], { pods: [{ uid: 'u', namespace: 'n', labels: {} }] }),
    );
    await createAllocationFile(path, () => undefined).save(allocation);
    expect(createAllocationFile(path, () => undefined).load()).toEqual(allocation);
  });

  it('tell in which engine a policy is, where one attach point has several', async () => {
    const path = await fresh();
    const allocation = { ...EMPTY_ALLOCATION, lanes: new Map([['lsm:file_open u1', 2]]) };
    const file = createAllocationFile(path, () => undefined);
    await file.save(allocation);
    expect(file.load()).toEqual(allocation);
  });

  it('a missing file is an empty allocation, a damaged one too, and the damage is told', async () => {
    const path = await fresh();
    const told: string[] = [];
    const file = createAllocationFile(path, (why) => told.push(why));
    expect(file.load()).toBe(EMPTY_ALLOCATION);
    expect(told).toEqual([]);
    await writeFile(path, '{"format":1');
    expect(file.load()).toBe(EMPTY_ALLOCATION);
    await file.save(EMPTY_ALLOCATION);
    const twice = (await readFile(path, 'utf8')).replace('"hooks":{"last":-1,"numbers":{}}', '"hooks":{"last":1,"numbers":{"a":1,"b":1}}');
    await writeFile(path, twice);
    expect(file.load()).toBe(EMPTY_ALLOCATION);
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('given out twice');
  });
});
