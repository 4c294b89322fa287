import { sleep, type Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { consumeEvents, type RecordBatch } from '../loader/event-stream.ts';
import { openFrameConnection } from '../loader/frame-connection.ts';
import { createLoaderClient, type LoaderClient, type LoaderHello } from '../loader/loader-client.ts';

export type LoaderUp = { readonly client: LoaderClient; readonly hello: LoaderHello };

export type LoaderKeeperOptions = {
  readonly socket: string;
  readonly retryMs: number;
  /** Away for longer than this: down, not restarting. */
  readonly downMs: number;
  readonly answerTimeoutMs: number;
  /** The loader answers: called before its records flow. What it throws ends the connection. */
  readonly onUp: (up: LoaderUp) => Promise<void>;
  /**
   * Records wait in the rings until this resolves: what a running generation's numbers mean must be known first. Should take seconds.
   */
  readonly untilReadable: () => Promise<void>;
  /** Rings are drained from now on; what is acknowledged is not sent again. */
  readonly onRecordsOpen: (up: LoaderUp, acknowledge: (doneBytes: number) => void) => void;
  readonly onDown: (reason: string) => void;
  readonly onRecords: (batch: RecordBatch) => void | Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

/** Keeps both connections to the loader; when one ends, both are opened anew, since whatever is at the other end may be another process. */
export class LoaderKeeper {
  readonly #options: LoaderKeeperOptions;
  #isUp = false;
  #downSinceMs: number;

  constructor(options: LoaderKeeperOptions) {
    this.#options = options;
    this.#downSinceMs = options.clock.monotonicMs();
  }

  get state(): 'ok' | 'restarting' | 'down' {
    if (this.#isUp) return 'ok';
    return this.#options.clock.monotonicMs() - this.#downSinceMs > this.#options.downMs ? 'down' : 'restarting';
  }

  /** Returns when the signal is aborted. */
  async run(): Promise<void> {
    const { clock, log, signal, retryMs, metrics } = this.#options;
    const connected = metrics.gauge('agent_loader_connected', 'Whether the loader answers.');
    let lastReason = '';
    while (!signal.aborted) {
      connected.set({}, 0);
      const reason = await this.#serveOnce(() => connected.set({}, 1));
      if (signal.aborted) return;
      // A loader that is away is tried five times a second: one line for each reason is enough.
      if (this.#isUp || reason !== lastReason) {
        // At the start the loader may simply be slower than we are.
        if (this.#isUp || this.state === 'down') log.warn('The loader is away', { reason });
        else log.info('Waiting for the loader', { reason });
      }
      lastReason = reason;
      if (this.#isUp) {
        this.#isUp = false;
        this.#downSinceMs = clock.monotonicMs();
        this.#options.onDown(reason);
      }
      await sleep(clock, retryMs, signal);
    }
  }

  async #serveOnce(onUp: () => void): Promise<string> {
    const { socket, clock, signal, answerTimeoutMs } = this.#options;
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    try {
      const connection = await openFrameConnection({ path: socket, clock, signal: both, answerTimeoutMs });
      const client = createLoaderClient(connection);
      const up = { client, hello: await client.hello() };
      await this.#options.onUp(up);
      this.#isUp = true;
      onUp();
      await Promise.race([this.#options.untilReadable(), connection.closed]);
      const records = consumeEvents({
        path: socket,
        signal: both,
        delivery: 'until acknowledged',
        onOpen: (acknowledge) => this.#options.onRecordsOpen(up, acknowledge),
        onRecords: this.#options.onRecords,
      }).then(() => 'the events connection ended', messageOf);
      const reason = await Promise.race([connection.closed, records]);
      ended.abort();
      connection.close(reason);
      await records;
      return reason;
    } catch (error) {
      ended.abort();
      return messageOf(error);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
