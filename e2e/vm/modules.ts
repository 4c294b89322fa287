import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import type { Kernel } from './kernels.ts';

/** A kernel module to load, in the order of the list that it stands in. */
export type Module = { readonly name: string; readonly bytes: Uint8Array };

const execute = promisify(execFile);

/** Reads `modules.dep`: each module's path, with the paths that it needs, the deepest last. */
export function parseModulesDep(text: string): Map<string, readonly string[]> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [file, needs] = line.split(':');
      return file === undefined || needs === undefined
        ? []
        : [
            [
              file,
              needs
                .trim()
                .split(' ')
                .filter((name) => name !== ''),
            ] as const,
          ];
    }),
  );
}

/** The module's name as modprobe takes it: without folder and ending, and with underscores. */
export function moduleName(file: string): string {
  return path
    .basename(file)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
}

/** The files to load for the wanted modules, each after those that it needs. Modules built into the kernel have no file. */
export function loadOrder(dependencies: ReadonlyMap<string, readonly string[]>, wanted: readonly string[]): string[] {
  const byName = new Map([...dependencies.keys()].map((file) => [moduleName(file), file]));
  const order = new Set<string>();
  for (const name of wanted) {
    const file = byName.get(name);
    if (file === undefined) continue;
    for (const needed of (dependencies.get(file) ?? []).toReversed()) order.add(needed);
    order.add(file);
  }
  return [...order];
}

/** Reads the wanted modules of a kernel and what they need, unpacked. */
export async function readModules(kernel: Kernel, wanted: readonly string[]): Promise<Module[]> {
  const dependencies = parseModulesDep(await readFile(path.join(kernel.modules, 'modules.dep'), 'utf8'));
  return Promise.all(
    loadOrder(dependencies, wanted).map(async (file) => {
      const full = path.join(kernel.modules, file);
      const bytes = full.endsWith('.xz')
        ? (await execute('xz', ['-dc', full], { encoding: 'buffer', maxBuffer: 64 << 20 })).stdout
        : await readFile(full);
      return { name: `${moduleName(file)}.ko`, bytes };
    }),
  );
}
