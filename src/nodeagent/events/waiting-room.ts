/**
 * Records that wait for something, in order, by what they wait for. Bounded: when `maxItems` is reached the oldest room is opened early,
 * and counted.
 */
export class WaitingRoom<Item> {
  readonly #rooms = new Map<string, { readonly deadlineMs: number; readonly items: Item[] }>();
  readonly #waitMs: number;
  readonly #maxItems: number;
  #size = 0;
  /** Rooms opened before their time because there were too many items. */
  overflows = 0;

  constructor(options: { waitMs: number; maxItems: number }) {
    this.#waitMs = options.waitMs;
    this.#maxItems = options.maxItems;
  }

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#rooms.has(key);
  }

  keys(): string[] {
    return [...this.#rooms.keys()];
  }

  /** Returns items that have to leave at once to make room. */
  add(key: string, item: Item, nowMs: number): Item[] {
    const room = this.#rooms.get(key);
    if (room === undefined) this.#rooms.set(key, { deadlineMs: nowMs + this.#waitMs, items: [item] });
    else room.items.push(item);
    this.#size += 1;
    if (this.#size <= this.#maxItems) return [];
    const oldest = this.#rooms.keys().next().value;
    if (oldest === undefined) return [];
    this.overflows += 1;
    return this.take(oldest);
  }

  /** What they waited for has come. */
  take(key: string): Item[] {
    const room = this.#rooms.get(key);
    if (room === undefined) return [];
    this.#rooms.delete(key);
    this.#size -= room.items.length;
    return room.items;
  }

  /** Items that have waited long enough. */
  expired(nowMs: number): Item[] {
    const due = [...this.#rooms].filter(([, room]) => room.deadlineMs <= nowMs).map(([key]) => key);
    return due.flatMap((key) => this.take(key));
  }
}
