import { issueAuthority, issueLeaf } from '../../kube/certificates/issue.ts';
import { compile, type CompiledPolicy } from '../../policy/compile.ts';
import { parse } from '../../policy/parse.ts';
import type { LabelSelector } from '../../policy/plan.ts';
import type { Entry, HubPod } from '../../protocol/hub-frames.ts';
import { systemClock } from '../../telemetry/clock.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createCatalogueServer } from '../catalogue/catalogue-server.ts';
import { catalogueView } from '../catalogue/catalogue-view.ts';
import { createFleetCatalogue } from '../catalogue/fleet-catalogue.ts';
import { createDesiredState } from '../desired/desired-state.ts';
import { createSetBook } from '../desired/set-book.ts';
import { createActivityLedger } from '../fleet/activity-ledger.ts';
import { createFleet } from '../fleet/fleet.ts';
import type { NodeItem } from '../fleet/node-projection.ts';
import { createPodIndex, type PodIndex } from '../fleet/pod-index.ts';
import type { PodItem } from '../fleet/pod-projection.ts';
import type { AccessReviewer, ReviewOutcome } from '../hub/access-review.ts';
import { createFrameStore } from '../hub/frame-store.ts';
import { createHub } from '../hub/hub.ts';
import { createHubMetrics } from '../hub/hub-metrics.ts';
import { startHubServer } from '../hub/hub-server.ts';
import { createPredictor } from '../hub/prediction.ts';
import { createReadApi } from '../hub/read-api.ts';
import { createTeardown } from '../hub/teardown.ts';
import { createTokenCache } from '../hub/token-cache.ts';
import { DEFAULT_TIMING, type Timing } from '../timing.ts';
import { dialFakeAgent, type FakeAgent, type FakeAgentOptions } from './fake-agent.ts';

const NAMESPACE = 'palisade-system';

/** A pod as the cache would hold it. */
export function podItem(name: string, node: string, change: Partial<PodItem> = {}): PodItem {
  const hub: HubPod = {
    uid: `uid-${name}`,
    cgroupUid: `uid-${name}`,
    ns: 'default',
    name,
    labels: {},
    workload: null,
    host: { pid: false, net: false },
    containers: [],
  };
  return {
    uid: `uid-${name}`,
    namespace: 'default',
    name,
    node,
    createdMs: 0,
    isTerminal: false,
    isDeleting: false,
    hasAgentLabels: false,
    isForeignAgent: false,
    hub,
    omitted: 0,
    ...change,
  };
}

/** A policy that compiles; different names give different plans. */
export function compiledPolicy(path: string): CompiledPolicy {
  const object = {
    apiVersion: 'cilium.io/v1alpha1',
    kind: 'TracingPolicy',
    metadata: { name: 'p', uid: 'u', generation: 1 },
    spec: {
      lsmhooks: [
        {
          hook: 'file_open',
          args: [{ index: 0, type: 'file' }],
          selectors: [
            { matchArgs: [{ index: 0, operator: 'Equal', values: [path] }], matchActions: [{ action: 'Override', argError: -1 }] },
          ],
        },
      ],
    },
  };
  const parsed = parse(object);
  const compiled = parsed.ok ? compile(parsed.value) : parsed;
  if (!compiled.ok) {
    throw new Error(`the policy of the test is not valid: ${JSON.stringify(compiled.problems)}`);
  }
  return compiled.value;
}

/** A token of the test names its account and, for bound ones, node and pod. */
export function tokenOf(account: string, bound?: { readonly node: string; readonly pod: string }): string {
  return Buffer.from(JSON.stringify({ account, ...bound })).toString('base64url');
}

function reviewOf(token: string, revoked: ReadonlySet<string>): ReviewOutcome {
  try {
    const { account, node, pod } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (revoked.has(token)) {
      return { isAuthenticated: false, error: 'revoked' };
    }
    const claims = { 'node-name': [node], 'pod-name': [pod], 'pod-uid': [`uid-${pod}`] };
    const extra =
      node === undefined
        ? {}
        : Object.fromEntries(Object.entries(claims).map(([key, value]) => [`authentication.kubernetes.io/${key}`, value]));
    return { isAuthenticated: true, caller: { username: `system:serviceaccount:${NAMESPACE}:${account}`, uid: '', groups: [], extra } };
  } catch {
    return { isAuthenticated: false, error: 'invalid bearer token' };
  }
}

