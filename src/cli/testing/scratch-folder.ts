import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

export type ScratchFolder = {
  readonly folder: string;
  /** Writes a file, folders above it included, and returns its path. */
  readonly write: (name: string, text: string) => string;
};

/** A folder for the files of one test file; gone when its tests have ended. */
export function createScratchFolder(name: string): ScratchFolder {
  const folder = mkdtempSync(path.join(tmpdir(), `palisade-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    write: (file, text) => {
      const full = path.join(folder, file);
      mkdirSync(path.dirname(full), { recursive: true });
      writeFileSync(full, text);
      return full;
    },
  };
}
