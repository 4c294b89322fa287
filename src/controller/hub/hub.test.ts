import { request } from 'node:https';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import { eventually } from '../../kube/testing/eventually.ts';
import { decodeNamesFrame } from '../../protocol/catalogue.ts';
import type { Row } from '../../protocol/hub-frames.ts';
import { EMPTY_SET_DIGEST } from '../../protocol/set-digest.ts';
import { compiledPolicy, type HubHarness, podItem, startHubHarness, tokenOf } from '../testing/hub-harness.ts';
import { fakeHello } from '../testing/fake-agent.ts';
import type { Timing } from '../timing.ts';

// Real sockets on a machine that may be busy with emulated ones.
vi.setConfig({ testTimeout: 30_000 });

const harnesses: HubHarness[] = [];

async function start(timing: Partial<Timing> = {}): Promise<HubHarness> {
  const harness = await startHubHarness(timing);
  harnesses.push(harness);
  return harness;
}

afterEach(() => {
  for (const harness of harnesses.splice(0)) {
    harness.stop();
  }
});

const shadow = compiledPolicy('/etc/shadow');
const passwd = compiledPolicy('/etc/passwd');

describe('what an agent is told', () => {
  test('pods come first, then the set, and plans when they are asked for', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.assign('p1', shadow);
    hub.pods.apply({ type: 'added', key: 'default/web', item: podItem('web', 'a') });
    const agent = await hub.dial('a');
    await eventually('plan', () => agent.plans.size === 1);
    expect(agent.received.map((frame) => frame.t)).toEqual(['welcome', 'pods', 'desired', 'plan']);
    expect(agent.pods.has('uid-web')).toBe(true);
    await eventually('report', () => hub.fleet.get('a')?.hasReported === true);
  });

  test('an agent that holds a known set gets the difference only', async () => {
    const hub = await start();
    hub.addNode('a');
    const entry = hub.assign('p1', shadow);
    hub.assign('p2', passwd);
    hub.assign('p2', passwd, 2);
    hub.desired.assign('p2', null);
    hub.assign('p3', passwd);
    const agent = await hub.dial('a', { entries: [entry] });
    await eventually('desired', () => agent.received.some((frame) => frame.t === 'desired'));
    expect(agent.received.find((frame) => frame.t === 'desired')).toMatchObject({ upsert: [{ uid: 'p3' }], remove: [] });
  });

  test('an agent that holds an unknown set gets all of it', async () => {
    const hub = await start();
    hub.addNode('a');
    const entry = hub.assign('p1', shadow);
    const agent = await hub.dial('a', { entries: [{ ...entry, uid: 'gone' }] });
    await eventually('desired', () => agent.received.some((frame) => frame.t === 'desired'));
    expect(agent.received.find((frame) => frame.t === 'desired')).toMatchObject({ base: null, upsert: [{ uid: 'p1' }] });
    expect([...agent.entries.keys()]).toEqual(['p1']);
  });

  test('changes reach the node as they happen, and deletions too', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    hub.assign('p1', shadow);
    await eventually('p1', () => agent.entries.has('p1'));
    hub.assign('p1', passwd, 2);
    await eventually('the new plan', () => agent.plans.has(passwd.digest));
    hub.desired.assign('p1', null);
    await eventually('removal', () => agent.entries.size === 0);
    await eventually('report of the empty set', () => hub.fleet.get('a')?.report?.held.digest === EMPTY_SET_DIGEST);
  });

  test('a policy with a nodeSelector goes to the nodes that fit, and follows their labels', async () => {
    const hub = await start();
    hub.addNode('a', { pool: 'gpu' });
    hub.addNode('b', { pool: 'cpu' });
    const [a, b] = [await hub.dial('a'), await hub.dial('b')];
    hub.assign('p1', shadow, 1, { matchLabels: {}, matchExpressions: [{ key: 'pool', operator: 'NotIn', values: ['cpu'] }] });
    await eventually('a has it', () => a.entries.has('p1'));
    expect(b.entries.size).toBe(0);
    hub.desired.putNode('b', { pool: 'gpu' });
    await eventually('b has it', () => b.entries.has('p1'));
    hub.desired.putNode('a', { pool: 'cpu' });
    await eventually('a lost it', () => a.entries.size === 0);
  });

  test('a large set travels packed', async () => {
    const hub = await start();
    hub.addNode('a');
    for (let at = 0; at < 100; at += 1) {
      hub.assign(`p${at}`, shadow);
    }
    const agent = await hub.dial('a');
    await eventually('all entries', () => agent.entries.size === 100);
    await eventually('the one plan', () => agent.plans.size === 1);
  });

  test('a plan that is not there any more is said to be missing', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
    agent.send({ t: 'get', digests: ['00'.repeat(32)] });
    await eventually('missing', () => agent.received.some((frame) => frame.t === 'missing'));
  });
});

