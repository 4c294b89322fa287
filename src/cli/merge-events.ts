import type { AgentEvent } from '../nodeagent/events/event.ts';

type Head = { readonly iterator: AsyncIterator<AgentEvent>; event: AgentEvent };

/** One stream in order of time out of several that are each (nearly) in order. Waits for the slowest. */
export async function* mergeByTime(sources: readonly AsyncIterable<AgentEvent>[]): AsyncGenerator<AgentEvent> {
  const heads: Head[] = [];
  const started = await Promise.all(
    sources.map(async (source) => {
      const iterator = source[Symbol.asyncIterator]();
      return { iterator, first: await iterator.next() };
    }),
  );
  for (const { iterator, first } of started) if (first.done !== true) heads.push({ iterator, event: first.value });
  while (heads.length > 0) {
    const index = earliest(heads);
    const head = heads[index];
    if (head === undefined) return;
    yield head.event;
    const next = await head.iterator.next();
    if (next.done === true) heads.splice(index, 1);
    else head.event = next.value;
  }
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
