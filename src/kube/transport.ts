import { Agent } from 'undici';
import type { Clock } from '../telemetry/clock.ts';
import { SECONDS_BUCKETS, type Metrics } from '../telemetry/metrics.ts';
import type { ApiServerAccess } from './credentials.ts';
import { errorFromStatus, isKubeError, KubeError } from './kube-error.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type KubeRequest = {
  readonly method: HttpMethod;
  readonly path: string;
  /** Undefined values are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  /** `application/json` by default. */
  readonly contentType?: string;
  /** `application/json` by default. */
  readonly accept?: string;
  /** For metrics: get, list, watch, create, apply, patch, update, delete. */
  readonly verb: string;
  readonly signal?: AbortSignal;
  /** Until the whole answer is there (`request`) or its head is (`stream`). */
  readonly timeoutMs?: number;
};

/** One API server, one pool of connections. All failures are `KubeError`s. */
export type KubeTransport = {
  /** The answer's JSON. */
  request(request: KubeRequest): Promise<unknown>;
  /** The answer's bytes as they come, without a time limit after the head: for watches. Ends with the signal. */
  stream(request: KubeRequest): Promise<AsyncIterable<Uint8Array>>;
  /** Ends all connections; pending calls fail. */
  close(): Promise<void>;
};

export type TransportOptions = {
  readonly access: ApiServerAccess;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Shown in the API server's audit log: `palisade-controller`. */
  readonly userAgent: string;
  /** `MAX_ANSWER_BYTES` unless a test says otherwise. */
  readonly maxAnswerBytes?: number;
};

const DEFAULT_TIMEOUT_MS = 30_000;
/** Longest answer that is read as a whole: parsing it holds up everything else. */
const MAX_ANSWER_BYTES = 64 << 20;
const MAX_ERROR_BYTES = 256 << 10;

/** Requests share one undici agent, so that TLS is not negotiated for each of them (client-node opens a connection per call). */
export function createTransport(options: TransportOptions): KubeTransport {
  const { access, clock } = options;
  const maxAnswerBytes = options.maxAnswerBytes ?? MAX_ANSWER_BYTES;
  const seconds = options.metrics.histogram(
    'kube_request_seconds',
    'Time of calls to the API server; watches until their head.',
    SECONDS_BUCKETS,
    ['verb'],
  );
  const calls = options.metrics.counter('kube_requests_total', 'Calls to the API server by result.', ['verb', 'result']);
  const agent = new Agent({
    connect: { ...access.tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 },
    // Over HTTP/2 all watches would share one connection and stall together.
    allowH2: false,
    connections: 64,
    keepAliveTimeout: 30_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const prefix = access.url.pathname.replace(/\/$/, '');

  const send = async (request: KubeRequest, signal: AbortSignal): Promise<Answer> => {
    const headers: Record<string, string> = {
      ...(await access.headers()),
      accept: request.accept ?? 'application/json',
      'user-agent': options.userAgent,
    };
    if (request.body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
    }
    const answer = await agent.request({
      origin: access.url.origin,
      path: `${prefix}${request.path}${queryOf(request.query)}`,
      method: request.method,
      headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      signal,
    });
    if (answer.statusCode >= 400) {
      throw errorFromStatus(answer.statusCode, await errorBody(answer.body), headerText(answer.headers['retry-after']));
    }
    return answer;
  };

  /** Counts and times the call, limits its time, and makes every failure a KubeError. */
  const guarded = async <Value>(request: KubeRequest, call: (signal: AbortSignal) => Promise<Value>): Promise<Value> => {
    const startMs = clock.monotonicMs();
    const deadline = new AbortController();
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = clock.setTimer(timeoutMs, () => deadline.abort());
    const signal = request.signal === undefined ? deadline.signal : AbortSignal.any([request.signal, deadline.signal]);
    try {
      const value = await call(signal);
      calls.inc({ verb: request.verb, result: 'ok' });
      return value;
    } catch (cause) {
      const error = asKubeError(cause, request, deadline.signal, timeoutMs);
      calls.inc({ verb: request.verb, result: error.code });
      throw error;
    } finally {
      timer.cancel();
      seconds.observe({ verb: request.verb }, (clock.monotonicMs() - startMs) / 1_000);
    }
  };

  return {
    request: (request) => guarded(request, async (signal) => parseJson(await readAll((await send(request, signal)).body, maxAnswerBytes))),
    stream: (request) => guarded(request, async (signal) => streamOf(request, (await send(request, signal)).body)),
    close: () => agent.destroy(),
  };
}

type Answer = Awaited<ReturnType<Agent['request']>>;

function queryOf(query: KubeRequest['query']): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) {
      given.set(name, value);
    }
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}

async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new KubeError('TooLarge', `the API server's answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new KubeError('Malformed', "the API server's answer is no JSON", { cause });
  }
}

/** The Status object of a failure; a proxy in between may send anything, which then is not looked at. */
async function errorBody(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  try {
    return JSON.parse((await readAll(body, MAX_ERROR_BYTES)).toString('utf8'));
  } catch {
    return undefined;
  }
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

async function* streamOf(request: KubeRequest, body: Answer['body']): AsyncGenerator<Uint8Array> {
  const abort = (): void => void body.destroy(new Error('aborted'));
  request.signal?.addEventListener('abort', abort, { once: true });
  try {
    if (request.signal?.aborted === true) {
      abort();
    }
    yield* body;
  } catch (cause) {
    throw asKubeError(cause, request, undefined, 0);
  } finally {
    request.signal?.removeEventListener('abort', abort);
    // Left early: the rest is not wanted and must not keep the connection. The error of the destroyed stream has been told already.
    body.on('error', () => {});
    body.destroy();
  }
}

function asKubeError(cause: unknown, request: KubeRequest, deadline: AbortSignal | undefined, timeoutMs: number): KubeError {
  if (isKubeError(cause)) {
    return cause;
  }
  const call = `${request.method} ${request.path.slice(0, 200)}`;
  if (request.signal?.aborted === true) {
    return new KubeError('Aborted', `${call}: given up`, { cause });
  }
  if (deadline?.aborted === true) {
    return new KubeError('Timeout', `${call}: no answer within ${timeoutMs} ms`, { cause });
  }
  return new KubeError('Transport', `${call}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