describe('pods', () => {
  test('changes of a moment are told together, and a pod that ended is gone', async () => {
    const hub = await start({ podCoalesceMs: 50 });
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('full', () => agent.received.some((frame) => frame.t === 'pods'));
    const send = (...changes: Parameters<typeof hub.pods.apply>[0][]): void => {
      for (const delta of changes.flatMap((change) => hub.pods.apply(change))) {
        hub.hub.podChanged(delta);
      }
    };
    const [web, db] = [podItem('web', 'a'), podItem('db', 'a')];
    send({ type: 'added', key: 'default/web', item: web }, { type: 'added', key: 'default/db', item: db });
    send({ type: 'updated', key: 'default/web', item: { ...web, hub: { ...web.hub, labels: { a: 'b' } } }, previous: web });
    await eventually('both', () => agent.pods.size === 2);
    expect(agent.pods.get('uid-web')?.labels).toEqual({ a: 'b' });
    expect(agent.received.filter((frame) => frame.t === 'pods')).toHaveLength(2);
    send({ type: 'updated', key: 'default/db', item: { ...db, isTerminal: true }, previous: db });
    await eventually('one', () => agent.pods.size === 1);
  });

  test('an update that changes nothing an agent needs sends nothing', async () => {
    const hub = await start();
    const web = podItem('web', 'a');
    hub.pods.apply({ type: 'added', key: 'default/web', item: web });
    expect(hub.pods.apply({ type: 'updated', key: 'default/web', item: podItem('web', 'a'), previous: web })).toEqual([]);
  });
});

describe('what a node says', () => {
  const failedRow = (uid: string): Row => ({
    uid,
    generation: 1,
    runs: null,
    mode: 'off',
    state: 'failed',
    reason: 'FunctionNotFound',
    hook: 'kprobe:foo',
  });

  test('a row is kept with the report, and what has none is loaded', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.assign('p1', shadow);
    hub.assign('p2', passwd);
    await hub.dial('a', { rowOf: (entry) => (entry.uid === 'p1' ? failedRow('p1') : undefined) });
    await eventually('report', () => hub.fleet.get('a')?.hasReported === true);
    const report = hub.fleet.get('a')?.report;
    expect([...(report?.rows.keys() ?? [])]).toEqual(['p1']);
    expect(report?.applied?.entries.has('p2')).toBe(true);
  });

  test('attach methods that were not predicted make the hub ask', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.assign('p1', shadow);
    const agent = await hub.dial('a');
    await eventually('report', () => hub.fleet.get('a')?.hasReported === true);
    expect(agent.received.some((frame) => frame.t === 'explain')).toBe(false);
    const set = hub.desired.setOf('a').digest;
    agent.send({ t: 'report', seq: 9, set, state: 'applied', bound: '00'.repeat(32), exceptions: [] });
    await eventually('explain', () => agent.received.some((frame) => frame.t === 'explain'));
  });

  test('activity adds up over nodes and windows', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.ledger.open('p1', { since: '2026-01-01T00:00:00Z', events: 10 }, 0);
    const agent = await hub.dial('a');
    await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
    agent.send({
      t: 'activity',
      windowMs: 60_000,
      rows: [
        ['p1', 3, 0, 2, 1, 5],
        ['unknown', 1, 1, 1, 1, 1],
      ],
    });
    await eventually('activity', () => hub.ledger.of('p1')?.events === 13);
    expect(hub.ledger.of('p1')).toMatchObject({ enforced: 2, lost: 1, since: '2026-01-01T00:00:00Z' });
  });

  test('the end of a connection makes the node silent, not gone', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('report', () => hub.fleet.get('a')?.hasReported === true);
    agent.close();
    await eventually('silence', () => hub.fleet.get('a')?.isConnected === false);
    expect(hub.fleet.get('a')?.hasReported).toBe(true);
  });
});

