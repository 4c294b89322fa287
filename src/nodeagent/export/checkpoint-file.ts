import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { without, type Origin, type StreamProgress } from '../events/checkpoint.ts';
import type { FilePosition } from './rotating-file.ts';

const number = z
  .string()
  .regex(/^-?\d{1,20}$/)
  .transform(BigInt);
const checkpointSchema = z.object({
  /** The kernel's boot id, and the loader's number of the rings: sequence numbers begin anew with either. */
  boot: z.string().max(64),
  rings: z.int().min(0),
  /** Where the last batch begins. */
  file: z.object({ inode: z.string().max(32), bytes: z.int().min(0) }),
  /** Per stream the highest number received, and ranges of those that were not exported, the last batch included. */
  streams: z.record(z.string().max(64), z.object({ high: number, open: z.array(z.tuple([number, number])) })),
  /** Lines of the last batch in their order: [stream, first number, lines], one line for each number; stream "": lines of no record. */
  batch: z.array(z.tuple([z.string().max(64), number, z.int().min(1)])),
});

/** What is to be known of the export after the agent's death. Written before every batch: the file itself says how much of it got there. */
export type Checkpoint = {
  readonly boot: string;
  readonly rings: number;
  readonly file: FilePosition;
  readonly streams: ReadonlyMap<string, StreamProgress>;
  /** For each line of the batch the record it came from; null: none. */
  readonly batch: readonly (Origin | null)[];
};

/** The last checkpoint, or null where there is none that can be read: then numbers before the first record are not known. */
export function readCheckpoint(path: string): Checkpoint | null {
  try {
    const { streams, batch, ...rest } = checkpointSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const progress = Object.entries(streams).map(
      ([stream, { high, open }]) => [stream, { high, open: open.map(([from, to]) => ({ from, to })) }] as const,
    );
    const lines = batch.flatMap(([stream, first, count]) =>
      Array.from({ length: count }, (_, index) => (stream === '' ? null : { stream, seq: first + BigInt(index) })),
    );
    return { ...rest, streams: new Map(progress), batch: lines };
  } catch {
    return null;
  }
}

/** Without fsync: it must survive the agent's death, not the machine's (a new boot begins anew anyway). */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { streams, batch, ...rest } = checkpoint;
  const progress = [...streams].map(([stream, { high, open }]) => [
    stream,
    { high: high.toString(), open: open.map(({ from, to }) => [from.toString(), to.toString()]) },
  ]);
  const text = JSON.stringify({ ...rest, streams: Object.fromEntries(progress), batch: runsOf(batch) });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Streams with what is not exported once the first `written` lines of the last batch are. */
export function progressAfter({ streams, batch }: Checkpoint, written: number): ReadonlyMap<string, StreamProgress> {
  // A record with a line that is missing is sent again as a whole.
  const missing = new Set(batch.slice(written).map((origin) => (origin === null ? '' : `${origin.stream} ${origin.seq}`)));
  const done = new Map<string, Set<bigint>>();
  for (const origin of batch.slice(0, written)) {
    if (origin === null || missing.has(`${origin.stream} ${origin.seq}`)) continue;
    done.set(origin.stream, (done.get(origin.stream) ?? new Set<bigint>()).add(origin.seq));
  }
  return new Map([...streams].map(([stream, { high, open }]) => [stream, { high, open: without(open, done.get(stream) ?? []) }]));
}

function runsOf(batch: readonly (Origin | null)[]): [string, string, number][] {
  const runs: { stream: string; first: bigint; count: number }[] = [];
  for (const origin of batch) {
    const last = runs.at(-1);
    const [stream, seq] = origin === null ? ['', 0n] : [origin.stream, origin.seq];
    const isNext = last !== undefined && last.stream === stream && (stream === '' || last.first + BigInt(last.count) === seq);
    if (isNext) last.count += 1;
    else runs.push({ stream, first: seq, count: 1 });
  }
  return runs.map(({ stream, first, count }) => [stream, first.toString(), count]);
}
