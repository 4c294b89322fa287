import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { encodeNamesFrame, packKernelNames } from '../../protocol/catalogue.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { issueTestAuthority, issueTestLeaf } from '../testing/certificates.ts';
import { BUILD_NEW, buildFrame, kernelNames, nodes } from '../testing/kernels.ts';
import { followCatalogue } from './catalogue-subscriber.ts';
import { createFleetMemory, type FleetMemory } from './fleet-memory.ts';
import { messageBytes } from './message-bytes.ts';

const authority = await issueTestAuthority();
let clock: FakeClock;
let metrics: Metrics;
let memory: FleetMemory;
let stopper: AbortController;
let server: Server;
let sockets: WebSocketServer;
let tokenFile: string;
let folder: string;
let subscriptions: unknown[];
let onSubscribe: (socket: WebSocket) => void;
let following: Promise<void>;

beforeEach(async () => {
  clock = createFakeClock();
  metrics = createMetrics();
  memory = createFleetMemory(clock);
  stopper = new AbortController();
  folder = await mkdtemp(join(tmpdir(), 'palisade-subscriber-'));
  tokenFile = join(folder, 'token');
  await writeFile(tokenFile, 'a-token\n');
  subscriptions = [];
  onSubscribe = () => {};
  following = Promise.resolve();
});

afterEach(async () => {
  stopper.abort();
  await following;
  for (const socket of sockets.clients) {
    socket.terminate();
  }
  await new Promise((resolve) => void server.close(resolve));
  await rm(folder, { recursive: true });
});

async function start(certificateName = 'palisade-hub.palisade-system.svc'): Promise<void> {
  const material = await issueTestLeaf(authority, certificateName);
  server = createServer({ cert: material.certificatePem, key: material.privateKeyPem });
  sockets = new WebSocketServer({ server, path: '/catalogue' });
  sockets.on('connection', (socket, request) => {
    socket.once('message', (data) => {
      subscriptions.push({ authorization: request.headers.authorization, ...JSON.parse(messageBytes(data).toString('utf8')) });
      onSubscribe(socket);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const options = {
    hubUrl: new URL(`https://127.0.0.1:${port}`),
    readAuthority: async () => authority.certificatePem,
    tokenFile,
    memory,
    clock,
    log: silentLog,
    metrics,
    random: () => 0,
  };
  following = followCatalogue(options, stopper.signal);
}

const ends = async (cause: string): Promise<boolean> =>
  (await metrics.text()).includes(`catalogue_connection_ends_total{cause="${cause}"}`);

test('the webhook presents its token and what it holds, and learns what the hub knows', async () => {
  onSubscribe = (socket) => {
    socket.send(JSON.stringify({ t: 'welcome', protocol: 1 }));
    socket.send(JSON.stringify(buildFrame(BUILD_NEW)));
    socket.send(encodeNamesFrame(BUILD_NEW, packKernelNames(kernelNames())));
    socket.send(JSON.stringify({ t: 'nodes', full: true, put: nodes('n', 3) }));
    socket.send(JSON.stringify({ t: 'ready' }));
  };
  await start();
  await expect.poll(() => memory.view()?.nodes.size).toBe(3);
  expect(subscriptions[0]).toEqual({ authorization: 'Bearer a-token', t: 'subscribe', protocol: { min: 1, max: 1 }, have: [] });
  expect(memory.view()?.builds.get(BUILD_NEW)?.names?.functions.has('tcp_connect')).toBe(true);
});

test('a frame that makes no sense ends the connection, is counted, and what was known stays', async () => {
  memory.apply({ t: 'nodes', full: true, put: nodes('n', 1) });
  memory.apply({ t: 'ready' });
  onSubscribe = (socket) => socket.send('{"t":"gossip"}');
  await start();
  await expect.poll(() => ends('malformed')).toBe(true);
  expect(memory.view()?.nodes.size).toBe(1);
});

test('a hub that says nothing for a minute is dialled again', async () => {
  await start();
  await expect.poll(() => subscriptions.length).toBe(1);
  await clock.advance(60_000);
  await expect.poll(() => ends('silent')).toBe(true);
  await clock.advance(60_000);
  await expect.poll(() => subscriptions.length).toBe(2);
});

test('a server with another name in its certificate is no hub', async () => {
  await start('stranger.example');
  await expect.poll(() => ends('refused')).toBe(true);
  expect(subscriptions).toEqual([]);
});

test('a missing token is said and waited for', async () => {
  await rm(tokenFile);
  await start();
  await expect.poll(() => ends('credentials')).toBe(true);
  await writeFile(tokenFile, 'late');
  await clock.advance(60_000);
  await expect.poll(() => subscriptions.length).toBe(1);
});
