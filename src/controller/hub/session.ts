import { PLAN_FORMAT } from '../../policy/plan.ts';
import { type AgentFrame, HUB_CLOSE, HUB_LIMITS, HUB_PROTOCOL_VERSION, type Hello, type HubFrame } from '../../protocol/hub-frames.ts';
import type { Timer } from '../../telemetry/clock.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import type { PodDelta } from '../fleet/pod-index.ts';
import { readCatalogue, readFrame, refusalOf } from './agent-frames.ts';
import type { AgentIdentity } from './identity.ts';
import { createOutbox, type OutboxSocket } from './outbox.ts';
import { createPodOutbox } from './pod-outbox.ts';
import type { SessionHost } from './session-host.ts';

export type SessionSocket = OutboxSocket & {
  close(code: number, reason: string): void;
  ping(): void;
};

/**
 * One agent's connection. States: greeting (waits for hello, 10 s) → live → closed. What is due is not queued but remembered as a fact
 * ("the set changed"), so a slow agent gets the newest state and never a backlog.
 */
export type Session = {
  readonly identity: AgentIdentity;
  readonly isLive: boolean;
  receiveText(data: string, bytes: number): void;
  receiveBinary(data: Buffer): void;
  pong(): void;
  /** The node's desired set may be another one now. */
  desiredChanged(): void;
  podChanged(delta: PodDelta): void;
  teardown(): void;
  goaway(afterMs: number): void;
  /** A catalogue frame, larger than other frames, may come once. */
  readonly mayUpload: boolean;
  close(code: number, reason: string): void;
  /** The socket is gone. */
  ended(): void;
};

const GREETING_MS = 10_000;
const PLAN_RETRY_MS = 20;
const RATE_WINDOW_MS = 1_000;
/** Between two desired sets; the first goes at once. 300 policies that are created together must not be 300 rounds of every agent. */
const DESIRED_GAP_MS = 200;

