/**
 * Finds lost records by their sequence numbers. A stream is one ring on one CPU; the kernel gives every record of it the next number, also
 * those that it could not write. Numbers may arrive a little out of order (an interrupt nests between taking a number and writing the
 * record), so a hole counts as a loss only after `graceMs`.
 */
export type SequenceLoss = { readonly stream: string; readonly count: bigint };

type Hole = { from: bigint; to: bigint; readonly sinceMs: number };
type Stream = { next: bigint; holes: Hole[] };

/** Holes remembered per stream; beyond it the oldest is called lost at once. */
const MAX_HOLES = 256;

export class SequenceTracker {
  readonly #streams = new Map<string, Stream>();
  readonly #graceMs: number;

  constructor(options: { graceMs: number }) {
    this.#graceMs = options.graceMs;
  }

  /** Starts a stream at a known position, so that the first record already shows what was missed before it. */
  expectNext(stream: string, next: bigint): void {
    if (!this.#streams.has(stream)) this.#streams.set(stream, { next, holes: [] });
  }

  /** Notes one record; returns losses that became certain because too many holes are open. */
  note(stream: string, seq: bigint, nowMs: number): SequenceLoss[] {
    const known = this.#streams.get(stream);
    if (known === undefined) {
      this.#streams.set(stream, { next: seq + 1n, holes: [] });
      return [];
    }
    if (seq < known.next) {
      fill(known, seq);
      return [];
    }
    if (seq > known.next) known.holes.push({ from: known.next, to: seq - 1n, sinceMs: nowMs });
    known.next = seq + 1n;
    const overflow = known.holes.length > MAX_HOLES ? known.holes.shift() : undefined;
    return overflow === undefined ? [] : [{ stream, count: overflow.to - overflow.from + 1n }];
  }

  /** Losses whose grace period is over, one entry per stream. */
  sweep(nowMs: number): SequenceLoss[] {
    const losses: SequenceLoss[] = [];
    for (const [stream, state] of this.#streams) {
      const lost = state.holes.filter((hole) => nowMs - hole.sinceMs >= this.#graceMs);
      if (lost.length === 0) continue;
      state.holes = state.holes.filter((hole) => nowMs - hole.sinceMs < this.#graceMs);
      losses.push({ stream, count: lost.reduce((sum, hole) => sum + (hole.to - hole.from + 1n), 0n) });
    }
    return losses;
  }
}

function fill(stream: Stream, seq: bigint): void {
  const index = stream.holes.findIndex((hole) => seq >= hole.from && seq <= hole.to);
  const hole = stream.holes[index];
  if (hole === undefined) return;
  const rest: Hole[] = [];
  if (seq > hole.from) rest.push({ from: hole.from, to: seq - 1n, sinceMs: hole.sinceMs });
  if (seq < hole.to) rest.push({ from: seq + 1n, to: hole.to, sinceMs: hole.sinceMs });
  stream.holes.splice(index, 1, ...rest);
}
