import { createKubeClient, type KubeClient } from '../kube/client.ts';
import type { KubeTransport } from '../kube/transport.ts';
import { type Clock, sleep } from '../telemetry/clock.ts';
import type { Health } from '../telemetry/health.ts';
import { formatListenAddress, type ListenAddress } from '../telemetry/listen-address.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ensureAuthority, issueHubCertificate, publishAuthority } from './certificates/ensure-authority.ts';
import { keepHubCertificate } from './certificates/keep-hub.ts';
import { keepWebhookTrusted } from './certificates/keep-webhook.ts';
import { type ClusterView, createClusterView } from './cluster-view.ts';
import { followCluster } from './follow-cluster.ts';
import { createAccessReviewer } from './hub/access-review.ts';
import { startHubServer } from './hub/hub-server.ts';
import { overviewOf } from './hub/overview.ts';
import { createReadApi } from './hub/read-api.ts';
import { createTokenCache } from './hub/token-cache.ts';
import { exportMetrics } from './metrics.ts';
import { type ControllerParts, createParts } from './parts.ts';
import { workOff } from './policy/workers.ts';
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
};

/** The controller, from start to the end of `signal`. Rejects when it cannot start. */
export async function runController(settings: ControllerSettings, context: ControllerContext): Promise<void> {
  const { clock, log, metrics, health, signal } = context;
  const { timing } = settings;
  const client = createKubeClient(context.transport);
  const view = createClusterView({ client, namespace: settings.namespace, clock, log, metrics });
  const parts = createParts({ client, view, timing, foreignAgents: settings.foreignAgents, clock, log, metrics, random: context.random });
  followCluster(view, parts, clock);
  exportMetrics(metrics, { ...parts, policies: view.policies, podsByNode: view.podsByNode });
  let isServing = false;
  health.addLiveness('caches', () => view.fault());
  health.addReadiness('hub', () => (isServing ? undefined : 'the cluster has not been read yet, or the controller is stopping'));

  /** Ends what must outlive the signal by the time of draining. */
  const end = new AbortController();
  const caches = view.run(end.signal);
  const { done: certificates } = await serve({ settings, context, client, view, parts, isReady: () => isServing, signal: end.signal });
  await view.waitForSync(signal);
  if (!signal.aborted) {
    // All policies are distributed before the first agent is let in: a set that is still growing must not unload anything.
    for (const key of view.policies.keys()) {
      parts.reconciler.distribute(key);
    }
    parts.startCoverage();
    isServing = true;
    log.info('The cluster has been read', {
      policies: [...view.policies.keys()].length,
      nodes: view.nodes.store.size,
      pods: view.pods.store.size,
    });
    parts.lookAtAll();
  }
  const worker = workOff({ queue: parts.queue, reconciler: parts.reconciler, clock, log, metrics });
  while (!signal.aborted) {
    await sleep(clock, timing.tickMs, signal);
    parts.lookAtAll();
    parts.catalogueServer.changed();
  }
  isServing = false;
  await drain(parts, timing, clock, log);
  end.abort();
  await Promise.all([caches, worker, certificates]);
}

type ServeOptions = {
  readonly settings: ControllerSettings;
  readonly context: ControllerContext;
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly parts: ControllerParts;
  isReady(): boolean;
  readonly signal: AbortSignal;
};

/** Makes certificates and listens; what it resolves with is the care for the certificates, until the signal is aborted. */
async function serve(options: ServeOptions): Promise<{ readonly done: Promise<unknown> }> {
  const { settings, context, client, view, parts, signal } = options;
  const { clock, log, metrics } = context;
  const { namespace, timing } = settings;
  const place = { client, namespace, nowMs: () => clock.nowMs() };
  const authority = await ensureAuthority(place);
  await publishAuthority(place, authority.certificatePem);
  const issue = () => issueHubCertificate(place, authority, settings.hubAdvertise);
  const first = await issue();
  const reviewer = createAccessReviewer(context.transport);
  const readApi = createReadApi({
    reviewer,
    policies: () =>
      overviewOf({
        ...parts,
        records: parts.reconciler.records(),
        findPolicy: (key) => view.policies.find(key),
        nodes: view.nodes.store.values(),
        nowMs: clock.monotonicMs(),
      }),
    teardownState: () => parts.teardown.state(view.agents.nodes()),
    startTeardown: () => parts.hub.startTeardown(),
  });
  const server = await startHubServer({
    listen: settings.hubListen,
    certificate: first,
    namespace,
    hub: parts.hub,
    catalogue: parts.catalogueServer,
    readApi,
    tokens: createTokenCache({ reviewer, clock, metrics, ttlMs: timing.reviewMs }),
    timing,
    clock,
    log,
    metrics: parts.hubMetrics,
    findPod: (name) => view.pods.store.get(`${namespace}/${name}`),
    isReady: () => options.isReady(),
    signal,
  });
  log.info('The hub listens', { address: formatListenAddress(server.address) });
  const renew = server.renew.bind(server);
  const renewal = keepHubCertificate({ authority, first, issue, renew, clock, log, metrics, signal });
  const trust = keepWebhookTrusted(place, authority, { clock, log, signal });
  return { done: Promise.all([renewal, trust]) };
}

const FLUSH_MS = 2_000;
/** For close frames to leave. */
const GOODBYE_MS = 100;
const POLL_MS = 50;

/** SIGTERM: say what is known, send the agents away. */
async function drain(parts: ControllerParts, timing: Timing, clock: Clock, log: Log): Promise<void> {
  const { hub } = parts;
  log.info('Draining', { agents: [...hub.sessions()].length });
  parts.queue.shutDown();
  hub.drain(timing.goawaySpreadMs);
  await parts.writer.flush(FLUSH_MS);
  const deadlineMs = clock.monotonicMs() + timing.goawaySpreadMs;
  while ([...hub.sessions()].length > 0 && clock.monotonicMs() < deadlineMs) {
    await sleep(clock, POLL_MS);
  }
  hub.closeAll('the controller stops');
  parts.catalogueServer.closeAll();
  await sleep(clock, GOODBYE_MS);
}
