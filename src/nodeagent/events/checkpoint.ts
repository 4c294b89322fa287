import type { SequenceRange } from './sequence-tracker.ts';

/** Name of the ring and CPU that a record came through, and its number there. */
export type Origin = { readonly stream: string; readonly seq: bigint };

/** How far a stream is exported: everything up to `high` but for what is open. */
export type StreamProgress = { readonly high: bigint; readonly open: readonly SequenceRange[] };

/** `lines` 0: they are not made yet. `at`: where the record begins in what the loader sent, Infinity in an earlier connection. */
type OpenRecord = { lines: number; at: number };
/** `owed`: not exported by an agent before this one, and not received again yet; in their order. */
type StreamState = { high: bigint; readonly open: Map<bigint, OpenRecord>; owed: readonly SequenceRange[] };

/**
 * Which records are exported, and which are on their way: waiting for their process or pod, for the disk, or for their turn. From it the
 * loader learns what it need not send again, and the next agent what it has to skip.
 */
export class ExportCheckpoint {
  readonly #streams = new Map<string, StreamState>();

  /** A record was received; it is not exported yet. */
  begin({ stream, seq }: Origin, at: number): void {
    const state = this.#streams.get(stream) ?? { high: seq - 1n, open: new Map<bigint, OpenRecord>(), owed: [] };
    this.#streams.set(stream, state);
    state.owed = withoutOne(state.owed, seq);
    state.open.set(seq, { lines: 0, at: Math.min(at, state.open.get(seq)?.at ?? at) });
    if (seq > state.high) state.high = seq;
  }

  /** A record came again that may still be on its way. */
  again({ stream, seq }: Origin, at: number): void {
    const open = this.#streams.get(stream)?.open.get(seq);
    if (open !== undefined) open.at = Math.min(at, open.at);
  }

  /** What an earlier agent has exported of a stream. */
  resume(stream: string, progress: StreamProgress): void {
    if (!this.#streams.has(stream)) this.#streams.set(stream, { high: progress.high, open: new Map(), owed: without(progress.open, []) });
  }

  /** What was owed will not come any more, and was told as lost. */
  giveUp(stream: string): void {
    const state = this.#streams.get(stream);
    if (state !== undefined) state.owed = [];
  }

  /** The loader begins to send anew. */
  restart(): void {
    for (const { open } of this.#streams.values()) for (const record of open.values()) record.at = Infinity;
  }

  /** The numbers begin anew. */
  forget(): void {
    this.#streams.clear();
  }

  /** The record has turned into so many lines; none: it is done with. */
  settle(origin: Origin, lines: number): void {
    const open = this.#streams.get(origin.stream)?.open;
    const record = open?.get(origin.seq);
    if (open === undefined || record === undefined) return;
    record.lines += lines;
    if (record.lines === 0) open.delete(origin.seq);
  }

  /** One of the record's lines is in the file, or was dropped and counted. */
  written(origin: Origin): void {
    const open = this.#streams.get(origin.stream)?.open;
    const record = open?.get(origin.seq);
    if (open === undefined || record === undefined) return;
    record.lines -= 1;
    if (record.lines <= 0) open.delete(origin.seq);
  }

  /** Bytes of what the loader has sent, up to the first record that is not exported; `received`: all of it. */
  doneBytes(received: number): number {
    let done = received;
    for (const { open } of this.#streams.values()) for (const { at } of open.values()) if (at < done) done = at;
    return done;
  }

  progress(): ReadonlyMap<string, StreamProgress> {
    return new Map(
      [...this.#streams].map(([stream, { high, open, owed }]) => [stream, { high, open: [...owed, ...rangesOf([...open.keys()])] }]),
    );
  }
}

/** Numbers as ranges, in their order. */
export function rangesOf(numbers: readonly bigint[]): SequenceRange[] {
  const ranges: { from: bigint; to: bigint }[] = [];
  for (const number of numbers.toSorted(ascending)) {
    const last = ranges.at(-1);
    if (last !== undefined && number <= last.to + 1n) last.to = number;
    else ranges.push({ from: number, to: number });
  }
  return ranges;
}

/** Ranges without some of their numbers, in their order. The ranges have none in common. */
export function without(ranges: readonly SequenceRange[], numbers: Iterable<bigint>): readonly SequenceRange[] {
  const sorted = [...numbers].toSorted(ascending);
  const left: SequenceRange[] = [];
  let next = 0;
  for (const { from, to } of ranges.toSorted((a, b) => ascending(a.from, b.from))) {
    let begin = from;
    for (let number = sorted[next]; number !== undefined && number <= to; number = sorted[next]) {
      if (number > begin) left.push({ from: begin, to: number - 1n });
      if (number >= begin) begin = number + 1n;
      next += 1;
    }
    if (begin <= to) left.push({ from: begin, to });
  }
  return left;
}

/** Of ranges in their order. What is owed comes in about that order: the range is one of the first. */
function withoutOne(ranges: readonly SequenceRange[], number: bigint): readonly SequenceRange[] {
  const last = ranges.at(-1);
  if (last === undefined || number > last.to) return ranges;
  const index = ranges.findIndex(({ to }) => number <= to);
  return ranges.toSpliced(index, 1, ...without(ranges.slice(index, index + 1), [number]));
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
