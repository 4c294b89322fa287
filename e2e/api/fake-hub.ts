import { createServer } from 'node:https';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TlsMaterial } from '../../src/kube/certificates/tls-secret.ts';
import { encodeNamesFrame, packKernelNames, subscribeSchema, type CatalogueFrame, type KernelNames } from '../../src/protocol/catalogue.ts';
import { messageBytes } from '../../src/webhook/fleet/message-bytes.ts';

/** The hub's `/catalogue` side, as the contract describes it: says the same to every webhook that subscribes. */
export type FakeHub = {
  readonly url: string;
  /** Tokens that webhooks have presented. */
  readonly tokens: readonly string[];
  /** Which names each subscriber had already. */
  readonly had: readonly (readonly string[])[];
  /** Ends all connections; the webhooks come back. */
  drop(): void;
  close(): Promise<void>;
};

export type FakeFleet = { readonly frames: readonly CatalogueFrame[]; readonly names: ReadonlyMap<string, KernelNames> };

export async function startFakeHub(material: TlsMaterial, fleet: FakeFleet): Promise<FakeHub> {
  const tokens: string[] = [];
  const had: (readonly string[])[] = [];
  const server = createServer({ cert: material.certificatePem, key: material.privateKeyPem, minVersion: 'TLSv1.3' });
  const sockets = new WebSocketServer({ server, path: '/catalogue', maxPayload: 64 << 10 });
  sockets.on('connection', (socket, request) => {
    tokens.push((request.headers.authorization ?? '').replace('Bearer ', ''));
    socket.once('message', (data) => {
      const bytes = messageBytes(data);
      const subscribe = subscribeSchema.parse(JSON.parse(bytes.toString('utf8')));
      had.push(subscribe.have);
      tell(socket, fleet, subscribe.have);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const drop = (): void => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    url: `wss://127.0.0.1:${port}`,
    tokens,
    had,
    drop,
    close: async () => {
      drop();
      sockets.close();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function tell(socket: WebSocket, fleet: FakeFleet, have: readonly string[]): void {
  socket.send(JSON.stringify({ t: 'welcome', protocol: 1 }));
  for (const frame of fleet.frames) socket.send(JSON.stringify(frame));
  for (const [build, names] of fleet.names) {
    if (!have.includes(build)) socket.send(encodeNamesFrame(build, packKernelNames(names)));
  }
  socket.send(JSON.stringify({ t: 'ready' }));
}
