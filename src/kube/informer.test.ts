import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLog, type Log } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../telemetry/testing/fake-clock.ts';
import { createKubeClient } from './client.ts';
import { createInformer, type Informer, type InformerOptions } from './informer.ts';
import { PODS } from './resource-type.ts';
import type { StoreChange } from './store.ts';
import { eventually } from './testing/eventually.ts';
import { startFakeApiServer, type FakeApiServer } from './testing/fake-api-server.ts';
import { createTransport, type KubeTransport } from './transport.ts';

let server: FakeApiServer;
let clock: FakeClock;
let metrics: Metrics;
let transport: KubeTransport;
let stopper: AbortController;
let changes: string[];
let running: Promise<void>;

beforeEach(async () => {
  server = await startFakeApiServer();
  clock = createFakeClock();
  metrics = createMetrics();
  stopper = new AbortController();
  changes = [];
  running = Promise.resolve();
  const access = { url: new URL(server.url), tls: {}, headers: async () => ({}) };
  transport = createTransport({ access, clock, metrics, userAgent: 'test' });
});

afterEach(async () => {
  stopper.abort();
  await running;
  await transport.close();
  await server.close();
});

function start(options: Partial<InformerOptions<string>> = {}): Informer<string> {
  const informer = createInformer<string>({
    client: createKubeClient(transport),
    type: PODS,
    selection: { namespace: null },
    project: (object) => object.metadata.uid,
    clock,
    log: silentLog,
    metrics,
    random: () => 0,
    ...options,
  });
  informer.addHandlers({ onChange: (change) => void changes.push(describeChange(change)) });
  running = informer.run(stopper.signal);
  return informer;
}

function describeChange(change: StoreChange<string>): string {
  return `${change.type} ${change.key} ${change.item}`;
}

const names = (informer: Informer<string>): string[] => [...informer.store.keys()].toSorted();

describe('an informer on a healthy server', () => {
  test('has what was there, and is told what changes', async () => {
    server.putSilently('a');
    const informer = start();
    await informer.waitForSync(stopper.signal);
    expect(names(informer)).toEqual(['default/a']);
    await eventually('a watch', () => server.watches.length === 1);
    server.put('b');
    server.put('a');
    server.remove('b');
    await eventually('four changes', () => changes.length === 4);
    expect(changes).toEqual(['added default/a uid-1', 'added default/b uid-2', 'updated default/a uid-1', 'deleted default/b uid-2']);
  });

  test('lists in pages', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      server.putSilently(name);
    }
    const informer = start({ pageSize: 2 });
    await informer.waitForSync(stopper.signal);
    expect(informer.store.size).toBe(5);
    expect(server.requests.filter((url) => !url.searchParams.has('watch'))).toHaveLength(3);
  });

  test('lists in smaller pages where the objects of one are too large together', async () => {
    for (const name of ['a', 'b', 'c', 'd']) {
      server.putSilently(name, { pad: 'x'.repeat(400) });
    }
    const access = { url: new URL(server.url), tls: {}, headers: async () => ({}) };
    const small = createTransport({ access, clock, metrics: createMetrics(), userAgent: 'test', maxAnswerBytes: 1_000 });
    const informer = start({ client: createKubeClient(small), pageSize: 8 });
    await informer.waitForSync(stopper.signal);
    expect(informer.store.size).toBe(4);
    stopper.abort();
    await running;
    await small.close();
  });

  test('watches again from the last version when the server ends the watch, without listing', async () => {
    const informer = start();
    await informer.waitForSync(stopper.signal);
    await eventually('a watch', () => server.watches.length === 1);
    server.put('a');
    await eventually('the event', () => changes.length === 1);
    server.endWatches();
    await eventually('the pause before the next watch', () => clock.pendingTimers() > 0);
    await clock.advance(60_000);
    await eventually('a second watch', () => server.watches.length === 1);
    expect(server.watches[0]?.resourceVersion).toBe(server.version());
    expect(server.requests.filter((url) => !url.searchParams.has('watch'))).toHaveLength(1);
  });

  test('resumes from a bookmark, not from the last event', async () => {
    start();
    await eventually('a watch', () => server.watches.length === 1);
    server.removeSilently('nothing');
    server.bookmark();
    server.endWatches();
    await reconnect();
    expect(server.watches[0]?.resourceVersion).toBe(server.version());
  });

  test('uses few connections for many calls', async () => {
    const client = createKubeClient(transport);
    for (let call = 0; call < 50; call += 1) {
      await client.list(PODS, { namespace: null });
    }
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});

/** Lets the delay after a failure pass until the watch is there again. */
async function reconnect(): Promise<void> {
  await eventually('a watch', () => {
    void clock.advance(1_000);
    return server.watches.length === 1;
  });
}

