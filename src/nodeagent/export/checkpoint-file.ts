import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { FilePosition } from './rotating-file.ts';

const checkpointSchema = z.object({
  /** The kernel's boot id: sequence numbers start again with every boot. */
  boot: z.string().max(64),
  file: z.object({ inode: z.string().max(32), bytes: z.int().min(0) }),
  /** Per stream the sequence number up to which everything is in the file. */
  positions: z.record(z.string().max(64), z.string().regex(/^-?\d{1,20}$/)),
});
export type Checkpoint = { readonly boot: string; readonly file: FilePosition; readonly positions: Readonly<Record<string, string>> };

/**
 * The last checkpoint, or null where there is none that can be read: the gap is then not known, which the caller says. Written after
 * every batch without fsync: it must survive the agent's death, not the machine's (a new boot starts at zero anyway).
 */
export function readCheckpoint(path: string): Checkpoint | null {
  try {
    return checkpointSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  writeFileSync(`${path}.new`, JSON.stringify(checkpoint), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
