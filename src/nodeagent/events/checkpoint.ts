/**
 * How far every stream of records has been exported without a hole. Written to disk by the exporter, and read at the next start: what lies
 * between it and the first record then is what the agent's absence cost.
 */
export type Origin = { readonly stream: string; readonly seq: bigint };

type StreamState = { high: bigint; readonly open: Map<bigint, number> };

export class ExportCheckpoint {
  readonly #streams = new Map<string, StreamState>();

  /** A record was received; it is not exported yet. */
  begin(origin: Origin): void {
    const state = this.#streams.get(origin.stream) ?? { high: origin.seq - 1n, open: new Map<bigint, number>() };
    this.#streams.set(origin.stream, state);
    state.open.set(origin.seq, 0);
    if (origin.seq > state.high) state.high = origin.seq;
  }

  /** The record has turned into so many lines; none: it is done with. */
  settle(origin: Origin, lines: number): void {
    const open = this.#streams.get(origin.stream)?.open;
    if (open === undefined || !open.has(origin.seq)) return;
    if (lines === 0) open.delete(origin.seq);
    else open.set(origin.seq, lines);
  }

  /** One of the record's lines is in the file, or was dropped and counted. */
  written(origin: Origin): void {
    const open = this.#streams.get(origin.stream)?.open;
    const left = open?.get(origin.seq);
    if (open === undefined || left === undefined) return;
    if (left <= 1) open.delete(origin.seq);
    else open.set(origin.seq, left - 1);
  }

  /** Per stream the highest number up to which everything is exported. */
  positions(): Record<string, string> {
    const positions: Record<string, string> = {};
    for (const [stream, state] of this.#streams) {
      let low = state.high;
      for (const seq of state.open.keys()) if (seq - 1n < low) low = seq - 1n;
      positions[stream] = low.toString();
    }
    return positions;
  }
}
