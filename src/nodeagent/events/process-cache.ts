import type { EventProcess } from './event.ts';
import { keyText, type ImageKey } from './exec-id.ts';

/** One process image: from a clone or exec to the exit or the next exec. */
export type ProcessEntry = {
  readonly key: ImageKey;
  readonly parent: ImageKey | null;
  /** What never changes; pod and refcnt are added when an event is written. */
  readonly base: EventProcess;
  readonly cgroupId: bigint;
  /** Itself while it runs, and every child image that is still in the cache. */
  refs: number;
  /** Set once it exited or was replaced by an exec. */
  endedAtMs: number | null;
};

export type ProcessCacheCounts = { misses: number; evictions: number };

/**
 * Process images by key. An image stays while it or a descendant lives, and `lingerMs` longer, because events of a killed process arrive
 * after its exit. Bounded: over `maxEntries` the oldest ended image goes first, then the oldest of all, and both are counted.
 */
export class ProcessCache {
  readonly #entries = new Map<string, ProcessEntry>();
  /** Keys whose refs reached zero, in order of time. */
  readonly #dying = new Map<string, number>();
  readonly #maxEntries: number;
  readonly #lingerMs: number;
  readonly counts: ProcessCacheCounts = { misses: 0, evictions: 0 };

  constructor(limits: { maxEntries: number; lingerMs: number }) {
    this.#maxEntries = limits.maxEntries;
    this.#lingerMs = limits.lingerMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: ImageKey): ProcessEntry | undefined {
    return this.#entries.get(keyText(key));
  }

  /** As `get`, for keys that ought to be there: an absent one is counted. */
  expect(key: ImageKey): ProcessEntry | undefined {
    const entry = this.get(key);
    if (entry === undefined) this.counts.misses += 1;
    return entry;
  }

  /** A second record of the same image (exec seen by the kernel and again by the walk at start) replaces nothing. */
  add(entry: Omit<ProcessEntry, 'refs' | 'endedAtMs'>): ProcessEntry {
    const known = this.get(entry.key);
    if (known !== undefined) return known;
    const added: ProcessEntry = { ...entry, refs: 1, endedAtMs: null };
    this.#entries.set(keyText(entry.key), added);
    if (entry.parent !== null) this.#retain(entry.parent);
    this.#bound();
    return added;
  }

  /** The image ended: exit, or replaced by an exec. Harmless for unknown and for ended images. */
  end(key: ImageKey, nowMs: number): void {
    const entry = this.get(key);
    if (entry === undefined || entry.endedAtMs !== null) return;
    entry.endedAtMs = nowMs;
    this.#release(key, nowMs);
  }

  /** Forgets images that have been unused for longer than `lingerMs`. */
  sweep(nowMs: number): void {
    for (const [text, sinceMs] of this.#dying) {
      if (nowMs - sinceMs < this.#lingerMs) return;
      this.#remove(text, nowMs);
    }
  }

  #retain(key: ImageKey): void {
    const entry = this.get(key);
    if (entry === undefined) return;
    entry.refs += 1;
    this.#dying.delete(keyText(key));
  }

  #release(key: ImageKey, nowMs: number): void {
    const entry = this.get(key);
    if (entry === undefined) return;
    entry.refs -= 1;
    if (entry.refs === 0) this.#dying.set(keyText(key), nowMs);
  }

  #remove(text: string, nowMs: number): void {
    const entry = this.#entries.get(text);
    this.#dying.delete(text);
    if (entry === undefined) return;
    this.#entries.delete(text);
    if (entry.parent !== null) this.#release(entry.parent, nowMs);
  }

  #bound(): void {
    while (this.#entries.size > this.#maxEntries) {
      const oldest = this.#dying.keys().next().value ?? this.#entries.keys().next().value;
      if (oldest === undefined) return;
      this.counts.evictions += 1;
      this.#remove(oldest, this.#dying.get(oldest) ?? 0);
    }
  }
}