/** A hub on a real TLS listener of loopback, with everything behind it but an API server. */
export async function startHubHarness(timing: Partial<Timing> = {}) {
  const clock = systemClock;
  const metrics = createMetrics();
  const stopper = new AbortController();
  const settings = { ...DEFAULT_TIMING, ...timing };
  const now = { nowMs: clock.nowMs(), validForMs: 3_600_000 };
  const authority = await issueAuthority({ commonName: 'test', ...now });
  const certificate = await issueLeaf({
    authority,
    commonName: 'hub',
    dnsNames: [`palisade-hub.${NAMESPACE}.svc`],
    ipAddresses: [],
    ...now,
  });

  const book = createSetBook();
  const frames = createFrameStore();
  const fleet = createFleet();
  const pods: PodIndex = createPodIndex();
  const agentPods = new Map<string, PodItem>();
  const nodes: NodeItem[] = [];
  const ledger = createActivityLedger(600_000);
  const catalogue = createFleetCatalogue();
  const teardown = createTeardown();
  const plans = new Map<string, CompiledPolicy>();
  const revoked = new Set<string>();
  const allowedVerbs = new Set<string>(['get', 'delete']);
  const reviews: string[] = [];
  let isApiServerThere = true;
  const reviewer: AccessReviewer = {
    reviewForHub: async (token) => {
      reviews.push(token);
      if (!isApiServerThere) {
        throw new Error('connection refused');
      }
      return reviewOf(token, revoked);
    },
    reviewPerson: async (token) => reviewOf(token, revoked),
    mayOnPolicies: async (_caller, verb) => allowedVerbs.has(verb),
  };
  const desired = createDesiredState(book, (node) => hub.desiredChanged(node));
  const predictor = createPredictor((digest) => plans.get(digest)?.plan);
  const hubMetrics = createHubMetrics(metrics);
  const catalogueServer = createCatalogueServer({
    clock,
    log: silentLog,
    metrics,
    view: () => catalogueView(nodes, fleet, catalogue, clock.monotonicMs()),
  });
  const hub = createHub({
    timing: settings,
    clock,
    log: silentLog,
    metrics: hubMetrics,
    frames,
    book,
    desired,
    pods,
    fleet,
    ledger,
    catalogue,
    predictor,
    teardown,
    random: () => 0,
    onFleetChange: () => {},
    onCatalogueChange: () => catalogueServer.changed(),
  });
  let isReady = true;
  const { address } = await startHubServer({
    listen: { host: '127.0.0.1', port: 0 },
    certificate,
    namespace: NAMESPACE,
    hub,
    catalogue: catalogueServer,
    readApi: createReadApi({
      reviewer,
      policies: () => [],
      teardownState: () => teardown.state(agentPods.values().map((pod) => pod.node)),
      startTeardown: () => hub.startTeardown(),
    }),
    tokens: createTokenCache({ reviewer, clock, metrics, ttlMs: settings.reviewMs }),
    timing: settings,
    clock,
    log: silentLog,
    metrics: hubMetrics,
    findPod: (name) => agentPods.get(name),
    isReady: () => isReady,
    signal: stopper.signal,
  });
  const url = `wss://127.0.0.1:${address.port}`;
  const ca = authority.certificatePem;

  return {
    hub,
    fleet,
    desired,
    catalogue,
    ledger,
    pods,
    agentPods,
    revoked,
    allowedVerbs,
    reviews,
    url,
    ca,
    address,
    metrics,
    frames,
    loseApiServer: () => {
      isApiServerThere = false;
    },
    setReady: (ready: 'ready' | 'not-ready') => {
      isReady = ready === 'ready';
    },
    addNode: (node: string, labels: Record<string, string> = {}) => {
      nodes.push({ name: node, labels });
      agentPods.set(`agent-${node}`, podItem(`agent-${node}`, node, { namespace: NAMESPACE, hasAgentLabels: true }));
      fleet.agentSeen(node, clock.monotonicMs());
      desired.putNode(node, labels);
    },
    assign: (uid: string, compiled: CompiledPolicy, generation = 1, nodeSelector: LabelSelector | null = null) => {
      plans.set(compiled.digest, compiled);
      frames.putPlan(1, compiled.digest, compiled.text);
      const entry: Entry = {
        uid,
        kind: 'TracingPolicy',
        namespace: null,
        name: uid,
        generation,
        digest: compiled.digest,
        mode: compiled.mode,
      };
      desired.assign(uid, { entry, nodeSelector, createdMs: 0, planChars: compiled.text.length });
      return entry;
    },
    dial: (node: string, options: Partial<FakeAgentOptions> = {}): Promise<FakeAgent> =>
      dialFakeAgent({ url, ca, token: tokenOf('palisade-agent', { node, pod: `agent-${node}` }), node, ...options }),
    stop: () => {
      hub.closeAll('test is over');
      catalogueServer.closeAll();
      stopper.abort();
    },
  };
}

export type HubHarness = Awaited<ReturnType<typeof startHubHarness>>;
