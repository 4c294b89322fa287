import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { fitsFilter, type EventFilter } from '../events/filter.ts';
import type { ExportedLine } from '../export/export-queue.ts';
import { agentRequestSchema, type AgentRequest, type AgentRequests, type EventsAnswer } from './requests.ts';

const MAX_REQUEST_BYTES = 4096;
const MAX_CLIENTS = 32;
const REQUEST_TIMEOUT_MS = 10_000;

export type AgentSocketOptions = {
  readonly path: string;
  /** What one slow reader may have waiting; more ends its connection. */
  readonly maxBufferedBytes: number;
  /** The export file as far as readers have been told of it. */
  readonly exported: () => EventsAnswer;
  readonly requests: AgentRequests;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
};

type Reader = { readonly socket: Socket; readonly filter: EventFilter };

/** Serves `requests.ts` on a unix socket, mode 600. A reader of events that does not keep up is dropped and counted, never waited for. */
export class AgentSocket {
  readonly #options: AgentSocketOptions;
  readonly #sockets = new Set<Socket>();
  readonly #readers = new Set<Reader>();

  constructor(options: AgentSocketOptions) {
    this.#options = options;
  }

  /** Resolves once it listens; an old socket file of ours is replaced. */
  async listen(): Promise<void> {
    const { path, signal, log } = this.#options;
    const server = createServer((socket) => this.#accept(socket));
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
    server.on('error', (error) => log.error('The agent socket failed', { error }));
    if (signal.aborted) this.#close(server);
    else signal.addEventListener('abort', () => this.#close(server), { once: true });
  }

  publish(lines: readonly ExportedLine[]): void {
    for (const reader of this.#readers) {
      const wanted = lines.filter(({ emitted }) => fitsFilter(emitted.event, reader.filter));
      if (wanted.length === 0) continue;
      reader.socket.write(wanted.map(({ line }) => `${line}\n`).join(''));
      if (reader.socket.writableLength > this.#options.maxBufferedBytes) this.#dropSlow(reader);
    }
  }

  #dropSlow(reader: Reader): void {
    const { metrics, log } = this.#options;
    metrics.counter('agent_slow_readers_total', 'Readers of events that did not keep up and were dropped.').inc({});
    log.warn('Dropped a slow reader of events', { bufferedBytes: reader.socket.writableLength });
    this.#readers.delete(reader);
    reader.socket.destroy();
  }

  #accept(socket: Socket): void {
    // First of all: an error that nobody listens to ends the process.
    socket.on('error', () => socket.destroy());
    if (this.#sockets.size >= MAX_CLIENTS) {
      answer(socket, { error: `the agent serves ${MAX_CLIENTS} clients already` });
      socket.end();
      return;
    }
    this.#sockets.add(socket);
    let text = '';
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const end = text.indexOf('\n');
      if (end < 0 && text.length <= MAX_REQUEST_BYTES) return;
      clearTimeout(timer);
      socket.off('data', onData);
      socket.resume();
      void this.#serve(socket, parseRequest(text.slice(0, Math.max(end, 0))));
    };
    socket.on('data', onData);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
  }

  async #serve(socket: Socket, request: AgentRequest | string): Promise<void> {
    if (typeof request === 'string') {
      answer(socket, { error: request });
      socket.end();
      return;
    }
    if (request.op === 'events') {
      const reader: Reader = { socket, filter: request.filter };
      this.#readers.add(reader);
      socket.on('close', () => this.#readers.delete(reader));
      answer(socket, this.#options.exported());
      return;
    }
    try {
      answer(socket, await this.#perform(request));
    } catch (error) {
      this.#options.log.error('Could not serve a request', { op: request.op, error });
      answer(socket, { error: error instanceof Error ? error.message : String(error) });
    }
    socket.end();
  }

  #perform(request: Exclude<AgentRequest, { op: 'events' }>): Promise<unknown> {
    const { requests } = this.#options;
    switch (request.op) {
      case 'status':
        return requests.status();
      case 'suspend':
        return requests.suspend(request.policy);
      case 'resume':
        return requests.resume(request.policy);
      case 'purge':
        return requests.purge();
    }
  }

  #close(server: Server): void {
    server.close();
    for (const socket of this.#sockets) socket.end();
    rmSync(this.#options.path, { force: true });
  }
}

function answer(socket: Socket, value: unknown): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(value)}\n`);
}

function parseRequest(text: string): AgentRequest | string {
  try {
    const parsed = agentRequestSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    return `not a request: ${parsed.error.issues[0]?.message ?? 'unknown'}`.slice(0, 200);
  } catch {
    return 'the request is not one line of JSON';
  }
}
