import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** The folder of downloads and builds, shared by all clones on a machine (DESIGN §13). */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['PALISADE_CACHE']) return path.resolve(env['PALISADE_CACHE']);
  return path.join(env['XDG_CACHE_HOME'] || path.join(env['HOME'] || homedir(), '.cache'), 'palisade');
}

/** A short name for the content of some inputs: equal inputs, equal name. */
export function contentKey(inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const bytes = typeof input === 'string' ? Buffer.from(input) : input;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}

/** One thing to keep in the cache. */
export type CacheEntry = {
  readonly cache: string;
  readonly name: string;
  /** Everything that the content depends on: versions, recipes, sources. */
  readonly inputs: readonly (string | Uint8Array)[];
  /** Fills a new, empty folder. */
  readonly make: (folder: string) => Promise<void>;
};

/** Where an entry lives, made or not. */
export function entryFolder(entry: Pick<CacheEntry, 'cache' | 'name' | 'inputs'>): string {
  return path.join(entry.cache, `${entry.name}-${contentKey(entry.inputs)}`);
}

/**
 * Returns the entry's folder, making it first when it is not there. It appears whole or not at all: a build that is
 * interrupted leaves nothing that a later run would take for finished, and of two builds at once the first wins.
 */
export async function cachedFolder(entry: CacheEntry): Promise<string> {
  const folder = entryFolder(entry);
  if (existsSync(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    await entry.make(partial);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
