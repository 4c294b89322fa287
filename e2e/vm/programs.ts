import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../host/command.ts';
import type { CpioEntry } from './cpio.ts';

/** The shared libraries that a program of this machine is linked with; none for a static program or a script. */
export async function sharedLibraries(program: string): Promise<string[]> {
  const { stdout } = await runCommand(['ldd', program]).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
}

/** Archive entries for programs of this machine, with the libraries they are linked with at the same paths as here. */
export async function programEntries(programs: ReadonlyMap<string, string>): Promise<CpioEntry[]> {
  const files = new Map<string, string>();
  for (const [local, guest] of programs) {
    files.set(guest, local);
    for (const library of await sharedLibraries(local)) files.set(library, library);
  }
  return Promise.all(
    [...files].map(
      async ([guest, local]) =>
        ({
          kind: 'file',
          path: path.posix.normalize(guest).replace(/^\/+/, ''),
          bytes: await readFile(local),
          executable: 'yes',
        }) as const,
    ),
  );
}
