import { isDeepStrictEqual } from 'node:util';
import { createKubeClient, type KubeClient } from '../kube/client.ts';
import { createInformer } from '../kube/informer.ts';
import { NODES, PODS } from '../kube/resource-type.ts';
import type { KubeTransport } from '../kube/transport.ts';
import { createWorkQueue } from '../kube/work-queue.ts';
import { type Clock, sleep } from '../telemetry/clock.ts';
import type { Health } from '../telemetry/health.ts';
import { formatListenAddress, type ListenAddress } from '../telemetry/listen-address.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createCatalogueServer } from './catalogue/catalogue-server.ts';
import { catalogueView } from './catalogue/catalogue-view.ts';
import { createFleetCatalogue } from './catalogue/fleet-catalogue.ts';
import { ensureAuthority, issueHubCertificate, publishAuthority } from './certificates/ensure-authority.ts';
import { keepHubCertificate } from './certificates/keep-hub.ts';
import { keepWebhookTrusted } from './certificates/keep-webhook.ts';
import { createDesiredState } from './desired/desired-state.ts';
import { createSetBook } from './desired/set-book.ts';
import { createActivityLedger } from './fleet/activity-ledger.ts';
import { createAgentIndex } from './fleet/agent-index.ts';
import { watchCoverage } from './fleet/coverage.ts';
import { createFleet } from './fleet/fleet.ts';
import { type NodeItem, projectNode } from './fleet/node-projection.ts';
import { createPodIndex } from './fleet/pod-index.ts';
import { type PodItem, projectPod } from './fleet/pod-projection.ts';
import { createAccessReviewer } from './hub/access-review.ts';
import { createFrameStore } from './hub/frame-store.ts';
import { createHub } from './hub/hub.ts';
import { createHubMetrics } from './hub/hub-metrics.ts';
import { startHubServer } from './hub/hub-server.ts';
import { overviewOf } from './hub/overview.ts';
import { createPredictor } from './hub/prediction.ts';
import { createReadApi } from './hub/read-api.ts';
import { createTeardown } from './hub/teardown.ts';
import { createTokenCache } from './hub/token-cache.ts';
import { exportMetrics } from './metrics.ts';
import { createPolicyCache } from './policy/policy-cache.ts';
import { createReconciler } from './policy/reconcile.ts';
import { workOff } from './policy/workers.ts';
import { createStatusWriter } from './status/status-writer.ts';
import type { Timing } from './timing.ts';

export type ControllerSettings = {
  readonly namespace: string;
  readonly hubListen: ListenAddress;
  /** Further names and addresses in the hub's certificate. */
  readonly hubAdvertise: readonly string[];
  readonly timing: Timing;
  /** Load policies although agents of upstream run in the cluster. */
  readonly foreignAgents: 'refuse' | 'allow';
};

export type ControllerContext = {
  readonly transport: KubeTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Told once agents can dial. */
  onListening?(address: ListenAddress): void;
};

/** The API server has said nothing for so long: a watch is dead, and a restart may help. */
const SILENCE_MS = 600_000;
const FLUSH_MS = 2_000;

