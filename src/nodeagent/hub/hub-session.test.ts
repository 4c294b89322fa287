import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { digestOfPlanText } from '../../policy/digest.ts';
import { decodeHubBinary, encodeDesiredFrame, encodePlanFrame } from '../../protocol/hub-binary.ts';
import { agentFrameSchema, type AgentFrame, type Entry, type HubFrame, type Welcome } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { systemClock } from '../../telemetry/clock.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { UNKNOWN_SET, type DesiredSet } from './desired-set.ts';
import { serveConnection, type HubLinkOptions } from './hub-link.ts';
import { HubSession, type SessionPort } from './hub-session.ts';

const PLAN = '{"format":1}';
const DIGEST = digestOfPlanText(PLAN);
const entry: Entry = { uid: 'u1', kind: 'TracingPolicy', namespace: null, name: 'p', generation: 1, digest: DIGEST, mode: 'enforce' };
const welcome: Welcome = { t: 'welcome', protocol: 1, epoch: 4, planFormat: 1, heartbeatMs: 60_000, reportJitterMs: 0, activityMs: 1000 };
const desired = { t: 'desired' as const, epoch: 4, base: null, set: setDigest([entry]), upsert: [entry], remove: [] };

function fakePort() {
  const state = { set: UNKNOWN_SET, epoch: 0, plans: new Map<string, string>(), settled: 0, pods: 0, tornDown: 0 };
  const port: SessionPort = {
    self: () => ({
      node: 'n1',
      agent: '0.1.0',
      boot: 'b',
      kernel: { release: '6.12', version: '#1', arch: 'x86_64', build: 'a'.repeat(64), lsm: ['bpf'], preempt: 'full' },
      facts: { btf: true },
    }),
    held: () => ({ set: state.set, epoch: state.epoch }),
    hasPlan: (digest) => state.plans.has(digest),
    adopt: (set: DesiredSet, epoch) => {
      state.set = set;
      state.epoch = epoch;
      return Promise.resolve();
    },
    storePlan: (digest, text) => Promise.resolve(void state.plans.set(digest, text)),
    plansSettled: () => {
      state.settled += 1;
    },
    podsChanged: () => Promise.resolve(void (state.pods += 1)),
    report: () => (state.set.digest === null ? null : { set: state.set.digest, applied: true, bound: 'b'.repeat(64), rows: [] }),
    health: () => ({ loader: 'ok', unprotectedStarts: 0 }),
    catalogue: () => Promise.resolve('{"functions":[]}'),
    teardown: () => Promise.resolve(void (state.tornDown += 1)).then(() => ['left']),
  };
  return { state, port };
}

