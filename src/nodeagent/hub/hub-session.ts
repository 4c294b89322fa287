import { digestOfPlanText } from '../../policy/digest.ts';
import { PLAN_FORMAT } from '../../policy/plan.ts';
import { catalogueDigest, encodeCatalogueFrame } from '../../protocol/hub-binary.ts';
import {
  HUB_CLOSE,
  HUB_LIMITS,
  HUB_PROTOCOL_VERSION,
  type ActivityRow,
  type Desired,
  type Health,
  type Hello,
  type HubFrame,
  type HubKernel,
  type Pods,
  type Row,
  type Welcome,
} from '../../protocol/hub-frames.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { applyDesired, planDigestsOf, type DesiredSet } from './desired-set.ts';
import type { HubHandler, HubSender, PlanFrame } from './hub-link.ts';
import { reportFrame } from './report-frame.ts';

/** Who this node is and what its kernel is, for `hello`. */
export type NodeSelf = {
  readonly node: string;
  readonly agent: string;
  readonly boot: string;
  readonly kernel: HubKernel;
  readonly facts: Readonly<Record<string, boolean | string>>;
};

export type SessionReport = { readonly set: string; readonly applied: boolean; readonly bound: string; readonly rows: readonly Row[] };

/** What the session needs of the agent, and what it tells it. */
export type SessionPort = {
  self(): NodeSelf;
  held(): { readonly set: DesiredSet; readonly epoch: number };
  hasPlan(digest: string): boolean;
  /** Stores the set (fsync) and starts to apply it. */
  adopt(set: DesiredSet, epoch: number): Promise<void>;
  storePlan(digest: string, text: string): Promise<void>;
  /** All plans that can be had have arrived. */
  plansSettled(): void;
  podsChanged(frame: Pods): Promise<void>;
  /** The report of the moment; null: nothing to say yet. */
  report(rows: 'exceptions' | 'all'): SessionReport | null;
  health(): Omit<Health, 't'>;
  /** JSON text of the names of this kernel. */
  catalogue(): Promise<string>;
  teardown(): Promise<readonly string[]>;
};

/** Without a hub that is up to date for so long, one of a lower epoch is obeyed: it may be all there is (etcd restored, installed anew). */
const NO_HUB_MS = 60_000;

/** The agent's side of the protocol, for one connection after another. All state that must outlive a connection is behind the port. */
export class HubSession implements HubHandler {
  readonly #port: SessionPort;
  readonly #log: Log;
  #sender: HubSender | null = null;
  #welcome: Welcome | null = null;
  /** Frames of a lower epoch are of a leader that has been replaced. */
  #lowestEpoch = 0;
  /** When there was last a connection to a hub that was up to date; at first when this process started. */
  #hubSeenMs: number;
  readonly #clock: Clock;
  /** What the hub wants of the kernel's names. Reading and packing 130,000 of them takes a while: policies come first. */
  #catalogueDue: Welcome['want'];
  #reportSeq = 0;
  #wanted: string[] = [];
  readonly #asked = new Set<string>();

  constructor(options: { port: SessionPort; clock: Clock; log: Log }) {
    this.#port = options.port;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#hubSeenMs = options.clock.monotonicMs();
  }

  get isConnected(): boolean {
    return this.#welcome !== null;
  }

  /** How long until activity is due again, spread as the hub asks; null without a connection. */
  nextActivityMs(random: () => number): number | null {
    return this.#welcome === null ? null : this.#welcome.activityMs + Math.floor(random() * this.#welcome.reportJitterMs);
  }

  hello(): Hello {
    const self = this.#port.self();
    const held = this.#port.held();
    return {
      t: 'hello',
      protocol: { min: HUB_PROTOCOL_VERSION, max: HUB_PROTOCOL_VERSION },
      agent: self.agent,
      planFormats: [PLAN_FORMAT],
      node: self.node,
      boot: self.boot,
      epochSeen: held.epoch,
      set: held.set.digest,
      kernel: self.kernel,
      facts: { ...self.facts },
    };
  }

  welcome(frame: Welcome, sender: HubSender): void {
    const seen = this.#port.held().epoch;
    const aloneMs = this.#clock.monotonicMs() - this.#hubSeenMs;
    if (frame.epoch < seen && aloneMs < NO_HUB_MS) {
      this.#log.warn('Turned away from an older leader', { epoch: frame.epoch, seen, aloneMs: Math.round(aloneMs) });
      sender.close(HUB_CLOSE.goingAway, `epoch ${frame.epoch} is over, ${seen} was seen`);
      return;
    }
    if (frame.epoch < seen) this.#log.warn('Obeys an older leader: there has been no other', { epoch: frame.epoch, seen });
    this.#lowestEpoch = Math.min(seen, frame.epoch);
    this.#sender = sender;
    this.#welcome = frame;
    this.#reportSeq = 0;
    this.#asked.clear();
    this.#wanted = [];
    this.#log.info('Connected to the hub', { epoch: frame.epoch });
    this.sendHealth();
    this.#catalogueDue = frame.want;
  }

