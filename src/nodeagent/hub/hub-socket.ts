import { readFile } from 'node:fs/promises';
import { WebSocket, type ClientOptions } from 'ws';
import { HUB_LIMITS, HUB_PATH } from '../../protocol/hub-frames.ts';

/** The name in the hub's certificate, whatever address is dialled. */
export const HUB_TLS_NAME = 'palisade-hub.palisade-system.svc';

export type HubAddress = {
  /** `wss://host:port`; the path is added. */
  readonly url: string;
  readonly caFile: string;
  readonly tokenFile: string;
  readonly handshakeTimeoutMs: number;
};

/** Why there is no connection. `retryAfterMs`: the hub said when to come again. */
export class HubDialError extends Error {
  readonly code = 'HUB_DIAL';
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'HubDialError';
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Dials once. Token and CA are read at every dial: both rotate. Rejects with HubDialError; a socket that is returned is open.
 */
export async function dialHub(address: HubAddress, signal: AbortSignal): Promise<WebSocket> {
  const [ca, token] = await Promise.all([readSecret(address.caFile, 'CA certificate'), readSecret(address.tokenFile, 'token')]);
  signal.throwIfAborted();
  const options: ClientOptions & { readonly servername: string } = {
    headers: { authorization: `Bearer ${token.trim()}` },
    ca,
    servername: HUB_TLS_NAME,
    minVersion: 'TLSv1.3',
    maxPayload: HUB_LIMITS.maxHubFrameBytes,
    handshakeTimeout: address.handshakeTimeoutMs,
    perMessageDeflate: false,
    followRedirects: false,
  };
  const socket = new WebSocket(new URL(HUB_PATH, address.url), options);
  socket.binaryType = 'nodebuffer';
  return await new Promise<WebSocket>((resolve, reject) => {
    const fail = (error: HubDialError): void => {
      signal.removeEventListener('abort', abort);
      socket.on('error', () => {});
      socket.terminate();
      reject(error);
    };
    const abort = (): void => fail(new HubDialError('stopped'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('open', () => {
      signal.removeEventListener('abort', abort);
      resolve(socket);
    });
    socket.once('unexpected-response', (_request, response) => {
      fail(new HubDialError(`the hub answered ${response.statusCode ?? 0}`, afterMs(response.headers['retry-after'])));
    });
    socket.once('error', (error) => fail(new HubDialError(error.message)));
  });
}

/** Null: the header says no number of seconds. */
function afterMs(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : null;
}

async function readSecret(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new HubDialError(`cannot read the ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
