import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FilePosition } from './rotating-file.ts';

const NEWLINE = 10;

/**
 * Whole lines behind a position of a file. Infinity where the file is another one by now, or a shorter one: files are moved or cut
 * between two batches, not in one, so that the last batch was written as a whole.
 */
export async function countLinesFrom(path: string, position: FilePosition): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.ino.toString() !== position.inode || found.size < position.bytes) return Infinity;
  let lines = 0;
  for await (const chunk of createReadStream(path, { start: position.bytes }))
    if (Buffer.isBuffer(chunk)) for (const byte of chunk) if (byte === NEWLINE) lines += 1;
  return lines;
}
