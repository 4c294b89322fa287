import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { eventFilterSchema, fitsFilter, type EventFilter } from '../events/filter.ts';
import type { ExportedLine } from './export-queue.ts';
import type { FilePosition } from './rotating-file.ts';

/**
 * The events socket. The client sends one line, a request; the server answers one line, where the export file stands, and then every event
 * that fits, one JSON object a line. What is in the file up to that position is not repeated: a reader of both misses and doubles nothing.
 */
export const eventsRequestSchema = z.strictObject({ filter: eventFilterSchema });
export const eventsWelcomeSchema = z.object({
  file: z.object({ path: z.string(), inode: z.string(), bytes: z.number() }).nullable(),
});
export type EventsWelcome = z.infer<typeof eventsWelcomeSchema>;

const MAX_REQUEST_BYTES = 4096;
const MAX_CLIENTS = 32;

export type EventsSocketOptions = {
  readonly path: string;
  /** What one slow reader may have waiting; more ends its connection. */
  readonly maxBufferedBytes: number;
  readonly position: () => ({ path: string } & FilePosition) | null;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

type Client = { readonly socket: Socket; readonly filter: EventFilter };

export class EventsSocket {
  readonly #options: EventsSocketOptions;
  readonly #clients = new Set<Client>();

  constructor(options: EventsSocketOptions) {
    this.#options = options;
  }

  /** Resolves once it listens; an old socket file of ours is replaced. */
  async listen(): Promise<void> {
    const { path, signal } = this.#options;
    const server = createServer((socket) => this.#accept(socket));
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    server.on('error', (error) => this.#options.log.error('The events socket failed', { error }));
    signal.addEventListener('abort', () => this.#close(server), { once: true });
  }

  publish(lines: readonly ExportedLine[]): void {
    for (const client of this.#clients) {
      const wanted = lines.filter(({ emitted }) => fitsFilter(emitted.event, client.filter));
      if (wanted.length === 0) continue;
      client.socket.write(wanted.map(({ line }) => `${line}\n`).join(''));
      if (client.socket.writableLength <= this.#options.maxBufferedBytes) continue;
      this.#options.metrics.counter('agent_slow_readers_total', 'Readers of the events socket that were too slow and were dropped.').inc({});
      this.#options.log.warn('Dropped a slow reader of events', { bufferedBytes: client.socket.writableLength });
      this.#clients.delete(client);
      client.socket.destroy();
    }
  }

  #accept(socket: Socket): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      socket.end(`${JSON.stringify({ error: `already ${MAX_CLIENTS} readers` })}\n`);
      return;
    }
    let request = '';
    const timer = setTimeout(() => socket.destroy(), 10_000);
    const onData = (chunk: Buffer): void => {
      request += chunk.toString('utf8');
      const end = request.indexOf('\n');
      if (end < 0 && request.length <= MAX_REQUEST_BYTES) return;
      clearTimeout(timer);
      socket.off('data', onData);
      this.#subscribe(socket, request.slice(0, Math.max(end, 0)));
    };
    socket.on('data', onData);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clearTimeout(timer));
  }

  #subscribe(socket: Socket, text: string): void {
    const request = parseRequest(text);
    if (typeof request === 'string') {
      socket.end(`${JSON.stringify({ error: request })}\n`);
      return;
    }
    const client: Client = { socket, filter: request };
    this.#clients.add(client);
    socket.on('close', () => this.#clients.delete(client));
    socket.resume();
    socket.write(`${JSON.stringify({ file: this.#options.position() } satisfies EventsWelcome)}\n`);
  }

  #close(server: Server): void {
    server.close();
    for (const { socket } of this.#clients) socket.end();
    rmSync(this.#options.path, { force: true });
  }
}

function parseRequest(text: string): EventFilter | string {
  try {
    const parsed = eventsRequestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.filter : 'the request is not {"filter": {…}}';
  } catch {
    return 'the request is not one line of JSON';
  }
}