export function createSession(identity: AgentIdentity, socket: SessionSocket, host: SessionHost): Session {
  const { clock, metrics, timing } = host;
  const log = host.log.with({ node: identity.node });
  const pods = createPodOutbox();
  const timers = new Map<string, Timer>();
  let state: 'greeting' | 'live' | 'closed' = 'greeting';
  let control: HubFrame[] = [];
  let plans: string[] = [];
  /** Plans that the agent may ask for as fast as it likes: those of the set it was told. */
  let planCredit = 0;
  /** The set the agent was told last; null: it must be told a whole one. */
  let told: DesiredSet | null = null;
  let isDesiredDue = false;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let arePodsDue = false;
  let mayUpload: string | null = null;
  let awaitsPong = 0;
  let windowStartMs = clock.monotonicMs();
  let framesInWindow = 0;
  let explainedSet: string | null = null;
  let heldSlots = 0;

  const setTimer = (name: string, delayMs: number, callback: () => void): void => {
    timers.get(name)?.cancel();
    timers.set(name, clock.setTimer(delayMs, callback));
  };
  const close = (code: number, reason: string, label: string): void => {
    if (state === 'closed') {
      return;
    }
    metrics.closed.inc({ reason: label });
    const fields = { code, reason, label };
    if (label === 'asked') {
      log.debug('Closed the connection of an agent', fields);
    } else {
      log.warn('Closed the connection of an agent', fields);
    }
    stop();
    socket.close(code, reason.slice(0, 120));
  };
  const releaseSlots = (): void => {
    for (; heldSlots > 0; heldSlots -= 1) {
      host.releasePlanSlot();
    }
  };
  const stop = (): void => {
    state = 'closed';
    outbox.stop();
    releaseSlots();
    for (const timer of timers.values()) {
      timer.cancel();
    }
    timers.clear();
  };
  const sendControl = (frame: HubFrame): void => {
    control.push(frame);
    outbox.pump();
  };

  const next = (): string | Buffer | undefined => {
    const frame = control.shift();
    if (frame !== undefined) {
      return encode(frame);
    }
    if (state !== 'live') {
      return undefined;
    }
    return nextPods() ?? nextDesired() ?? nextPlan();
  };
  const nextPods = (): string | undefined => {
    const { sinceMs } = pods;
    const nowMs = clock.monotonicMs();
    if (!pods.isFullDue && !arePodsDue) {
      return undefined;
    }
    const frame = pods.take(() => host.podsOf(identity.node), nowMs);
    arePodsDue = pods.sinceMs !== null;
    if (sinceMs !== null) {
      metrics.podSeconds.observe({}, (nowMs - sinceMs) / 1_000);
    }
    return encode(frame);
  };
  const nextDesired = (): string | Buffer | undefined => {
    if (!isDesiredDue) {
      return undefined;
    }
    const waitMs = toldAtMs + DESIRED_GAP_MS - clock.monotonicMs();
    if (waitMs > 0) {
      setTimer('desired', waitMs, () => outbox.pump());
      return undefined;
    }
    isDesiredDue = false;
    toldAtMs = clock.monotonicMs();
    const set = host.desiredOf(identity.node);
    const data = host.frames.desired(host.epoch, told, set);
    told = set;
    planCredit = set.entries.size;
    metrics.frames.inc({ type: 'desired', direction: 'out' });
    return data;
  };
  const nextPlan = (): Buffer | string | undefined => {
    const digest = plans[0];
    if (digest === undefined) {
      return undefined;
    }
    const plan = host.frames.plan(digest);
    if (plan !== undefined && !host.takePlanSlot()) {
      setTimer('plan', PLAN_RETRY_MS, () => outbox.pump());
      return undefined;
    }
    plans = plans.slice(1);
    if (plan === undefined) {
      return encode({ t: 'missing', digests: [digest] });
    }
    heldSlots += 1;
    setTimer('slots', PLAN_RETRY_MS, releaseSlots);
    metrics.frames.inc({ type: 'plan', direction: 'out' });
    return plan;
  };
  const encode = (frame: HubFrame): string => {
    metrics.frames.inc({ type: frame.t, direction: 'out' });
    return JSON.stringify(frame);
  };

  const outbox = createOutbox({
    socket,
    budget: host.budget,
    clock,
    slowMs: timing.slowAgentMs,
    next,
    onSent: (data) => metrics.bytes.inc({ direction: 'out' }, data.length),
    onSlow: (why) => {
      metrics.slowClosed.inc({});
      close(HUB_CLOSE.slow, why, 'slow');
    },
  });

  const ping = (): void => {
    if (awaitsPong >= 2) {
      close(HUB_CLOSE.slow, 'no answer to two pings', 'silent');
      return;
    }
    awaitsPong += 1;
    socket.ping();
    setTimer('ping', timing.heartbeatMs * (0.8 + 0.4 * host.random()), ping);
  };

  const greet = (hello: Hello): void => {
    const refusal = refusalOf(hello, identity);
    if (refusal !== null) {
      close(refusal.code, refusal.reason, refusal.label);
      return;
    }
    timers.get('greeting')?.cancel();
    state = 'live';
    const want = host.greeted(identity.node, hello);
    mayUpload = want === 'catalogue' ? hello.kernel.build : null;
    told = hello.set === null ? null : (host.findSet(hello.set) ?? null);
    isDesiredDue = true;
    pods.reset();
    control = [
      {
        t: 'welcome',
        protocol: HUB_PROTOCOL_VERSION,
        epoch: host.epoch,
        planFormat: PLAN_FORMAT,
        heartbeatMs: timing.heartbeatMs,
        reportJitterMs: timing.reportJitterMs,
        activityMs: timing.activityPeriodMs,
        ...(want === undefined ? {} : { want }),
      },
      ...(host.isTearingDown() ? [{ t: 'teardown' as const, epoch: host.epoch }] : []),
    ];
    outbox.pump();
    ping();
  };

  const handle = (frame: AgentFrame): void => {
    if (state === 'greeting') {
      if (frame.t === 'hello') {
        greet(frame);
      } else {
        close(HUB_CLOSE.malformed, `"${frame.t}" before hello`, 'malformed');
      }
      return;
    }
    switch (frame.t) {
      case 'hello':
        close(HUB_CLOSE.malformed, 'a second hello', 'malformed');
        return;
      case 'get':
        if (plans.length + frame.digests.length > HUB_LIMITS.maxOpenGets) {
          close(HUB_CLOSE.malformed, `more than ${HUB_LIMITS.maxOpenGets} open gets`, 'malformed');
          return;
        }
        plans.push(...frame.digests);
        // An agent that starts cold asks hundreds of times, as fast as it is answered. What it asks for again counts as any frame.
        planCredit -= frame.digests.length;
        framesInWindow -= planCredit >= 0 ? 1 : 0;
        outbox.pump();
        return;
      case 'report': {
        const set = told?.digest === frame.set ? told : host.findSet(frame.set);
        if (set === undefined) {
          metrics.unknownSets.inc({});
        } else if (!host.reported(identity.node, frame, set) && explainedSet !== frame.set) {
          explainedSet = frame.set;
          metrics.unpredicted.inc({});
          sendControl({ t: 'explain' });
        }
        return;
      }
      case 'activity':
        host.activity(identity.node, frame);
        return;
      case 'health':
        host.health(identity.node, frame);
        return;
      case 'catalogue':
        host.catalogueNotice(identity.node, frame);
        return;
      case 'torndown':
        host.tornDown(identity.node, frame);
        return;
    }
  };

  /** False: too many. */
  const countFrame = (bytes: number): boolean => {
    metrics.bytes.inc({ direction: 'in' }, bytes);
    const nowMs = clock.monotonicMs();
    if (nowMs - windowStartMs >= RATE_WINDOW_MS) {
      windowStartMs = nowMs;
      framesInWindow = 0;
    }
    framesInWindow += 1;
    if (framesInWindow > HUB_LIMITS.maxFramesPerSecond) {
      close(HUB_CLOSE.malformed, `more than ${HUB_LIMITS.maxFramesPerSecond} frames within a second`, 'rate');
      return false;
    }
    return true;
  };

  setTimer('greeting', GREETING_MS, () => close(HUB_CLOSE.malformed, 'no hello', 'malformed'));

  return {
    identity,
    get isLive() {
      return state === 'live';
    },
    get mayUpload() {
      return mayUpload !== null;
    },
    receiveText: (data, bytes) => {
      if (state === 'closed' || !countFrame(bytes)) {
        return;
      }
      const maxBytes = state === 'greeting' ? HUB_LIMITS.maxHelloBytes : HUB_LIMITS.maxAgentFrameBytes;
      const frame = bytes > maxBytes ? `a frame of ${bytes} bytes; ${maxBytes} are allowed` : readFrame(data);
      if (typeof frame === 'string') {
        close(HUB_CLOSE.malformed, frame, 'malformed');
        return;
      }
      metrics.frames.inc({ type: frame.t, direction: 'in' });
      handle(frame);
    },
    receiveBinary: (data) => {
      if (state === 'closed' || !countFrame(data.byteLength)) {
        return;
      }
      const build = mayUpload;
      mayUpload = null;
      const text = build === null ? null : readCatalogue(data, build);
      if (build === null || text === null) {
        close(HUB_CLOSE.malformed, 'a binary frame that was not asked for, or is no catalogue', 'malformed');
        return;
      }
      metrics.frames.inc({ type: 'catalogue-names', direction: 'in' });
      host.catalogue(identity.node, build, text);
    },
    pong: () => {
      awaitsPong = 0;
    },
    desiredChanged: () => {
      isDesiredDue = true;
      outbox.pump();
    },
    podChanged: (delta) => {
      pods.add(delta, clock.monotonicMs());
      if (pods.sinceMs !== null && !timers.has('pods')) {
        setTimer('pods', timing.podCoalesceMs, () => {
          timers.delete('pods');
          arePodsDue = pods.sinceMs !== null;
          outbox.pump();
        });
      }
    },
    teardown: () => {
      if (state === 'live') {
        sendControl({ t: 'teardown', epoch: host.epoch });
      }
    },
    goaway: (afterMs) => {
      if (state === 'live') {
        sendControl({ t: 'goaway', afterMs });
      }
    },
    close: (code, reason) => close(code, reason, 'asked'),
    ended: () => {
      if (state !== 'closed') {
        stop();
      }
    },
  };
}