describe('an informer survives', () => {
  test('a connection that is reset, and gets what happened meanwhile', async () => {
    const informer = start();
    await eventually('a watch', () => server.watches.length === 1);
    server.resetWatches();
    server.putSilently('missed');
    await reconnect();
    await eventually('the missed object', () => informer.store.has('default/missed'));
  });

  test('a half-open connection, by opening the watch again after a silence', async () => {
    const informer = start({ silenceMs: 150_000 });
    await eventually('a watch', () => server.watches.length === 1);
    const first = server.watches[0];
    await clock.advance(149_000);
    expect(server.watches[0]).toBe(first);
    server.putSilently('missed');
    await clock.advance(1_000);
    await eventually('what the dead connection did not tell', () => informer.store.has('default/missed'));
    expect(server.watches[0]).not.toBe(first);
    expect(await metrics.text()).toContain('reflector_watch_ends_total{resource="pods",reason="silent"} 1');
  });

  test('a kind that never changes, without one line above debug and without listing again', async () => {
    const complaints: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => void complaints.push(message), with: () => log };
    const informer = start({ silenceMs: 150_000, log });
    for (let opened = 2; opened <= 8; opened += 1) {
      await eventually('a watch', () => server.requests.length === opened && server.watches.length === 1);
      expect(informer.silentForMs()).toBe(0);
      await clock.advance(150_000);
    }
    expect(complaints).toEqual([]);
    expect(server.requests.filter((url) => !url.searchParams.has('watch'))).toHaveLength(1);
  });

  test('a server that stays away after a silence, and complains of that', async () => {
    const complaints: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => void complaints.push(message), with: () => log };
    start({ silenceMs: 150_000, log });
    await eventually('a watch', () => server.watches.length === 1);
    server.failNext({ on: 'watch', status: 500 });
    await clock.advance(150_000);
    await eventually('the complaint', () => complaints.length === 1);
    expect(complaints).toEqual(['Lost touch with the API server']);
    await reconnect();
  });

  test('a bookmark counts as a sign of life', async () => {
    start({ silenceMs: 150_000 });
    await eventually('a watch', () => server.watches.length === 1);
    const first = server.watches[0];
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(60_000);
      server.bookmark();
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    expect(server.watches[0]).toBe(first);
  });

  test('410 as an event: it lists again, tells what vanished, and counts it', async () => {
    server.putSilently('old');
    const informer = start();
    await eventually('a watch', () => server.watches.length === 1);
    server.removeSilently('old');
    server.putSilently('new');
    server.say(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`);
    await eventually('the new list', () => {
      void clock.advance(1_000);
      return informer.store.has('default/new');
    });
    expect(changes).toEqual(['added default/old uid-1', 'deleted default/old uid-1', 'added default/new uid-2']);
    expect(await metrics.text()).toContain('reflector_missed_total{resource="pods"} 2');
  });

  test('410 as a status of the watch', async () => {
    server.failNext({ on: 'watch', status: 410 });
    start();
    await reconnect();
    expect(server.requests.filter((url) => !url.searchParams.has('watch'))).toHaveLength(2);
  });

  test('a line that is no event, by listing again', async () => {
    start();
    await eventually('a watch', () => server.watches.length === 1);
    const first = server.watches[0];
    server.say('garbage\n');
    await eventually('the watch to be dropped', () => server.watches[0] !== first);
    await reconnect();
    expect(server.requests.filter((url) => !url.searchParams.has('watch'))).toHaveLength(2);
  });

  test('429, and waits as long as the server asks', async () => {
    server.failNext({ on: 'list', status: 429, headers: { 'retry-after': '7' } });
    const informer = start();
    await eventually('the refusal', () => server.requests.length === 1);
    await eventually('the pause', () => clock.pendingTimers() > 0);
    await clock.advance(6_900);
    expect(server.requests).toHaveLength(1);
    await clock.advance(200);
    await informer.waitForSync(stopper.signal);
  });

  test('401, 403 and 500, one after the other', async () => {
    for (const status of [401, 403, 500]) {
      server.failNext({ on: 'list', status });
      server.failNext({ on: 'watch', status });
    }
    const informer = start();
    await reconnect();
    expect(informer.hasSynced()).toBe(true);
  });

  test('an event that arrives in pieces', async () => {
    const informer = start();
    await eventually('a watch', () => server.watches.length === 1);
    const line = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'ü', namespace: 'default', uid: 'u', resourceVersion: '9' } } })}\n`;
    const bytes = Buffer.from(line);
    const cut = bytes.indexOf(0xc3) + 1;
    server.watches[0]?.response.write(bytes.subarray(0, cut));
    await new Promise((resolve) => void setTimeout(resolve, 20));
    server.watches[0]?.response.write(bytes.subarray(cut));
    await eventually('the object', () => informer.store.has('default/ü'));
  });

  test('a handler that throws: the next one is told nevertheless', async () => {
    server.putSilently('a');
    const informer = createInformer<string>({
      client: createKubeClient(transport),
      type: PODS,
      selection: { namespace: null },
      project: (object) => object.metadata.uid,
      clock,
      log: silentLog,
      metrics,
    });
    informer.addHandlers({
      onChange: () => {
        throw new Error('handler bug');
      },
    });
    informer.addHandlers({ onChange: (change) => void changes.push(change.type) });
    running = informer.run(stopper.signal);
    await informer.waitForSync(stopper.signal);
    expect(changes).toEqual(['added']);
    expect(await metrics.text()).toContain('informer_handler_errors_total{resource="pods"} 1');
  });

  test('an object that its projection cannot read: it is counted and left out', async () => {
    server.putSilently('good');
    server.putSilently('bad');
    const informer = start({
      project: (object) => {
        if (object.metadata.name === 'bad') {
          throw new Error('odd object');
        }
        return object.metadata.uid;
      },
    });
    await informer.waitForSync(stopper.signal);
    expect(names(informer)).toEqual(['default/good']);
    expect(await metrics.text()).toContain('informer_unreadable_objects_total{resource="pods"} 1');
  });
});

describe('an informer ends', () => {
  test('without a watch left at the server, when stopped while it lists', async () => {
    const release = server.holdLists();
    start();
    await eventually('the list', () => server.requests.length === 1);
    stopper.abort();
    release();
    await running;
    await new Promise((resolve) => void setTimeout(resolve, 30));
    expect(server.watches).toHaveLength(0);
  });

  test('at once, when stopped while it watches or waits', async () => {
    start();
    await eventually('a watch', () => server.watches.length === 1);
    stopper.abort();
    await running;
    await eventually('no watch', () => server.watches.length === 0);
    expect(clock.pendingTimers()).toBe(0);
  });
});