/** The controller, from start to the end of `signal`. Rejects when it cannot start. */
export async function runController(settings: ControllerSettings, context: ControllerContext): Promise<void> {
  const { clock, log, metrics, health, signal } = context;
  const { timing, namespace } = settings;
  const client: KubeClient = createKubeClient(context.transport);
  const shared = { client, clock, log, metrics };
  /** Ends what must outlive the signal by the time of draining. */
  const end = new AbortController();

  // What is known of the cluster.
  const policies = createPolicyCache(shared);
  const nodes = createInformer<NodeItem>({
    ...shared,
    type: NODES,
    selection: { namespace: null, content: 'metadata' },
    project: projectNode,
  });
  const pods = createInformer<PodItem>({ ...shared, type: PODS, selection: { namespace: null }, project: projectPod });
  const fleet = createFleet();
  const agents = createAgentIndex(namespace);
  const podIndex = createPodIndex();
  const ledger = createActivityLedger(timing.alarmHoldMs);
  const catalogue = createFleetCatalogue();
  const book = createSetBook();
  const frames = createFrameStore();
  const teardown = createTeardown();
  const hubMetrics = createHubMetrics(metrics);

  const queue = createWorkQueue({ name: 'policies', clock, metrics });
  const enqueueAll = (): void => {
    for (const key of policies.keys()) {
      queue.add(key);
    }
  };
  /** Reports come in bursts; policies are looked at again once per moment, not once per report. */
  let fleetTimer: ReturnType<Clock['setTimer']> | null = null;
  const onFleetChange = (): void => {
    fleetTimer ??= clock.setTimer(Math.max(FLEET_COALESCE_MS, nodes.store.size * FLEET_COALESCE_NODE_MS), () => {
      fleetTimer = null;
      enqueueAll();
    });
  };

  const desired = createDesiredState(book, (node) => hub.desiredChanged(node));
  const writer = createStatusWriter({
    ...shared,
    timing,
    requeue: (key, delayMs) => queue.addAfter(key, delayMs),
    requeueAfterError: (key) => queue.addRateLimited(key),
  });
  let coverage = watchCoverage(fleet, clock, timing.unreachableMs);
  const reconciler = createReconciler({
    findPolicy: (key) => policies.find(key),
    nodes: nodes.store,
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
    foreignAgents: () => (settings.foreignAgents === 'allow' ? 0 : agents.foreign()),
  });
  const predictor = createPredictor((digest) => {
    const record = [...reconciler.records()].find((one) => one.lastGood?.compiled.digest === digest);
    return record?.lastGood?.compiled.plan;
  });
  const catalogueServer = createCatalogueServer({
    clock,
    log,
    metrics,
    view: () => catalogueView(nodes.store.values(), fleet, catalogue, clock.monotonicMs()),
  });
  const hub = createHub({
    timing,
    clock,
    log,
    metrics: hubMetrics,
    frames,
    book,
    desired,
    pods: podIndex,
    fleet,
    ledger,
    catalogue,
    predictor,
    teardown,
    random: context.random,
    onFleetChange,
    onCatalogueChange: () => catalogueServer.changed(),
  });

  /**
   * The labels of a node decide what it should run, whether it has an agent or not: an agent that is being replaced, or whose Node object
   * was deleted by mistake, must not be told to unload anything.
   */
  const placeNode = (name: string): void => {
    const node = nodes.store.get(name);
    const hasAgent = agents.podOn(name) !== undefined;
    if (hasAgent) {
      fleet.agentSeen(name, clock.monotonicMs());
    } else {
      fleet.agentGone(name);
    }
    if (node !== undefined) {
      desired.putNode(name, node.labels);
    } else if (hasAgent || hub.isConnected(name)) {
      desired.keepNode(name);
    } else {
      desired.removeNode(name);
      catalogue.removeNode(name);
    }
    catalogueServer.changed();
    onFleetChange();
  };
  policies.onChange((key) => queue.add(key));
  nodes.addHandlers({
    onChange: (change) => {
      // Most updates of a Node are its kubelet's signs of life.
      if (change.type !== 'updated' || !isDeepStrictEqual(change.previous.labels, change.item.labels)) {
        placeNode(change.key);
      }
    },
  });
  pods.addHandlers({
    onChange: (change) => {
      hubMetrics.podsOmitted.inc({}, change.type === 'deleted' ? 0 : change.item.omitted);
      for (const delta of podIndex.apply(change)) {
        hub.podChanged(delta);
      }
      if (change.type === 'deleted' && change.item.hasAgentLabels) {
        hub.podGone(change.item.uid);
      }
      for (const node of agents.apply(change)) {
        placeNode(node);
      }
    },
  });

  const informers = [...policies.informers, nodes, pods];
  const reflectors = informers.map((informer) => informer.run(end.signal));
  health.addLiveness('caches', () => {
    const silent = informers.some((informer) => informer.hasSynced() && informer.silentForMs() > SILENCE_MS);
    return silent ? `the API server has said nothing for ${SILENCE_MS / 1_000} s` : undefined;
  });
  let isServing = false;
  health.addReadiness('hub', () => (isServing ? undefined : 'the cluster has not been read yet, or no agent could be served'));
  exportMetrics(metrics, {
    fleet,
    hub,
    hubMetrics,
    policies,
    desired,
    catalogue,
    coverage: () => coverage.ratio,
    activityOf: (uid) => ledger.of(uid),
  });

  const reviewer = createAccessReviewer(context.transport);
  const certificates = { client, namespace, nowMs: () => clock.nowMs() };
  const authority = await ensureAuthority(certificates);
  await publishAuthority(certificates, authority.certificatePem);
  const hubCertificate = await issueHubCertificate(certificates, authority, settings.hubAdvertise);
  const trust = keepWebhookTrusted(certificates, authority, { clock, log, signal: end.signal });
  const hubServer = await startHubServer({
    listen: settings.hubListen,
    certificate: hubCertificate,
    namespace,
    hub,
    catalogue: catalogueServer,
    readApi: createReadApi({
      reviewer,
      policies: () =>
        overviewOf({
          records: reconciler.records(),
          findPolicy: (key) => policies.find(key),
          nodes: nodes.store.values(),
          fleet,
          desired,
          predictor,
          nowMs: clock.monotonicMs(),
        }),
      teardownState: () => teardown.state(agents.nodes()),
      startTeardown: () => hub.startTeardown(),
    }),
    tokens: createTokenCache({ reviewer, clock, metrics, ttlMs: timing.reviewMs }),
    timing,
    clock,
    log,
    metrics: hubMetrics,
    findPod: (name) => pods.store.get(`${namespace}/${name}`),
    isReady: () => isServing,
    signal: end.signal,
  });
  const renewal = keepHubCertificate({
    authority,
    first: hubCertificate,
    issue: () => issueHubCertificate(certificates, authority, settings.hubAdvertise),
    renew: (certificate) => hubServer.renew(certificate),
    clock,
    log,
    metrics,
    signal: end.signal,
  });
  const { address } = hubServer;
  log.info('The hub listens', { address: formatListenAddress(address) });

  for (const informer of informers) {
    await informer.waitForSync(signal);
  }
  if (!signal.aborted) {
    // All policies are distributed before the first agent is let in: a set that is still growing must not unload anything.
    for (const key of policies.keys()) {
      reconciler.distribute(key);
    }
    coverage = watchCoverage(fleet, clock, timing.unreachableMs);
    isServing = true;
    context.onListening?.(address);
    log.info('The cluster has been read', { policies: [...policies.keys()].length, nodes: nodes.store.size, pods: pods.store.size });
    enqueueAll();
  }
  const worker = workOff({ queue, reconciler, clock, log, metrics });
  while (!signal.aborted) {
    await sleep(clock, timing.tickMs, signal);
    enqueueAll();
    catalogueServer.changed();
  }

  // SIGTERM: say what is known, send the agents away, end.
  log.info('Draining', { agents: [...hub.sessions()].length });
  isServing = false;
  queue.shutDown();
  hub.drain(timing.goawaySpreadMs);
  await writer.flush(FLUSH_MS);
  await waitUntilGone(() => [...hub.sessions()].length === 0, clock, timing.goawaySpreadMs);
  hub.closeAll('the controller stops');
  catalogueServer.closeAll();
  await sleep(clock, GOODBYE_MS);
  end.abort();
  await Promise.all([...reflectors, worker, trust, renewal]);
}

/** A look at all policies takes as long as there are nodes: half a second between two of them at 5,000. */
const FLEET_COALESCE_MS = 50;
const FLEET_COALESCE_NODE_MS = 0.1;
/** For close frames to leave. */
const GOODBYE_MS = 100;
const POLL_MS = 50;

async function waitUntilGone(isGone: () => boolean, clock: Clock, timeoutMs: number): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!isGone() && clock.monotonicMs() < deadlineMs) {
    await sleep(clock, POLL_MS);
  }
}
