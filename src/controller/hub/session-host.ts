import type { Activity, CatalogueNotice, Health, Hello, HubPod, Report, TornDown, Welcome } from '../../protocol/hub-frames.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import type { Timing } from '../timing.ts';
import type { FrameStore } from './frame-store.ts';
import type { HubMetrics } from './hub-metrics.ts';
import type { SendBudget } from './outbox.ts';

/** What sessions need of the rest of the controller, and tell it. All of it is quick and does not throw. */
export type SessionHost = {
  readonly epoch: number;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: HubMetrics;
  readonly frames: FrameStore;
  readonly budget: SendBudget;
  /** 0 ≤ n < 1, for jitter. */
  random(): number;
  findSet(digest: string): DesiredSet | undefined;
  desiredOf(node: string): DesiredSet;
  podsOf(node: string): readonly HubPod[];
  isTearingDown(): boolean;
  /** A place among the plans that are served at once; false: try again soon. */
  takePlanSlot(): boolean;
  releasePlanSlot(): void;

  /** The node said hello; the answer is what the hub wants of its catalogue. */
  greeted(node: string, hello: Hello): Welcome['want'];
  /** False: the attach methods are not what was predicted, and no row explains them. */
  reported(node: string, report: Report, set: DesiredSet): boolean;
  activity(node: string, activity: Activity): void;
  health(node: string, health: Health): void;
  catalogueNotice(node: string, notice: CatalogueNotice): void;
  catalogue(node: string, build: string, text: string): void;
  tornDown(node: string, frame: TornDown): void;
};
