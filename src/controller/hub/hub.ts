import { HUB_CLOSE, type HubKernel } from '../../protocol/hub-frames.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { FleetCatalogue } from '../catalogue/fleet-catalogue.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { SetBook } from '../desired/set-book.ts';
import type { ActivityLedger } from '../fleet/activity-ledger.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { PodDelta, PodIndex } from '../fleet/pod-index.ts';
import type { Timing } from '../timing.ts';
import type { FrameStore } from './frame-store.ts';
import type { HubMetrics } from './hub-metrics.ts';
import type { AgentIdentity } from './identity.ts';
import { createSendBudget } from './outbox.ts';
import type { Predictor } from './prediction.ts';
import { createSession, type Session, type SessionSocket } from './session.ts';
import type { SessionHost } from './session-host.ts';
import type { Teardown } from './teardown.ts';

/** Constant until leases exist: frames of an older leader are told by it. */
export const EPOCH = 0;

/** All agents' connections. Knows what sessions may ask; `hub-server.ts` brings the sockets. */
export type Hub = {
  connect(identity: AgentIdentity, socket: SessionSocket): Session;
  disconnected(session: Session): void;
  sessions(): Iterable<Session>;
  isConnected(node: string): boolean;
  /** The node's desired set is another one now. */
  desiredChanged(node: string): void;
  podChanged(delta: PodDelta): void;
  /** The pod is gone: a connection that it still has is not its own any more. */
  podGone(podUid: string): void;
  /** Bytes that wait for agents to read them. */
  readonly bufferedBytes: number;
  startTeardown(): void;
  /** Sends agents away, spread over some time; resolves at once. */
  drain(spreadMs: number): void;
  closeAll(reason: string): void;
};

export type HubOptions = {
  readonly timing: Timing;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: HubMetrics;
  readonly frames: FrameStore;
  readonly book: SetBook;
  readonly desired: DesiredState;
  readonly pods: PodIndex;
  readonly fleet: Fleet;
  readonly ledger: ActivityLedger;
  readonly catalogue: FleetCatalogue;
  readonly predictor: Predictor;
  readonly teardown: Teardown;
  readonly random: () => number;
  /** Something that statuses are made of has changed: a node came, went, or reported. */
  onFleetChange(node: string): void;
  /** Something that webhooks are told has changed. */
  onCatalogueChange(): void;
};

/** Plans that are on their way at once, over all agents. */
const MAX_PLAN_SLOTS = 256;

export function createHub(options: HubOptions): Hub {
  const { clock, metrics, fleet, catalogue, log } = options;
  const sessions = new Map<string, Session>();
  const budget = createSendBudget();
  let planSlots = MAX_PLAN_SLOTS;

  const host: SessionHost = {
    epoch: EPOCH,
    timing: options.timing,
    clock,
    log,
    metrics,
    frames: options.frames,
    budget,
    random: options.random,
    findSet: (digest) => options.book.find(digest),
    desiredOf: (node) => options.desired.setOf(node),
    podsOf: (node) => options.pods.podsOf(node),
    isTearingDown: () => options.teardown.isStarted,
    takePlanSlot: () => {
      if (planSlots === 0) {
        return false;
      }
      planSlots -= 1;
      return true;
    },
    releasePlanSlot: () => {
      planSlots = Math.min(MAX_PLAN_SLOTS, planSlots + 1);
    },
    greeted: (node, hello) => {
      const kernel: HubKernel = hello.kernel;
      fleet.connected(node, { ...kernel, facts: hello.facts }, clock.monotonicMs());
      const want = catalogue.greeted(node, hello, clock.monotonicMs());
      log.debug('An agent said hello', { node, release: kernel.release, agent: hello.agent, want });
      options.onFleetChange(node);
      options.onCatalogueChange();
      return want;
    },
    reported: (node, report, set) => {
      const kernel = fleet.get(node)?.kernel ?? null;
      fleet.reported(node, report, set, clock.monotonicMs());
      options.onFleetChange(node);
      return report.state === 'applying' || kernel === null || options.predictor.isAsPredicted(report, set, kernel);
    },
    activity: (_node, activity) => {
      const { unknown } = options.ledger.add(activity.rows, clock.nowMs());
      metrics.activityUnknown.inc({}, unknown);
    },
    health: (node, health) => {
      fleet.health(node, health);
      options.onFleetChange(node);
    },
    catalogueNotice: (node, notice) => {
      if (catalogue.noticed(node, notice.build, notice.digest)) {
        options.onCatalogueChange();
      }
    },
    catalogue: (node, build, text) => {
      try {
        if (catalogue.uploaded(node, build, text)) {
          options.onCatalogueChange();
        }
      } catch (error) {
        log.warn('A node uploaded names that cannot be read', { node, error });
        sessions.get(node)?.close(HUB_CLOSE.malformed, 'the catalogue cannot be read');
      }
    },
    tornDown: (node, frame) => {
      options.teardown.confirmed(node, frame.left);
      log.info('An agent removed everything', { node, left: frame.left });
    },
  };

  return {
    connect: (identity, socket) => {
      sessions.get(identity.node)?.close(HUB_CLOSE.replaced, 'another connection of this node took over');
      const session = createSession(identity, socket, host);
      sessions.set(identity.node, session);
      return session;
    },
    disconnected: (session) => {
      session.ended();
      const { node } = session.identity;
      if (sessions.get(node) === session) {
        sessions.delete(node);
        fleet.disconnected(node, clock.monotonicMs());
        options.onFleetChange(node);
        options.onCatalogueChange();
      }
    },
    sessions: () => sessions.values(),
    isConnected: (node) => sessions.get(node)?.isLive === true,
    desiredChanged: (node) => sessions.get(node)?.desiredChanged(),
    podChanged: (delta) => sessions.get(delta.node)?.podChanged(delta),
    podGone: (podUid) => {
      for (const session of sessions.values()) {
        if (session.identity.podUid === podUid) {
          session.close(HUB_CLOSE.unauthenticated, 'the pod is gone');
        }
      }
    },
    get bufferedBytes() {
      return budget.bytes;
    },
    startTeardown: () => {
      if (!options.teardown.isStarted) {
        options.teardown.start();
        log.warn('Everything is removed from all nodes, as was asked', { agents: sessions.size });
        options.desired.clearForGood();
      }
      for (const session of sessions.values()) {
        session.teardown();
      }
    },
    drain: (spreadMs) => {
      for (const session of sessions.values()) {
        session.goaway(Math.floor(options.random() * spreadMs));
      }
    },
    closeAll: (reason) => {
      for (const session of sessions.values()) {
        session.close(HUB_CLOSE.goingAway, reason);
      }
    },
  };
}