describe('The agent at the hub', () => {
  let server: WebSocketServer;
  let stopper = new AbortController();
  let hub: WebSocket;
  let fake: ReturnType<typeof fakePort>;
  let session: HubSession;
  let clock: FakeClock;
  let ended: Promise<{ code: number; reason: string }>;
  const frames: AgentFrame[] = [];
  const binaries: Buffer[] = [];

  beforeEach(async () => {
    frames.length = 0;
    binaries.length = 0;
    stopper = new AbortController();
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(socket, 'open');
    hub = await accepted;
    hub.on('message', (data: Buffer, isBinary) => {
      if (isBinary) binaries.push(data);
      else frames.push(agentFrameSchema.parse(JSON.parse(data.toString())));
    });
    fake = fakePort();
    clock = createFakeClock();
    session = new HubSession({ port: fake.port, clock, log: silentLog });
    const options: HubLinkOptions = {
      address: { url: '', caFile: '', tokenFile: '', handshakeTimeoutMs: 1000 },
      redial: { baseMs: 1, maxMs: 1 },
      missedHeartbeats: 3,
      handler: session,
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics(),
      signal: stopper.signal,
      random: () => 0,
    };
    ended = serveConnection(socket, options, () => {});
  });
  afterEach(async () => {
    stopper.abort();
    hub.terminate();
    await ended;
    server.close();
  });

  const say = (frame: HubFrame): void => hub.send(JSON.stringify(frame));
  const until = async <Found>(find: () => Found | undefined): Promise<Found> => {
    for (let turn = 0; turn < 500; turn += 1) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`not seen; frames: ${frames.map(({ t }) => t).join(' ')}`);
  };
  const frame = <T extends AgentFrame['t']>(t: T): Promise<Extract<AgentFrame, { t: T }>> =>
    until(() => frames.find((one): one is Extract<AgentFrame, { t: T }> => one.t === t));

  test('says who it is, takes pods and the set, pulls the plan it lacks, and reports', async () => {
    expect(await frame('hello')).toMatchObject({ node: 'n1', set: null, epochSeen: 0, planFormats: [1] });
    say(welcome);
    say({ t: 'pods', full: true, put: [], gone: [] });
    hub.send(encodeDesiredFrame(JSON.stringify(desired)));
    expect(await frame('get')).toEqual({ t: 'get', digests: [DIGEST] });
    hub.send(encodePlanFrame(1, DIGEST, PLAN));
    await until(() => (fake.state.settled > 0 ? true : undefined));
    expect(fake.state.plans.get(DIGEST)).toBe(PLAN);
    expect(fake.state).toMatchObject({ epoch: 4, pods: 1, set: { digest: desired.set } });
    session.sendReport();
    expect(await frame('report')).toMatchObject({ seq: 1, set: desired.set, state: 'applied', exceptions: [] });
  });

  test('sends the names of its kernel when they are wanted, but policies come first', async () => {
    say({ ...welcome, want: 'catalogue' });
    say(desired);
    expect(await frame('get')).toEqual({ t: 'get', digests: [DIGEST] });
    session.sendReport();
    await frame('report');
    expect(frames.some(({ t }) => t === 'catalogue')).toBe(false);
    hub.send(encodePlanFrame(1, DIGEST, PLAN));
    await until(() => (fake.state.settled > 0 ? true : undefined));
    session.sendReport();
    expect(await frame('catalogue')).toMatchObject({ build: 'a'.repeat(64) });
    const bytes = await until(() => binaries[0]);
    expect(decodeHubBinary(bytes)).toMatchObject({ kind: 'catalogue', text: '{"functions":[]}' });
    session.sendReport();
    await until(() => (frames.filter(({ t }) => t === 'report').length === 3 ? true : undefined));
    expect(frames.filter(({ t }) => t === 'catalogue')).toHaveLength(1);
  });

  test('does not believe a set that builds on another one: it lets go and asks for all', async () => {
    say(welcome);
    say({ ...desired, base: 'c'.repeat(64) });
    expect((await ended).code).toBe(1008);
    expect(fake.state.set.digest).toBeNull();
  });

  test('turns away from a leader that is older than one it has obeyed, and does nothing that it says', async () => {
    fake.state.epoch = 9;
    say(welcome);
    say(desired);
    say({ t: 'teardown', epoch: 4 });
    expect((await ended).code).toBe(1001);
    expect(fake.state).toMatchObject({ epoch: 9, tornDown: 0, set: { digest: null } });
    expect(session.isConnected).toBe(false);
  });

  test('obeys an older leader when there has been no other for a minute: after a restore it may be all there is', async () => {
    fake.state.epoch = 9;
    await clock.advance(60_000);
    say(welcome);
    say(desired);
    await until(() => (fake.state.set.digest === null ? undefined : true));
    expect(fake.state.epoch).toBe(4);
  });

  test('turns away from an older leader right after it lost the newer one, however long that had been there', async () => {
    const closed: string[] = [];
    const sender = {
      send: () => {},
      sendText: () => {},
      sendBinary: () => {},
      close: (_code: number, reason: string) => void closed.push(reason),
    };
    session.welcome({ ...welcome, epoch: 9 }, sender);
    await session.frame({ ...desired, epoch: 9 }, sender);
    await clock.advance(3_600_000);
    session.disconnected();
    session.welcome(welcome, sender);
    expect(closed).toEqual(['epoch 4 is over, 9 was seen']);
    session.disconnected();
    await clock.advance(60_000);
    session.welcome(welcome, sender);
    expect(closed).toHaveLength(1);
    expect(session.isConnected).toBe(true);
  });

  test('closes on a plan that it did not ask for, and on a frame that is none', async () => {
    say(welcome);
    hub.send(encodePlanFrame(1, DIGEST, PLAN));
    expect((await ended).code).toBe(1008);
    expect(fake.state.plans.size).toBe(0);
  });

  test('closes on a frame before welcome', async () => {
    say({ t: 'pods', put: [], gone: [] });
    expect((await ended).code).toBe(1008);
  });

  test('tears down when it is told to, and says what is left', async () => {
    say(welcome);
    say({ t: 'teardown', epoch: 4 });
    expect(await frame('torndown')).toEqual({ t: 'torndown', left: ['left'] });
    expect(fake.state.tornDown).toBe(1);
  });
});
