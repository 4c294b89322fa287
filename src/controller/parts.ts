import type { KubeClient } from '../kube/client.ts';
import { createWorkQueue, type WorkQueue } from '../kube/work-queue.ts';
import type { Clock, Timer } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type CatalogueServer, createCatalogueServer } from './catalogue/catalogue-server.ts';
import { catalogueView } from './catalogue/catalogue-view.ts';
import { createFleetCatalogue, type FleetCatalogue } from './catalogue/fleet-catalogue.ts';
import type { ClusterView } from './cluster-view.ts';
import { createDesiredState, type DesiredState } from './desired/desired-state.ts';
import { createSetBook } from './desired/set-book.ts';
import { type ActivityLedger, createActivityLedger } from './fleet/activity-ledger.ts';
import { type CoverageWatch, watchCoverage } from './fleet/coverage.ts';
import { createFleet, type Fleet } from './fleet/fleet.ts';
import { createFrameStore } from './hub/frame-store.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { createHubMetrics, type HubMetrics } from './hub/hub-metrics.ts';
import { createPredictor, type Predictor } from './hub/prediction.ts';
import { createTeardown, type Teardown } from './hub/teardown.ts';
import { createReconciler, type Reconciler } from './policy/reconcile.ts';
import { createStatusWriter, type StatusWriter } from './status/status-writer.ts';
import type { Timing } from './timing.ts';

/** Everything that decides and remembers, wired: what comes in from the cluster view and the sockets, goes out by writer and hub. */
export type ControllerParts = {
  readonly queue: WorkQueue;
  readonly reconciler: Reconciler;
  readonly writer: StatusWriter;
  readonly desired: DesiredState;
  readonly fleet: Fleet;
  readonly ledger: ActivityLedger;
  readonly catalogue: FleetCatalogue;
  readonly catalogueServer: CatalogueServer;
  readonly predictor: Predictor;
  readonly hub: Hub;
  readonly hubMetrics: HubMetrics;
  readonly teardown: Teardown;
  /** All policies are looked at again, at once or (for changes that come in bursts) in a moment. */
  lookAtAll(): void;
  lookAtAllSoon(): void;
  /** From now on silence is measured. */
  startCoverage(): void;
  coverageRatio(): number;
};

export type PartsOptions = {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly timing: Timing;
  readonly foreignAgents: 'refuse' | 'allow';
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random: () => number;
};

/** A look at all policies takes as long as there are nodes: half a second between two of them at 5,000. */
const FLEET_COALESCE_MS = 50;
const FLEET_COALESCE_NODE_MS = 0.1;

export function createParts(options: PartsOptions): ControllerParts {
  const { client, view, timing, clock, log, metrics } = options;
  const fleet = createFleet();
  const ledger = createActivityLedger(timing.alarmHoldMs);
  const catalogue = createFleetCatalogue();
  const book = createSetBook();
  const frames = createFrameStore();
  const teardown = createTeardown();
  const hubMetrics = createHubMetrics(metrics);
  const queue = createWorkQueue({ name: 'policies', clock, metrics });
  let coverage: CoverageWatch = watchCoverage(fleet, clock, timing.unreachableMs);
  let soon: Timer | null = null;

  const lookAtAll = (): void => {
    for (const key of view.policies.keys()) {
      queue.add(key);
    }
  };
  const lookAtAllSoon = (): void => {
    soon ??= clock.setTimer(Math.max(FLEET_COALESCE_MS, view.nodes.store.size * FLEET_COALESCE_NODE_MS), () => {
      soon = null;
      lookAtAll();
    });
  };
  const desired = createDesiredState(book, (node) => hub.desiredChanged(node));
  const writer = createStatusWriter({
    client,
    timing,
    clock,
    log,
    metrics,
    requeue: (key, delayMs) => queue.addAfter(key, delayMs),
    requeueAfterError: (key) => queue.addRateLimited(key),
  });
  const reconciler = createReconciler({
    findPolicy: (key) => view.policies.find(key),
    nodes: view.nodes.store,
    fleet,
    desired,
    frames,
    ledger,
    writer,
    timing,
    clock,
    log,
    metrics,
    coverage: () => coverage.coverage(),
    foreignAgents: () => (options.foreignAgents === 'allow' ? 0 : view.agents.foreign()),
  });
  const predictor = createPredictor((digest) => {
    const record = [...reconciler.records()].find((one) => one.lastGood?.compiled.digest === digest);
    return record?.lastGood?.compiled.plan;
  });
  const catalogueServer = createCatalogueServer({
    clock,
    log,
    metrics,
    view: () => catalogueView(view.nodes.store.values(), fleet, catalogue, clock.monotonicMs()),
  });
  const hub = createHub({
    timing,
    clock,
    log,
    metrics: hubMetrics,
    frames,
    book,
    desired,
    pods: view.podsByNode,
    fleet,
    ledger,
    catalogue,
    predictor,
    teardown,
    random: options.random,
    onFleetChange: lookAtAllSoon,
    onCatalogueChange: () => catalogueServer.changed(),
  });

  return {
    queue,
    reconciler,
    writer,
    desired,
    fleet,
    ledger,
    catalogue,
    catalogueServer,
    predictor,
    hub,
    hubMetrics,
    teardown,
    lookAtAll,
    lookAtAllSoon,
    startCoverage: () => {
      coverage = watchCoverage(fleet, clock, timing.unreachableMs);
    },
    coverageRatio: () => coverage.ratio,
  };
}
