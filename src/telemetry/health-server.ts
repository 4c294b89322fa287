import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health, HealthReport } from './health.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export type HealthServerOptions = {
  readonly listen: ListenAddress;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Aborted: the server closes its connections and ends. */
  readonly signal: AbortSignal;
};

/** Serves `/metrics`, `/healthz` and `/readyz` without encryption; resolves with the address once it listens, rejects if it cannot. */
export async function startHealthServer(options: HealthServerOptions): Promise<ListenAddress> {
  const { log, signal } = options;
  const server = createServer((request, response) => {
    respond(request, response, options).catch((error: unknown) => {
      log.error('Could not answer a probe', { path: request.url?.slice(0, 100), error });
      response.destroy();
    });
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error('The health server failed', { error }));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  if (signal.aborted) {
    stop();
  }
  signal.addEventListener('abort', stop, { once: true });
  const address = boundAddress(server.address(), options.listen);
  log.info('Serving metrics and health', { address: formatListenAddress(address) });
  return address;
}

function boundAddress(bound: AddressInfo | string | null, wished: ListenAddress): ListenAddress {
  return bound === null || typeof bound === 'string' ? wished : { host: bound.address, port: bound.port };
}

async function respond(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain; charset=utf-8', 'only GET\n');
  } else if (path === '/metrics') {
    send(response, 200, options.metrics.contentType, await options.metrics.text());
  } else if (path === '/healthz') {
    sendReport(response, options.health.live());
  } else if (path === '/readyz') {
    sendReport(response, options.health.ready());
  } else {
    send(response, 404, 'text/plain; charset=utf-8', 'there are /metrics, /healthz and /readyz\n');
  }
}

function sendReport(response: ServerResponse, report: HealthReport): void {
  const body = [...report.lines, report.ok ? 'ok' : 'not ok', ''].join('\n');
  send(response, report.ok ? 200 : 503, 'text/plain; charset=utf-8', body);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
