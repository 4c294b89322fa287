import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Origin } from '../events/checkpoint.ts';
import type { Emitted } from '../events/pipeline.ts';

/** Where batches of lines go. `written` of a batch means: in the file, as far as the kernel is concerned. */
export type LineSink = { append(bytes: Buffer, lines: readonly ExportedLine[]): Promise<void> };

export type ExportedLine = { readonly line: string; readonly emitted: Emitted };

export type ExportQueueOptions = {
  readonly sink: LineSink | null;
  /** Lines wait at most this long before they are written. */
  readonly flushMs: number;
  /** A batch is written at once when it reaches this. */
  readonly batchBytes: number;
  /** What may wait in memory; more is dropped and counted. */
  readonly maxQueuedBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** After a batch is in the file (or could not be written). */
  readonly onBatch: (lines: readonly ExportedLine[]) => void;
  /** A line's record is done with, written or not. */
  readonly onDone: (origin: Origin) => void;
};

/** Between the pipeline and the disk: never blocks the one, never waits for ever for the other. */
export class ExportQueue {
  readonly #options: ExportQueueOptions;
  #lines: ExportedLine[] = [];
  #bytes = 0;
  #flushing: Promise<void> | null = null;
  #timer: { cancel(): void } | null = null;
  /** Lines that were not written: the queue was full, or the disk refused. */
  dropped = 0;
  #fault: string | null = null;

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  /** Why the last batch was not written; null while all is well. */
  get fault(): string | null {
    return this.#fault;
  }

  push(items: readonly Emitted[]): void {
    for (const emitted of items) {
      const line = JSON.stringify(emitted.event);
      if (this.#bytes + line.length > this.#options.maxQueuedBytes) {
        this.#drop(1);
        if (emitted.origin !== null) this.#options.onDone(emitted.origin);
        continue;
      }
      this.#bytes += line.length;
      this.#lines.push({ line, emitted });
    }
    if (this.#bytes >= this.#options.batchBytes) void this.flush();
    else if (this.#lines.length > 0) this.#timer ??= this.#options.clock.setTimer(this.#options.flushMs, () => void this.flush());
  }

  /** Writes what waits. Resolves when it is written; never rejects. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#flushing !== null) {
      await this.#flushing;
      if (this.#lines.length === 0) return;
    }
    this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  async #writeAll(): Promise<void> {
    while (this.#lines.length > 0) {
      const lines = this.#lines;
      const bytes = this.#bytes;
      this.#lines = [];
      await this.#write(lines);
      this.#bytes -= bytes;
    }
  }

  async #write(lines: readonly ExportedLine[]): Promise<void> {
    const { sink, log, metrics, onBatch, onDone } = this.#options;
    if (sink !== null) {
      try {
        await sink.append(Buffer.from(lines.map(({ line }) => `${line}\n`).join(''), 'utf8'), lines);
        metrics.counter('agent_events_exported_total', 'Lines written to the export file.').inc({}, lines.length);
        this.#fault = null;
      } catch (error) {
        if (this.#fault === null) log.error('Could not write the export file', { error, lines: lines.length });
        this.#fault = error instanceof Error ? error.message : String(error);
        this.#drop(lines.length);
      }
    }
    for (const { emitted } of lines) if (emitted.origin !== null) onDone(emitted.origin);
    onBatch(lines);
  }

  #drop(lines: number): void {
    this.dropped += lines;
    const counter = this.#options.metrics.counter('agent_events_dropped_total', 'Lines that the export file did not get.');
    counter.inc({}, lines);
  }
}
