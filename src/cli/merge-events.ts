import type { AgentEvent } from '../nodeagent/events/event.ts';
import type { Clock } from '../telemetry/clock.ts';

export type MergeSource = {
  readonly events: AsyncIterable<AgentEvent>;
  /** It said nothing for too long and is given up: what it still had to say is missing from the merge. */
  readonly onGivenUp: () => void;
};

export type MergePatience = { readonly clock: Pick<Clock, 'setTimer'>; readonly idleMs: number };

type Head = { readonly source: MergeSource; readonly iterator: AsyncIterator<AgentEvent>; event: AgentEvent };

/**
 * One stream in order of time out of several that are each (nearly) in order. Waits for the slowest, but for no event longer than
 * `idleMs`: a source that hangs is given up, and the others go on.
 */
export async function* mergeByTime(sources: readonly MergeSource[], patience: MergePatience): AsyncGenerator<AgentEvent> {
  const heads: Head[] = [];
  const started = await Promise.all(
    sources.map(async (source) => {
      const iterator = source.events[Symbol.asyncIterator]();
      return { source, iterator, event: await nextOf(iterator, source, patience) };
    }),
  );
  for (const { source, iterator, event } of started) if (event !== null) heads.push({ source, iterator, event });
  while (heads.length > 0) {
    const index = earliest(heads);
    const head = heads[index];
    if (head === undefined) return;
    yield head.event;
    const event = await nextOf(head.iterator, head.source, patience);
    if (event === null) heads.splice(index, 1);
    else head.event = event;
  }
}

/** Null: there is none, or it did not come in time. */
async function nextOf(iterator: AsyncIterator<AgentEvent>, source: MergeSource, patience: MergePatience): Promise<AgentEvent | null> {
  const { promise: silence, resolve } = Promise.withResolvers<'silence'>();
  const timer = patience.clock.setTimer(patience.idleMs, () => resolve('silence'));
  const next = await Promise.race([iterator.next(), silence]);
  timer.cancel();
  if (next !== 'silence') return next.done === true ? null : next.value;
  source.onGivenUp();
  return null;
}

function earliest(heads: readonly Head[]): number {
  let best = 0;
  heads.forEach((head, index) => {
    if (head.event.time < (heads[best]?.event.time ?? '')) best = index;
  });
  return best;
}

/**
 * Streams that never end, in nearly the right order: an event is held back for `holdMs`, so that one of another node that is older can
 * overtake it. `emit` is called in order.
 */
export class LiveMerge {
  readonly #holdMs: number;
  readonly #emit: (event: AgentEvent) => void;
  #held: { readonly event: AgentEvent; readonly atMs: number }[] = [];

  constructor(options: { holdMs: number; emit: (event: AgentEvent) => void }) {
    this.#holdMs = options.holdMs;
    this.#emit = options.emit;
  }

  push(event: AgentEvent, nowMs: number): void {
    this.#held.push({ event, atMs: nowMs });
  }

  /** To be called a few times a second. */
  release(nowMs: number): void {
    const ready = this.#held.filter(({ atMs }) => nowMs - atMs >= this.#holdMs);
    if (ready.length === 0) return;
    const last = ready.reduce((time, { event }) => (event.time > time ? event.time : time), '');
    const leaving = this.#held.filter(({ event }) => event.time <= last);
    this.#held = this.#held.filter(({ event }) => event.time > last);
    for (const { event } of leaving.toSorted((a, b) => (a.event.time < b.event.time ? -1 : a.event.time > b.event.time ? 1 : 0)))
      this.#emit(event);
  }
}
