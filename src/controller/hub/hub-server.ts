import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { CertificatePair } from '../../kube/certificates/issue.ts';
import { HUB_CLOSE, HUB_LIMITS, HUB_PATH } from '../../protocol/hub-frames.ts';
import { type Clock, sleep } from '../../telemetry/clock.ts';
import type { ListenAddress } from '../../telemetry/listen-address.ts';
import type { Log } from '../../telemetry/log.ts';
import type { CatalogueServer } from '../catalogue/catalogue-server.ts';
import type { PodItem } from '../fleet/pod-projection.ts';
import type { Timing } from '../timing.ts';
import type { Hub } from './hub.ts';
import { HubRefusal } from './hub-error.ts';
import type { HubMetrics } from './hub-metrics.ts';
import { accountName, type AgentIdentity, agentIdentityOf, isAgentPodAlive, WEBHOOK_ACCOUNT } from './identity.ts';
import type { ReadApi } from './read-api.ts';
import { bearerToken, type TokenCache } from './token-cache.ts';

export const CATALOGUE_PATH = '/catalogue';

export type HubServerOptions = {
  readonly listen: ListenAddress;
  readonly certificate: CertificatePair;
  /** Of the agents and of our ServiceAccounts. */
  readonly namespace: string;
  readonly hub: Hub;
  readonly catalogue: CatalogueServer;
  readonly readApi: ReadApi;
  readonly tokens: TokenCache;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: HubMetrics;
  /** Agents' pods by name. */
  findPod(name: string): PodItem | undefined;
  /** Nobody is let in before the caches are there. */
  isReady(): boolean;
  readonly signal: AbortSignal;
};

export type HubServer = {
  readonly address: ListenAddress;
  /** New connections are served with this certificate; throws, and keeps the old one, where it cannot be used. */
  renew(certificate: CertificatePair): void;
};

/** How long the pod cache may be behind the token of a pod that has just started. */
const POD_CACHE_LAG_MS = 2_000;
const POD_POLL_MS = 100;
/** Inbound bytes between two messages beyond which a connection is cut before the message is whole. */
const MAX_PENDING_BYTES = HUB_LIMITS.maxAgentFrameBytes + 16 * 1024;
const MAX_PENDING_UPLOAD_BYTES = HUB_LIMITS.maxCatalogueBytes + 16 * 1024;

/** The controller's one listener: `/hub` for agents, `/catalogue` for webhooks, `/v1/…` for people; TLS 1.3. Resolves once it listens. */
export async function startHubServer(options: HubServerOptions): Promise<HubServer> {
  const { signal, log } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: HUB_LIMITS.maxCatalogueBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const server = createServer(
    { ...secureContextOf(options.certificate), handshakeTimeout: 10_000 },
    (request, response) => void answer(request, response, options),
  );
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.on('upgrade', (request, socket, head) => {
    upgrade(request, socket, head, sockets, options).catch((error: unknown) => {
      log.error('Could not handle an upgrade', { error });
      socket.destroy();
    });
  });
  server.on('tlsClientError', () => options.metrics.handshakes.inc({ result: 'tls' }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error('The hub server failed', { error }));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  signal.addEventListener('abort', stop, { once: true });
  const bound: AddressInfo | string | null = server.address();
  return {
    address: bound === null || typeof bound === 'string' ? options.listen : { host: bound.address, port: bound.port },
    renew: (certificate) => server.setSecureContext(secureContextOf(certificate)),
  };
}

/** The whole of it, every time: what is left out when a certificate is replaced falls back to Node's defaults, TLS 1.2 among them. */
function secureContextOf(certificate: CertificatePair): SecureContextOptions {
  return { key: certificate.privateKeyPem, cert: certificate.certificatePem, minVersion: 'TLSv1.3' };
}

async function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  sockets: WebSocketServer,
  options: HubServerOptions,
): Promise<void> {
  const onEarlyError = (): void => void socket.destroy();
  socket.on('error', onEarlyError);
  try {
    const path = pathOf(request);
    if (path !== HUB_PATH && path !== CATALOGUE_PATH) {
      throw new HubRefusal('NotFound', `websockets are at ${HUB_PATH} and ${CATALOGUE_PATH}`);
    }
    if (!options.isReady()) {
      throw new HubRefusal('NotReady', 'the controller has not read the cluster yet');
    }
    const token = bearerToken(request.headers.authorization);
    if (path === HUB_PATH) {
      const identity = await authenticateAgent(token, options);
      sockets.handleUpgrade(request, socket, head, (ws) => serveAgent(ws, socket, identity, token, options));
    } else {
      await authenticateWebhook(token, options);
      sockets.handleUpgrade(request, socket, head, (ws) => options.catalogue.serve(ws));
    }
    options.metrics.handshakes.inc({ result: 'ok' });
  } catch (error) {
    refuse(socket, error, options);
  } finally {
    socket.off('error', onEarlyError);
  }
}

async function authenticateAgent(token: string, options: HubServerOptions): Promise<AgentIdentity> {
  const { clock } = options;
  const caller = await options.tokens.authenticate(token);
  const deadlineMs = clock.monotonicMs() + POD_CACHE_LAG_MS;
  for (;;) {
    try {
      return agentIdentityOf(caller, options.namespace, (name) => options.findPod(name));
    } catch (error) {
      const mayAppear = error instanceof HubRefusal && error.code === 'UnknownPod' && clock.monotonicMs() < deadlineMs;
      if (!mayAppear) {
        throw error;
      }
    }
    await sleep(clock, POD_POLL_MS, options.signal);
  }
}

