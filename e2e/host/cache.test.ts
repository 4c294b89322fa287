import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, cachedFolder, contentKey } from './cache.ts';

describe('the cache of downloads and builds', () => {
  let cache = '';
  beforeEach(async () => {
    cache = await mkdtemp(path.join(tmpdir(), 'palisade-cache-test-'));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  it('makes an entry once, and anew when its inputs change', async () => {
    let made = 0;
    const entry = (version: string) => ({
      cache,
      name: 'thing',
      inputs: [version],
      make: (folder: string) => writeFile(path.join(folder, 'n'), String((made += 1))),
    });
    const first = await cachedFolder(entry('1'));
    expect(await cachedFolder(entry('1'))).toBe(first);
    const second = await cachedFolder(entry('2'));
    expect([made, await readFile(path.join(second, 'n'), 'utf8')]).toEqual([2, '2']);
  });

  it('keeps nothing of a build that failed', async () => {
    const failing = { cache, name: 'thing', inputs: ['x'], make: () => Promise.reject(new Error('no network')) };
    await expect(cachedFolder(failing)).rejects.toThrow('no network');
    expect(await readdir(cache)).toEqual([]);
  });

  it('keeps the entries that were used last, where it is told how many', async () => {
    const entry = (version: string) => ({ cache, name: 'thing', inputs: [version], keep: 2, make: () => Promise.resolve() });
    const other = await cachedFolder({ ...entry('1'), name: 'thing-of-another-name' });
    const first = await cachedFolder(entry('1'));
    const second = await cachedFolder(entry('2'));
    await utimes(second, new Date(0), new Date(0));
    const third = await cachedFolder(entry('3'));
    expect([first, second, third, other].map((folder) => existsSync(folder))).toEqual([true, false, true, true]);
  });

  it('takes two inputs for what they are, not for their joined text', () => {
    expect(contentKey(['ab', 'c'])).not.toBe(contentKey(['a', 'bc']));
  });

  it('lies where the environment says', () => {
    expect(cacheFolder({ PALISADE_CACHE: '/c', XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/c');
    expect(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/palisade');
    expect(cacheFolder({ HOME: '/h' })).toBe('/h/.cache/palisade');
    expect(existsSync('/c')).toBe(false);
  });
});
