import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { cachedFolder } from '../host/cache.ts';
import { runCommand } from '../host/command.ts';

const source = path.join(import.meta.dirname, 'actor.c');

/** Builds the program that acts in test machines (actor.c), and returns its path here. Kept in the cache. */
export async function actorProgram(cache: string): Promise<string> {
  const folder = await cachedFolder({
    cache,
    name: 'build/actor',
    inputs: [await readFile(source), 'static 1'],
    make: async (made) => {
      await runCommand(['cc', '-O2', '-static', '-pthread', '-o', path.join(made, 'actor'), source]);
    },
  });
  return path.join(folder, 'actor');
}
