import { WebSocket, type ClientOptions, type RawData } from 'ws';
import { createBackoff, type BackoffOptions } from '../../kube/backoff.ts';
import { readTokenFile } from '../../kube/token-file.ts';
import {
  CATALOGUE_PROTOCOL,
  ALIVE_INTERVAL_MS,
  catalogueFrameSchema,
  decodeNamesFrame,
  MAX_NAMES_FRAME_BYTES,
  type SubscribeFrame,
} from '../../protocol/catalogue.ts';
import { sleep, type Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { FleetMemory } from './fleet-memory.ts';
import { messageBytes } from './message-bytes.ts';

export type SubscriberOptions = {
  /** The hub: `https://host:port` or `wss://host:port`. */
  readonly hubUrl: URL;
  /** PEM of the authority that signed the hub's certificate; asked at every dial, rejects while there is none. */
  readonly readAuthority: () => Promise<string>;
  /** Projected token of audience `palisade-hub`; read again at every dial. */
  readonly tokenFile: string;
  readonly memory: FleetMemory;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random?: () => number;
};

/** The name in the hub's certificate, wherever it is dialled. */
const HUB_SERVER_NAME = 'palisade-hub.palisade-system.svc';
const SILENCE_MS = 3 * ALIVE_INTERVAL_MS;
const HANDSHAKE_MS = 10_000;
const BACKOFF: BackoffOptions = { baseMs: 500, maxMs: 15_000, jitter: 1, resetAfterMs: 60_000 };

/** Keeps the memory up to date with the hub until the signal is aborted. Never rejects: every failure ends in a delay and another dial. */
export async function followCatalogue(options: SubscriberOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, memory, metrics } = options;
  const backoff = createBackoff(clock, options.random ?? Math.random, BACKOFF);
  const ends = metrics.counter('catalogue_connection_ends_total', 'Ends of connections to the hub by cause.', ['cause']);
  const age = metrics.gauge('catalogue_age_seconds', 'Time since the hub last said anything about the fleet; -1: never.');
  metrics.onScrape(() => age.set({}, Number.isFinite(memory.ageMs()) ? memory.ageMs() / 1_000 : -1));
  while (!signal.aborted) {
    const end = await followOnce(options, signal);
    if (signal.aborted) {
      return;
    }
    ends.inc({ cause: end.cause });
    const delayMs = backoff.nextMs();
    log.warn('Lost touch with the hub', { cause: end.cause, detail: end.detail, delayMs: Math.round(delayMs) });
    await sleep(clock, delayMs, signal);
  }
}

type End = { readonly cause: 'credentials' | 'refused' | 'closed' | 'malformed' | 'silent' | 'stopped'; readonly detail: string };

async function followOnce(options: SubscriberOptions, signal: AbortSignal): Promise<End> {
  const credentials = await readCredentials(options);
  if ('cause' in credentials) {
    return credentials;
  }
  const url = new URL('/catalogue', options.hubUrl);
  url.protocol = 'wss:';
  // The types lack `servername`, which is handed on to tls.connect.
  const dial: ClientOptions & { readonly servername: string } = {
    ca: credentials.ca,
    servername: HUB_SERVER_NAME,
    minVersion: 'TLSv1.3',
    headers: { authorization: `Bearer ${credentials.token}` },
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_NAMES_FRAME_BYTES,
    perMessageDeflate: false,
  };
  return converse(new WebSocket(url, dial), options, signal);
}

async function readCredentials(options: SubscriberOptions): Promise<{ readonly ca: string; readonly token: string } | End> {
  try {
    return { ca: await options.readAuthority(), token: await readTokenFile(options.tokenFile) };
  } catch (error) {
    return { cause: 'credentials', detail: error instanceof Error ? error.message : String(error) };
  }
}

/** One connection, from dial to end. Resolves exactly once, with what ended it. */
function converse(socket: WebSocket, options: SubscriberOptions, signal: AbortSignal): Promise<End> {
  const { clock, log, memory } = options;
  return new Promise((resolve) => {
    let isOver = false;
    const finish = (end: End): void => {
      if (isOver) {
        return;
      }
      isOver = true;
      watchdog.cancel();
      signal.removeEventListener('abort', onAbort);
      socket.terminate();
      resolve(end);
    };
    const onAbort = (): void => finish({ cause: 'stopped', detail: '' });
    const watch = () => clock.setTimer(SILENCE_MS, () => finish({ cause: 'silent', detail: `nothing for ${SILENCE_MS} ms` }));
    let watchdog = watch();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('open', () => {
      const frame: SubscribeFrame = {
        t: 'subscribe',
        protocol: { min: CATALOGUE_PROTOCOL, max: CATALOGUE_PROTOCOL },
        have: [...memory.builds()],
      };
      socket.send(JSON.stringify(frame));
      log.info('Subscribed to the fleet catalogue');
    });
    socket.on('message', (data, isBinary) => {
      watchdog.cancel();
      watchdog = watch();
      try {
        receive(memory, data, isBinary);
      } catch (error) {
        finish({ cause: 'malformed', detail: error instanceof Error ? error.message.slice(0, 300) : String(error) });
      }
    });
    socket.on('error', (error) => finish({ cause: 'refused', detail: error.message }));
    socket.on('close', (code, reason) => finish({ cause: 'closed', detail: `${code} ${reason.toString('utf8').slice(0, 123)}` }));
    if (signal.aborted) {
      onAbort();
    }
  });
}

function receive(memory: FleetMemory, data: RawData, isBinary: boolean): void {
  const bytes = messageBytes(data);
  if (isBinary) {
    const { build, names } = decodeNamesFrame(bytes);
    memory.applyNames(build, names);
  } else {
    memory.apply(catalogueFrameSchema.parse(JSON.parse(bytes.toString('utf8'))));
  }
}