describe('agents that misbehave', () => {
  const cases: readonly [string, (agent: { sendRaw(data: string | Buffer): void; send(frame: object): void }) => void][] = [
    ['that is no JSON', (agent) => agent.sendRaw('{')],
    ['of an unknown kind', (agent) => agent.send({ t: 'dance' })],
    ['that is binary and was not asked for twice', (agent) => [agent.sendRaw(Buffer.from([3])), agent.sendRaw(Buffer.from([3]))]],
    ['that is a second hello', (agent) => agent.send(fakeHello({ node: 'a' }))],
    ['beyond the bound', (agent) => agent.sendRaw(JSON.stringify({ t: 'get', pad: 'x'.repeat(300 * 1024) }))],
  ];
  for (const [what, misbehave] of cases) {
    test(`a frame ${what} closes the connection`, async () => {
      const hub = await start();
      hub.addNode('a');
      const agent = await hub.dial('a');
      await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
      misbehave(agent);
      expect([1006, 1008]).toContain((await agent.closed).code);
      await eventually('silence', () => hub.fleet.get('a')?.isConnected === false);
    });
  }

  test('more than fifty frames within a second close the connection', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    for (let at = 0; at < 300; at += 1) {
      agent.send({ t: 'health', loader: 'ok', unprotectedStarts: 0 });
    }
    await expect(agent.closed).resolves.toMatchObject({ code: 1008 });
  });

  test('plans are asked for as fast as they come, but not for ever', async () => {
    const hub = await start();
    hub.addNode('a');
    const digests = Array.from({ length: 120 }, (_, at) => {
      const compiled = compiledPolicy(`/etc/${at}`);
      hub.assign(`p${at}`, compiled);
      return compiled.digest;
    });
    const agent = await hub.dial('a');
    await eventually('all plans', () => agent.plans.size === 120);
    for (let at = 0; at < 300; at += 1) {
      agent.send({ t: 'get', digests: digests.slice(at % 100, (at % 100) + 1) });
    }
    await expect(agent.closed).resolves.toMatchObject({ code: 1008, reason: 'more than 50 frames within a second' });
  });

  test('a hello whose kernel build is not the digest of its facts is refused', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    const closed = agent.closed;
    await hub.dial('a');
    await closed;
    const socket = new WebSocket(`${hub.url}/hub`, dialOptions(hub, tokenOf('palisade-agent', { node: 'a', pod: 'agent-a' })));
    const hello = fakeHello({ node: 'a' });
    const end = new Promise((resolve) => void socket.on('close', (code) => resolve(code)));
    socket.on('open', () => socket.send(JSON.stringify({ ...hello, facts: { ...hello.facts, btf: false } })));
    await expect(end).resolves.toBe(1008);
  });

  test('an agent that does not answer pings is cut off', async () => {
    const hub = await start({ heartbeatMs: 50 });
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
    agent.pause();
    await eventually('silence', () => hub.fleet.get('a')?.isConnected === false);
  });
});

