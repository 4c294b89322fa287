import http from 'node:http';
import net from 'node:net';
import { rm } from 'node:fs/promises';

export type Egress = { readonly close: () => Promise<void> };

/**
 * The API server's way into the machines: a CONNECT proxy on a unix socket. A kubelet's address inside its own user network
 * is turned into the port of loopback that leads there; every other address is refused, and loopback (a webhook of this
 * cluster) is passed on.
 */
export async function startEgress(socketPath: string, kubelets: ReadonlyMap<string, number>): Promise<Egress> {
  await rm(socketPath, { force: true });
  const open = new Set<net.Socket>();
  const server = http.createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, client: net.Socket, head: Buffer) => {
    const target = targetOf(request.url ?? '', kubelets);
    if (target === undefined) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const upstream = net.connect({ host: '127.0.0.1', port: target }, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of open) socket.destroy();
      }),
  };
}

function targetOf(address: string, kubelets: ReadonlyMap<string, number>): number | undefined {
  const direct = kubelets.get(address);
  if (direct !== undefined) return direct;
  const loopback = /^(?:127\.0\.0\.1|localhost):(\d+)$/.exec(address);
  return loopback === null ? undefined : Number(loopback[1]);
}
