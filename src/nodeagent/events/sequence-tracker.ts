/**
 * Finds lost records, and those that come again, by their sequence numbers. A stream is one ring on one CPU; the kernel gives every record
 * of it the next number, also those that it could not write, and each of the several records that a call with many matches comes in. Numbers may arrive a little out of order (an interrupt nests between taking
 * a number and writing the record), so a hole counts as a loss only after `graceMs`. A record whose number was seen comes again: the
 * loader sends everything anew that was not acknowledged.
 */
export type SequenceLoss = {
  readonly stream: string;
  readonly count: bigint;
  /** `restart`: in the hand of an agent that died, and not there to be read again. */
  readonly cause: 'gap' | 'restart';
};

/** `again`: this record was taken before. */
export type Noted = { readonly kind: 'new' | 'again'; readonly losses: readonly SequenceLoss[] };

/** Numbers from `from` to `to`, both included. */
export type SequenceRange = { readonly from: bigint; readonly to: bigint };

/** `told`: as lost. Should one of its records come after all, by whatever delay, it is new. */
type Hole = { from: bigint; to: bigint; sinceMs: number | null; told: boolean; readonly cause: SequenceLoss['cause'] };
type Stream = {
  next: bigint;
  /** Numbers below it are not known: they are neither lost nor seen. */
  readonly first: bigint;
  isResumed: boolean;
  holes: Hole[];
};

/** Holes remembered per stream; beyond it the oldest is called lost at once, and forgotten. */
const MAX_HOLES = 256;

export class SequenceTracker {
  readonly #streams = new Map<string, Stream>();
  readonly #graceMs: number;

  constructor(options: { graceMs: number }) {
    this.#graceMs = options.graceMs;
  }

  /**
   * Takes a stream up where an agent before this one left it: all numbers up to `high` were exported but for `missing`, which will be sent
   * again before anything new is.
   */
  resume(stream: string, high: bigint, missing: readonly SequenceRange[]): void {
    if (this.#streams.has(stream)) return;
    const holes = missing.map(({ from, to }) => ({ from, to, sinceMs: null, told: false, cause: 'restart' as const }));
    this.#streams.set(stream, { next: high + 1n, first: 0n, isResumed: true, holes });
  }

  /** The numbers begin anew. */
  forget(): void {
    this.#streams.clear();
  }

  /** Notes one record; tells of losses that became certain because too many holes are open. */
  note(stream: string, seq: bigint, nowMs: number): Noted {
    const known = this.#streams.get(stream);
    if (known === undefined) {
      this.#streams.set(stream, { next: seq + 1n, first: seq, isResumed: false, holes: [] });
      return { kind: 'new', losses: [] };
    }
    const kind = seq >= known.next || seq < known.first || fill(known, seq) ? 'new' : 'again';
    return { kind, losses: seq < known.next ? [] : this.#advance(stream, known, seq, nowMs) };
  }

  /** Losses whose grace period is over, one entry per stream. */
  sweep(nowMs: number): SequenceLoss[] {
    const losses: SequenceLoss[] = [];
    for (const [stream, { holes }] of this.#streams) {
      const lost = holes.filter(({ sinceMs, told }) => !told && sinceMs !== null && nowMs - sinceMs >= this.#graceMs);
      losses.push(...lossesOf(stream, lost));
      for (const hole of lost) hole.told = true;
    }
    return losses;
  }

  #advance(stream: string, known: Stream, seq: bigint, nowMs: number): SequenceLoss[] {
    // What was to be sent again came before anything new: what is missing now is so from now on.
    if (known.isResumed) for (const hole of known.holes) hole.sinceMs ??= nowMs;
    const cause = known.isResumed ? 'restart' : 'gap';
    if (seq > known.next) known.holes.push({ from: known.next, to: seq - 1n, sinceMs: nowMs, told: false, cause });
    known.next = seq + 1n;
    known.isResumed = false;
    const overflow = known.holes.length > MAX_HOLES ? known.holes.shift() : undefined;
    return overflow === undefined || overflow.told ? [] : lossesOf(stream, [overflow]);
  }
}

function lossesOf(stream: string, holes: readonly Hole[]): SequenceLoss[] {
  return (['gap', 'restart'] as const).flatMap((cause) => {
    const count = holes.filter((hole) => hole.cause === cause).reduce((sum, hole) => sum + (hole.to - hole.from + 1n), 0n);
    return count === 0n ? [] : [{ stream, count, cause }];
  });
}

/** True: the number was missing until now. */
function fill(stream: Stream, seq: bigint): boolean {
  const index = stream.holes.findIndex((hole) => seq >= hole.from && seq <= hole.to);
  const hole = stream.holes[index];
  if (hole === undefined) return false;
  const rest: Hole[] = [];
  if (seq > hole.from) rest.push({ ...hole, to: seq - 1n });
  if (seq < hole.to) rest.push({ ...hole, from: seq + 1n });
  stream.holes.splice(index, 1, ...rest);
  return true;
}
