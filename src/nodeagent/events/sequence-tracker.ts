/**
 * Finds lost records by their sequence numbers. A stream is one ring on one CPU; the kernel gives every record of it the next number, also
 * those that it could not write. Numbers may arrive a little out of order (an interrupt nests between taking a number and writing the
 * record), so a hole counts as a loss only after `graceMs`.
 */
export type SequenceLoss = {
  readonly stream: string;
  readonly count: bigint;
  /** `restart`: between the last record that was exported before a restart and the first one after it. */
  readonly cause: 'gap' | 'restart';
};

type Hole = { from: bigint; to: bigint; readonly sinceMs: number; readonly cause: SequenceLoss['cause'] };
type Stream = { next: bigint; isResumed: boolean; holes: Hole[] };

/** Holes remembered per stream; beyond it the oldest is called lost at once. */
const MAX_HOLES = 256;

export class SequenceTracker {
  readonly #streams = new Map<string, Stream>();
  readonly #graceMs: number;

  constructor(options: { graceMs: number }) {
    this.#graceMs = options.graceMs;
  }

  /** Records that look lost over a restart and are not: they were exported after the position was last saved. */
  #credit = 0n;

  /** Starts a stream at a known position, so that the first record already shows what was missed before it. */
  expectNext(stream: string, next: bigint): void {
    if (!this.#streams.has(stream)) this.#streams.set(stream, { next, isResumed: true, holes: [] });
  }

  creditRestart(records: number): void {
    this.#credit += BigInt(records);
  }

  /** Notes one record; returns losses that became certain because too many holes are open. */
  note(stream: string, seq: bigint, nowMs: number): SequenceLoss[] {
    const known = this.#streams.get(stream);
    if (known === undefined) {
      this.#streams.set(stream, { next: seq + 1n, isResumed: false, holes: [] });
      return [];
    }
    if (seq < known.next) {
      fill(known, seq);
      return [];
    }
    if (seq > known.next) known.holes.push({ from: known.next, to: seq - 1n, sinceMs: nowMs, cause: known.isResumed ? 'restart' : 'gap' });
    known.next = seq + 1n;
    known.isResumed = false;
    const overflow = known.holes.length > MAX_HOLES ? known.holes.shift() : undefined;
    return overflow === undefined ? [] : this.#lossesOf(stream, [overflow]);
  }

  /** Losses whose grace period is over, one entry per stream. */
  sweep(nowMs: number): SequenceLoss[] {
    const losses: SequenceLoss[] = [];
    for (const [stream, state] of this.#streams) {
      const lost = state.holes.filter((hole) => nowMs - hole.sinceMs >= this.#graceMs);
      if (lost.length === 0) continue;
      state.holes = state.holes.filter((hole) => nowMs - hole.sinceMs < this.#graceMs);
      losses.push(...this.#lossesOf(stream, lost));
    }
    return losses;
  }

  #lossesOf(stream: string, holes: readonly Hole[]): SequenceLoss[] {
    return (['gap', 'restart'] as const).flatMap((cause) => {
      let count = holes.filter((hole) => hole.cause === cause).reduce((sum, hole) => sum + (hole.to - hole.from + 1n), 0n);
      if (cause === 'restart') {
        const forgiven = count < this.#credit ? count : this.#credit;
        this.#credit -= forgiven;
        count -= forgiven;
      }
      return count === 0n ? [] : [{ stream, count, cause }];
    });
  }
}

function fill(stream: Stream, seq: bigint): void {
  const index = stream.holes.findIndex((hole) => seq >= hole.from && seq <= hole.to);
  const hole = stream.holes[index];
  if (hole === undefined) return;
  const rest: Hole[] = [];
  if (seq > hole.from) rest.push({ ...hole, to: seq - 1n });
  if (seq < hole.to) rest.push({ ...hole, from: seq + 1n });
  stream.holes.splice(index, 1, ...rest);
}
