import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { FilePosition } from './rotating-file.ts';

/**
 * Whole lines of events behind a position of a file. 0 where the file is another one by now: it was rotated, and what was written after
 * the position cannot be told apart.
 */
export async function countLinesFrom(path: string, position: FilePosition): Promise<number> {
  const found = await stat(path);
  if (found.ino.toString() !== position.inode || found.size <= position.bytes) return 0;
  let lines = 0;
  const input = createReadStream(path, { start: position.bytes });
  for await (const line of createInterface({ input })) if (line.endsWith('}') && !line.startsWith('{"palisade_loss"')) lines += 1;
  return lines;
}