  async frame(frame: Exclude<HubFrame, Welcome>, sender: HubSender): Promise<void> {
    // Turned away from: what is still on its way is not for us.
    if (this.#welcome === null) return;
    switch (frame.t) {
      case 'desired':
        return await this.#desired(frame, sender);
      case 'pods':
        return await this.#port.podsChanged(frame);
      case 'missing':
        for (const digest of frame.digests) this.#asked.delete(digest);
        this.#log.warn('The hub does not have a plan', { digests: frame.digests.map((digest) => digest.slice(0, 8)) });
        this.#askNext(sender);
        return;
      case 'explain':
        this.sendReport('all');
        return;
      case 'teardown':
        sender.send({ t: 'torndown', left: [...(await this.#port.teardown())].slice(0, 32).map((name) => name.slice(0, 256)) });
        return;
      case 'goaway':
        return;
    }
  }

  async plan(frame: PlanFrame, sender: HubSender): Promise<void> {
    if (this.#welcome === null) return;
    if (!this.#asked.delete(frame.digest)) {
      sender.close(HUB_CLOSE.malformed, 'a plan that was not asked for');
      return;
    }
    if (digestOfPlanText(frame.text) === frame.digest) await this.#port.storePlan(frame.digest, frame.text);
    else this.#log.error('A plan does not have its digest', { digest: frame.digest });
    this.#askNext(sender);
  }

  disconnected(): void {
    if (this.#welcome !== null) this.#hubSeenMs = this.#clock.monotonicMs();
    this.#sender = null;
    this.#welcome = null;
  }

  /** After an apply, after a change of health, and when the hub asks. Without a connection nothing happens: a new one reports anyway. */
  sendReport(rows: 'exceptions' | 'all' = 'exceptions'): void {
    const report = this.#port.report(rows);
    if (this.#sender === null || report === null) return;
    this.#reportSeq += 1;
    const { text, leftOut } = reportFrame({
      t: 'report',
      seq: this.#reportSeq,
      set: report.set,
      state: report.applied ? 'applied' : 'applying',
      bound: report.bound,
      exceptions: [...report.rows],
    });
    if (leftOut !== 'nothing') this.#log.warn('A report is too large to be told in full', { rows: report.rows.length, leftOut });
    this.#sender.sendText(text);
    this.#sendDueCatalogue(this.#sender);
  }

  sendHealth(): void {
    this.#sender?.send({ t: 'health', ...this.#port.health() });
  }

  sendActivity(windowMs: number, rows: readonly ActivityRow[]): void {
    if (rows.length > 0) this.#sender?.send({ t: 'activity', windowMs: Math.round(windowMs), rows: [...rows] });
  }

  async #desired(frame: Desired, sender: HubSender): Promise<void> {
    const held = this.#port.held();
    if (frame.epoch < this.#lowestEpoch) {
      this.#log.warn('Ignored a set of an older leader', { epoch: frame.epoch, seen: this.#lowestEpoch });
      return;
    }
    const applied = applyDesired(held.set, frame);
    if (!applied.ok) {
      this.#log.error('The desired set does not fit', { message: applied.message });
      await this.#port.adopt({ digest: null, entries: held.set.entries }, held.epoch);
      sender.close(HUB_CLOSE.malformed, 'the desired set does not fit');
      return;
    }
    // Told before it is asked for plans: what is there already is applied at once, one slow plan holds nothing up.
    await this.#port.adopt(applied.set, frame.epoch);
    this.#lowestEpoch = frame.epoch;
    this.#wanted = [...planDigestsOf(applied.set)].filter((digest) => !this.#port.hasPlan(digest) && !this.#asked.has(digest));
    this.#askNext(sender);
  }

  #askNext(sender: HubSender): void {
    const room = HUB_LIMITS.maxOpenGets - this.#asked.size;
    const digests = this.#wanted.splice(0, room);
    for (const digest of digests) this.#asked.add(digest);
    if (digests.length > 0) sender.send({ t: 'get', digests });
    else if (this.#asked.size === 0) this.#port.plansSettled();
  }

  /** Once the node has said what became of its set, and waits for no plan. */
  #sendDueCatalogue(sender: HubSender): void {
    const want = this.#catalogueDue;
    if (want === undefined || this.#asked.size + this.#wanted.length > 0) return;
    this.#catalogueDue = undefined;
    void this.#sendCatalogue(want, sender);
  }

  async #sendCatalogue(want: 'catalogue' | 'catalogue-digest', sender: HubSender): Promise<void> {
    try {
      const text = await this.#port.catalogue();
      const { build } = this.#port.self().kernel;
      sender.send({ t: 'catalogue', build, digest: catalogueDigest(text) });
      if (want === 'catalogue') sender.sendBinary(encodeCatalogueFrame(build, text));
    } catch (error) {
      this.#log.warn('Could not send the catalogue', { error });
    }
  }
}
