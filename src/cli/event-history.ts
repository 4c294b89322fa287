import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { AgentEvent } from '../nodeagent/events/event.ts';
import { fitsFilter, needlesOf, type EventFilter } from '../nodeagent/events/filter.ts';
import { backupPath } from '../nodeagent/export/rotating-file.ts';

export type HistoryOptions = {
  readonly path: string;
  readonly backups: number;
  readonly filter: EventFilter;
  /** Where to stop in the file that is written now; null: at its end. */
  readonly until: { readonly inode: string; readonly bytes: number } | null;
};

/** Events in the export file and its backups, oldest file first. A file that rotates away meanwhile is read to its end. */
export async function* eventHistory(options: HistoryOptions): AsyncGenerator<AgentEvent> {
  const needles = needlesOf(options.filter);
  for (const file of await filesOf(options)) {
    if (file.endBytes === 0) continue;
    const input = createReadStream(file.path, { end: file.endBytes - 1 });
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      if (!needles.every((needle) => line.includes(needle))) continue;
      const event = parseEvent(line);
      if (event !== null && fitsFilter(event, options.filter)) yield event;
    }
  }
}

/** Null for a line that was cut off by a crash. */
export function parseEvent(line: string): AgentEvent | null {
  try {
    const value: AgentEvent = JSON.parse(line);
    return typeof value === 'object' && value !== null && typeof value.time === 'string' ? value : null;
  } catch {
    return null;
  }
}

async function filesOf(options: HistoryOptions): Promise<{ path: string; endBytes: number }[]> {
  const paths = [options.path, ...Array.from({ length: options.backups }, (_, index) => backupPath(options.path, index + 1))].toReversed();
  const files: { path: string; endBytes: number }[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) continue;
    const isCurrent = options.until !== null && found.ino.toString() === options.until.inode;
    files.push({ path, endBytes: isCurrent && options.until !== null ? Math.min(options.until.bytes, found.size) : found.size });
    // What was written after the stream began comes through the stream.
    if (isCurrent) break;
  }
  return files;
}
