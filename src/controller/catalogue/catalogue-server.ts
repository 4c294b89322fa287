import type { RawData, WebSocket } from 'ws';
import {
  ALIVE_INTERVAL_MS,
  CATALOGUE_PROTOCOL,
  type CatalogueFrame,
  type SubscribeFrame,
  subscribeSchema,
} from '../../protocol/catalogue.ts';
import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { catalogueDifference, type CatalogueView, type Told } from './catalogue-difference.ts';

/** Serves the fleet catalogue to webhooks (src/protocol/catalogue.ts). */
export type CatalogueServer = {
  /** Takes over an authenticated connection. */
  serve(socket: WebSocket): void;
  /** Something in the view may have changed; subscribers are told soon, changes of a moment together. */
  changed(): void;
  closeAll(): void;
};

export type CatalogueServerOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  view(): CatalogueView;
};

const COALESCE_MS = 200;
const SUBSCRIBE_MS = 10_000;
const MALFORMED = 1008;
const GOING_AWAY = 1001;
const SLOW = 1013;
const MAX_SUBSCRIBE_BYTES = 16 * 1024;
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;
/** Webhooks have a handful of replicas; more are a mistake. */
const MAX_SUBSCRIBERS = 64;

export function createCatalogueServer(options: CatalogueServerOptions): CatalogueServer {
  const { clock, log } = options;
  const subscribers = new Map<WebSocket, Told>();
  const connections = new Set<WebSocket>();
  let pending: Timer | null = null;
  options.metrics.onScrape(() => gauge.set({}, subscribers.size));
  const gauge = options.metrics.gauge('catalogue_subscribers', 'Webhooks that follow the fleet catalogue.');

  const update = (socket: WebSocket, told: Told, phase: 'first' | 'later'): void => {
    const difference = catalogueDifference(told, options.view(), phase);
    subscribers.set(socket, difference.told);
    for (const frame of difference.frames) {
      sendTo(socket, frame);
    }
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.close(SLOW, 'reads too slowly');
      subscribers.delete(socket);
    }
  };
  const flush = (): void => {
    pending = null;
    for (const [socket, told] of subscribers) {
      update(socket, told, 'later');
    }
  };

  return {
    serve: (socket) => {
      if (connections.size >= MAX_SUBSCRIBERS) {
        socket.close(SLOW, `more than ${MAX_SUBSCRIBERS} subscribers`);
        return;
      }
      connections.add(socket);
      let alive: Timer | null = null;
      const timeout = clock.setTimer(SUBSCRIBE_MS, () => socket.close(MALFORMED, 'no subscribe'));
      const beat = (): void => {
        const told = subscribers.get(socket);
        if (told !== undefined) {
          update(socket, told, 'later');
          sendTo(socket, { t: 'alive' });
        }
        alive = clock.setTimer(ALIVE_INTERVAL_MS, beat);
      };
      socket.on('message', (data, isBinary) => {
        const frame = isBinary || subscribers.has(socket) ? undefined : readSubscribe(data);
        if (frame === undefined || frame.protocol.min > CATALOGUE_PROTOCOL || frame.protocol.max < CATALOGUE_PROTOCOL) {
          log.warn('A subscriber of the catalogue broke the protocol');
          socket.close(MALFORMED, `expected one subscribe of protocol ${CATALOGUE_PROTOCOL}`);
          return;
        }
        timeout.cancel();
        sendTo(socket, { t: 'welcome', protocol: CATALOGUE_PROTOCOL });
        update(socket, { builds: new Map(frame.have.map((build) => [build, 'with-names'])), nodes: new Map() }, 'first');
        sendTo(socket, { t: 'ready' });
        alive = clock.setTimer(ALIVE_INTERVAL_MS, beat);
        log.info('A webhook follows the fleet catalogue');
      });
      socket.on('error', (error) => log.debug('The connection of a webhook failed', { error }));
      socket.on('close', () => {
        timeout.cancel();
        alive?.cancel();
        connections.delete(socket);
        subscribers.delete(socket);
      });
    },
    changed: () => {
      pending ??= clock.setTimer(COALESCE_MS, flush);
    },
    closeAll: () => {
      pending?.cancel();
      for (const socket of connections) {
        socket.close(GOING_AWAY, 'the controller stops');
      }
    },
  };
}

function sendTo(socket: WebSocket, frame: CatalogueFrame | Buffer): void {
  const isBinary = Buffer.isBuffer(frame);
  socket.send(isBinary ? frame : JSON.stringify(frame), { binary: isBinary }, () => {});
}

function readSubscribe(data: RawData): SubscribeFrame | undefined {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  if (bytes.byteLength > MAX_SUBSCRIBE_BYTES) {
    return undefined;
  }
  try {
    return subscribeSchema.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
