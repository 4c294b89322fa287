import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
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
  /** For what changes with every build: how many entries of this name stay, those used last. All without it. */
  readonly keep?: number;
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
  if (existsSync(folder)) {
    // Its time says when it was used last.
    await utimes(folder, new Date(), new Date());
    return folder;
  }
  await mkdir(path.dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    await entry.make(partial);
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  if (entry.keep !== undefined) await removeOldest(entry.cache, entry.name, entry.keep);
  return folder;
}

/** Removes entries of a name beyond the number to keep. Who has a file of theirs open keeps it until he closes it. */
async function removeOldest(cache: string, name: string, keep: number): Promise<void> {
  const parent = path.dirname(path.join(cache, name));
  const entryName = new RegExp(`^${path.basename(name)}-[0-9a-f]{16}$`);
  const found = await Promise.all(
    (await readdir(parent))
      .filter((candidate) => entryName.test(candidate))
      .map(async (candidate) => ({ folder: path.join(parent, candidate), usedMs: (await stat(path.join(parent, candidate))).mtimeMs })),
  );
  const old = found.toSorted((a, b) => b.usedMs - a.usedMs).slice(keep);
  for (const { folder } of old) await rm(folder, { recursive: true, force: true });
}