describe('the end', () => {
  test('teardown empties every set, reaches agents that come later, and shows who confirmed', async () => {
    const hub = await start();
    hub.addNode('a');
    hub.addNode('b');
    hub.assign('p1', shadow);
    const a = await hub.dial('a');
    await eventually('p1', () => a.entries.has('p1'));
    expect(await call(hub, 'POST', '/v1/teardown', tokenOf('me'))).toMatchObject({ status: 200, body: { started: true } });
    await eventually('a is empty', () => a.entries.size === 0 && a.received.some((frame) => frame.t === 'teardown'));
    const b = await hub.dial('b');
    await eventually('b is told', () => b.received.some((frame) => frame.t === 'teardown'));
    expect(b.entries.size).toBe(0);
    await eventuallyAsync('both confirmed', async () => {
      const { body } = await call(hub, 'GET', '/v1/teardown', tokenOf('me'));
      return JSON.stringify(body).split('"done"').length === 3;
    });
  });

  test('only who may delete policies may tear down', async () => {
    const hub = await start();
    hub.allowedVerbs.delete('delete');
    expect(await call(hub, 'POST', '/v1/teardown', tokenOf('me'))).toMatchObject({ status: 403, body: { code: 'Forbidden' } });
    expect(await call(hub, 'POST', '/v1/teardown', undefined)).toMatchObject({ status: 401 });
    expect(await call(hub, 'GET', '/v1/policies', tokenOf('me'))).toMatchObject({ status: 200, body: { policies: [] } });
    expect(await call(hub, 'GET', '/v1/secrets', tokenOf('me'))).toMatchObject({ status: 404 });
  });

  test('a controller that stops sends its agents away', async () => {
    const hub = await start();
    hub.addNode('a');
    const agent = await hub.dial('a');
    await eventually('welcome', () => agent.received.some((frame) => frame.t === 'welcome'));
    hub.hub.drain(1_000);
    await eventually('goaway', () => agent.received.some((frame) => frame.t === 'goaway'));
    hub.hub.closeAll('stop');
    await expect(agent.closed).resolves.toMatchObject({ code: 1001 });
  });
});

describe('the fleet catalogue', () => {
  test('webhooks hear of kernels, names and nodes, and of what changes', async () => {
    const hub = await start();
    hub.addNode('a', { pool: 'x' });
    await hub.dial('a');
    await eventually('names', () => [...hub.catalogue.builds()].some((build) => hub.catalogue.packedNames(build.build) !== null));
    const frames: { t: string }[] = [];
    const names: string[] = [];
    const socket = new WebSocket(`${hub.url}/catalogue`, dialOptions(hub, tokenOf('palisade-webhook')));
    socket.on('message', (data, isBinary) => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.alloc(0);
      if (isBinary) {
        names.push(...decodeNamesFrame(bytes).names.functions);
      } else {
        frames.push(JSON.parse(bytes.toString('utf8')));
      }
    });
    socket.on('open', () => socket.send(JSON.stringify({ t: 'subscribe', protocol: { min: 1, max: 1 }, have: [] })));
    await eventually('ready', () => frames.some((frame) => frame.t === 'ready'));
    expect(frames.map((frame) => frame.t)).toEqual(['welcome', 'build', 'nodes', 'ready']);
    expect(frames[2]).toMatchObject({ full: true, put: [{ name: 'a', labels: { pool: 'x' }, silentMs: 0 }] });
    expect(names).toContain('security_file_open');
    hub.addNode('b');
    await hub.dial('b', { release: '6.12.0' });
    await eventually('the second kernel', () => frames.filter((frame) => frame.t === 'build').length === 2);
    socket.close();
  });

  test('the account of agents may not subscribe', async () => {
    const hub = await start();
    hub.addNode('a');
    const socket = new WebSocket(`${hub.url}/catalogue`, dialOptions(hub, tokenOf('palisade-agent', { node: 'a', pod: 'agent-a' })));
    await expect(
      new Promise((resolve) => void socket.on('unexpected-response', (_request, response) => resolve(response.statusCode))),
    ).resolves.toBe(403);
  });
});

function dialOptions(hub: HubHarness, token: string): ClientOptions & { readonly servername: string } {
  return { ca: hub.ca, servername: 'palisade-hub.palisade-system.svc', headers: { authorization: `Bearer ${token}` } };
}

function call(
  hub: HubHarness,
  method: string,
  path: string,
  token: string | undefined,
): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: hub.address.port,
        path,
        method,
        ca: hub.ca,
        servername: 'palisade-hub.palisade-system.svc',
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

async function eventuallyAsync(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) {
      return;
    }
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain for: ${what}`);
}