async function authenticateWebhook(token: string, options: HubServerOptions): Promise<void> {
  const caller = await options.tokens.authenticate(token);
  const expected = accountName(options.namespace, WEBHOOK_ACCOUNT);
  if (caller.username !== expected) {
    throw new HubRefusal('WrongAccount', `${caller.username.slice(0, 200)} is not ${expected}`);
  }
}

function serveAgent(ws: WebSocket, socket: Duplex, identity: AgentIdentity, token: string, options: HubServerOptions): void {
  const { hub, clock } = options;
  let pendingBytes = 0;
  let isOver = false;
  let review = clock.setTimer(options.timing.reviewMs, () => void reviewAgain());
  const session = hub.connect(identity, {
    get bufferedAmount() {
      return ws.bufferedAmount;
    },
    send: (data) => ws.send(data, { binary: typeof data !== 'string' }, () => {}),
    close: (code, reason) => closeSoon(ws, code, reason, clock),
    ping: () => ws.ping(),
  });
  /** What could not be asked is left as it is: an API server that is away must not cut nodes off. */
  const reviewAgain = async (): Promise<void> => {
    try {
      await options.tokens.refresh(token);
      if (!isAgentPodAlive(identity, (name) => options.findPod(name))) {
        session.close(HUB_CLOSE.unauthenticated, 'the pod is gone');
        return;
      }
    } catch (error) {
      if (error instanceof HubRefusal && error.code === 'NotAuthenticated') {
        session.close(HUB_CLOSE.unauthenticated, 'the token is not valid any more');
        return;
      }
      options.log.warn('Could not review a token again', { node: identity.node, error });
    }
    if (!isOver) {
      review = clock.setTimer(options.timing.reviewMs, () => void reviewAgain());
    }
  };
  socket.on('data', (chunk: Buffer) => {
    pendingBytes += chunk.byteLength;
    if (pendingBytes > (session.mayUpload ? MAX_PENDING_UPLOAD_BYTES : MAX_PENDING_BYTES)) {
      session.close(HUB_CLOSE.malformed, 'a frame beyond the bound');
      ws.terminate();
    }
  });
  ws.on('message', (data, isBinary) => {
    pendingBytes = 0;
    const bytes = bufferOf(data);
    if (isBinary) {
      session.receiveBinary(bytes);
    } else {
      session.receiveText(bytes.toString('utf8'), bytes.byteLength);
    }
  });
  ws.on('pong', () => {
    pendingBytes = 0;
    session.pong();
  });
  ws.on('error', (error) => options.log.debug('The connection of an agent failed', { node: identity.node, error }));
  ws.on('close', () => {
    isOver = true;
    review.cancel();
    hub.disconnected(session);
  });
}

const CLOSE_TIMEOUT_MS = 2_000;

/** Says goodbye, and cuts the connection if the other side does not answer. */
export function closeSoon(ws: WebSocket, code: number, reason: string, clock: Clock): void {
  ws.close(code, reason);
  const timer = clock.setTimer(CLOSE_TIMEOUT_MS, () => ws.terminate());
  ws.once('close', () => timer.cancel());
}

export function bufferOf(data: RawData): Buffer {
  return Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

function refuse(socket: Duplex, error: unknown, options: HubServerOptions): void {
  const refusal = error instanceof HubRefusal ? error : new HubRefusal('ReviewFailed', 'internal error', error);
  options.metrics.handshakes.inc({ result: refusal.code });
  const fields = { code: refusal.code, reason: refusal.message, ...(refusal.cause === undefined ? {} : { error: refusal.cause }) };
  if (refusal.code === 'NotReady') {
    options.log.debug('Turned a caller away', fields);
  } else {
    options.log.warn('Turned a caller away', fields);
  }
  const body = `${refusal.message}\n`;
  const retryAfter = refusal.retryAfterSeconds === undefined ? '' : `Retry-After: ${refusal.retryAfterSeconds}\r\n`;
  socket.end(
    `HTTP/1.1 ${refusal.status} ${refusal.code}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n${retryAfter}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** A reader that takes nothing for so long is gone. */
const SLOW_READER_MS = 30_000;

async function answer(request: IncomingMessage, response: ServerResponse, options: HubServerOptions): Promise<void> {
  const path = pathOf(request);
  request.resume();
  try {
    const pieces = await options.readApi.answer(request.method ?? 'GET', path, request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.setTimeout(SLOW_READER_MS, () => response.destroy());
    await pipeline(Readable.from(inTurns(pieces)), response);
  } catch (error) {
    if (response.headersSent) {
      options.log.warn('An answer was not read to its end', { path: path.slice(0, 100), error });
      response.destroy();
      return;
    }
    const refusal = error instanceof HubRefusal ? error : new HubRefusal('ReviewFailed', 'the API server could not be asked', error);
    options.log.warn('Turned a caller away', { code: refusal.code, reason: refusal.message, path: path.slice(0, 100) });
    send(response, refusal.status, { code: refusal.code, message: refusal.message });
  }
}

/** Agents get their turn between two pieces. */
async function* inTurns(pieces: Iterable<string>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece;
    await setImmediate();
  }
  yield '\n';
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}
