import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Hello, HubFrame, Welcome } from '../../protocol/hub-frames.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { redialCauseOf, serveConnection, type HubLinkOptions } from './hub-link.ts';

const hello: Hello = {
  t: 'hello',
  protocol: { min: 1, max: 1 },
  agent: 'test',
  planFormats: [1],
  node: 'a',
  boot: 'b',
  epochSeen: 0,
  set: null,
  kernel: { release: '6.1', version: '', arch: 'x86_64', build: 'ab'.repeat(32), lsm: [], preempt: 'none' },
  facts: {},
};
const welcome: Welcome = { t: 'welcome', protocol: 1, epoch: 0, planFormat: 1, heartbeatMs: 20_000, reportJitterMs: 0, activityMs: 60_000 };

let clock: FakeClock;
let server: WebSocketServer;
let hub: WebSocket;
let stopper: AbortController;
let socket: WebSocket;
let welcomes: number;
let end: ReturnType<typeof serveConnection>;

beforeEach(async () => {
  clock = createFakeClock();
  stopper = new AbortController();
  welcomes = 0;
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => void server.once('listening', resolve));
  const address = server.address();
  const accepted = new Promise<WebSocket>((resolve) => void server.once('connection', resolve));
  socket = new WebSocket(`ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
  await new Promise<void>((resolve) => void socket.once('open', resolve));
  hub = await accepted;
  const said = new Promise<void>((resolve) => void hub.once('message', () => resolve()));
  const options: HubLinkOptions = {
    address: { url: 'wss://unused', caFile: '', tokenFile: '', handshakeTimeoutMs: 15_000 },
    redial: { baseMs: 30_000, maxMs: 300_000 },
    missedHeartbeats: 3,
    handler: {
      hello: () => hello,
      welcome: () => void (welcomes += 1),
      frame: async () => {},
      plan: async () => {},
      disconnected: () => {},
    },
    clock,
    log: silentLog,
    metrics: createMetrics(),
    signal: stopper.signal,
    random: () => 0,
  };
  end = serveConnection(socket, options, () => {});
  await said;
});

afterEach(async () => {
  for (const client of server.clients) client.terminate();
  await end;
  server.close();
});

async function tell(frame: HubFrame): Promise<void> {
  const seen = new Promise<void>((resolve) => void socket.once('message', () => resolve()));
  hub.send(JSON.stringify(frame));
  await seen;
  await clock.advance(0);
}

describe('one connection to the hub', () => {
  test('ends at once when the hub is killed: nobody waits for a missed ping', async () => {
    await tell(welcome);
    hub.terminate();
    expect(await end).toMatchObject({ code: 1006, isSentAway: false });
    expect(clock.monotonicMs()).toBe(0);
    expect(clock.pendingTimers()).toBe(0);
  });

  test('is given up after three heartbeats without a ping, when the end of it got lost on the way', async () => {
    await tell(welcome);
    expect(welcomes).toBe(1);
    await clock.advance(59_000);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    await clock.advance(1_000);
    expect(await end).toMatchObject({ code: 1006, isSentAway: false });
  });

  test('is given up when the hub never says welcome', async () => {
    await clock.advance(15_000);
    expect(await end).toMatchObject({ code: 1006, isSentAway: false });
  });

  test('whose token has expired is opened again at once, with a new one: pods that start meanwhile are not known', () => {
    expect(redialCauseOf({ code: 4003, reason: '', isSentAway: false }, 0)).toEqual({ kind: 'sent-away' });
    expect(redialCauseOf({ code: 1006, reason: '', isSentAway: false }, 3)).toEqual({ kind: 'failed', failures: 3 });
  });

  test('that the hub asked to leave is left when it said, and is known to have been', async () => {
    await tell(welcome);
    await tell({ t: 'goaway', afterMs: 7_000 });
    await clock.advance(6_999);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    await clock.advance(1);
    expect(await end).toMatchObject({ code: 1001, isSentAway: true });
  });
});
