import { request } from 'node:https';
import path from 'node:path';
import type { KubeClient } from '../../src/kube/client.ts';
import { NODES, PODS } from '../../src/kube/resource-type.ts';
import type { PolicyCondition, PolicyStatus } from '../../src/policy/schema/status.ts';
import { dialFakeAgent, type FakeAgent, type FakeAgentOptions } from '../../src/controller/testing/fake-agent.ts';
import type { HostProcess } from '../cluster/processes.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { freePort } from '../host/free-port.ts';
import { NAMESPACE, startApiServer, type ApiServer } from './api-server.ts';
import { policyClient, type PolicyClient, type PolicySpec, type StoredPolicy } from './typed-client.ts';

export const NODE_NAMES = ['node-a', 'node-b'] as const;

/** A real API server, the controller as a process with its own rights and times at a tenth, and agents of two nodes that are but sockets. */
export type FakeFleet = {
  readonly api: ApiServer;
  /** For everything but policies. */
  readonly admin: KubeClient;
  readonly policies: PolicyClient;
  readonly controller: HostProcess;
  /** Base URL of the controller's health server. */
  readonly probes: string;
  /** The newest connection of each node. */
  readonly agents: ReadonlyMap<string, FakeAgent>;
  /** What nodes have to say about policies, by node; nothing: all is well. */
  readonly rows: Map<string, NonNullable<FakeAgentOptions['rowOf']>>;
  statusOf(name: string): Promise<PolicyStatus>;
  /** `ready`: `True/Loaded`. */
  untilStatus(name: string, ready: string, generation?: number): Promise<PolicyStatus>;
  untilReady(): Promise<unknown>;
  /** Dials with what the node's last agent held. */
  connect(node: string): Promise<FakeAgent>;
  connectAll(): Promise<unknown>;
  holds(node: string, uid: string): boolean;
  /** A token of a ServiceAccount that is bound to a ClusterRole, or to none. */
  personWith(name: string, clusterRole: string | null): Promise<string>;
  /** The hub's read API. */
  ask(method: string, path: string, token: string): Promise<{ readonly status: number | undefined; readonly body: unknown }>;
  /** Sum over all labels. */
  metric(name: string): Promise<number>;
  stop(): Promise<void>;
};

export async function startFakeFleet(): Promise<FakeFleet> {
  const api = await startApiServer();
  const admin = api.client(api.controlPlane.kubeconfigFile);
  const policies = policyClient(api.controlPlane.kubeconfigFile, null);
  const [hub, health] = await Promise.all([freePort(), freePort()]);
  const probes = `http://127.0.0.1:${health}`;
  const tokens = new Map<string, string>();
  for (const node of NODE_NAMES) {
    await admin.create(NODES, null, { metadata: { name: node, labels: { 'kubernetes.io/os': 'linux', pool: node } } });
    tokens.set(node, await createAgentPod(api, admin, node));
  }
  const controller = api.processes.start({
    name: 'palisade-controller',
    onEnd: 'restart',
    argv: [
      process.execPath,
      path.join(import.meta.dirname, '../../src/controller/main.ts'),
      `--kubeconfig=${(await api.identity('palisade-controller')).kubeconfigFile}`,
      `--hub-listen=127.0.0.1:${hub}`,
      `--metrics-listen=127.0.0.1:${health}`,
      '--unreachable=18s',
      '--heartbeat=2s',
      '--alarm-hold=60s',
      '--counts-gap=3s',
      '--transition-gap=200ms',
      '--status-unavailable-retry=2s',
      '--tick=500ms',
      '--goaway-spread=500ms',
    ],
  });
  const untilReady = () =>
    waitUntil('the controller', async () => ((await fetch(`${probes}/readyz`).catch(() => null))?.ok === true ? true : undefined), {
      timeoutMs: 30_000,
    });
  await untilReady();
  const ca = await api.kubectl.run(['get', 'configmap', '-n', NAMESPACE, 'palisade-hub-ca', '-o', 'jsonpath={.data.ca\\.crt}']);
  const agents = new Map<string, FakeAgent>();
  const rows: FakeFleet['rows'] = new Map();

  const connect = async (node: string): Promise<FakeAgent> => {
    const before = agents.get(node);
    const options: FakeAgentOptions = {
      url: `wss://127.0.0.1:${hub}`,
      ca,
      node,
      token: tokens.get(node) ?? '',
      release: node === 'node-a' ? '6.1.0-1-amd64' : '6.12.0-1-amd64',
      ...(before === undefined ? {} : { entries: [...before.entries.values()] }),
      rowOf: (entry, plan) => rows.get(node)?.(entry, plan),
    };
    const dial = () => dialFakeAgent(options).catch(() => undefined);
    const agent = await waitUntil(`the agent of ${node}`, dial, { timeoutMs: 20_000 });
    for (const [digest, text] of before?.plans ?? []) {
      agent.plans.set(digest, text);
    }
    agents.set(node, agent);
    return agent;
  };

  return {
    api,
    admin,
    controller,
    probes,
    agents,
    rows,
    policies,
    statusOf: async (name) => (await policies.get(name)).status,
    untilStatus: async (name, ready, generation) => {
      const isReady = ({ status }: StoredPolicy): boolean => {
        const condition = conditionOf(status, 'Ready');
        const isRight = `${condition?.status}/${condition?.reason}` === ready;
        return isRight && (generation === undefined || status.observedGeneration === generation);
      };
      return (await policies.until(name, isReady, { timeoutMs: 30_000 })).status;
    },
    untilReady,
    connect,
    connectAll: () => Promise.all(NODE_NAMES.map(connect)),
    holds: (node, uid) => agents.get(node)?.entries.has(uid) === true,
    personWith: async (name, clusterRole) => {
      const account = `default:${name}`;
      await api.kubectl.run(['create', 'serviceaccount', '-n', 'default', name]).catch(ignoreExisting);
      if (clusterRole !== null) {
        await api.kubectl
          .run(['create', 'clusterrolebinding', name, `--clusterrole=${clusterRole}`, `--serviceaccount=${account}`])
          .catch(ignoreExisting);
      }
      return (await api.kubectl.run(['create', 'token', '-n', 'default', name])).trim();
    },
    ask: (method, path, token) => askHub({ ca, port: hub, method, path, token }),
    metric: async (name) => {
      const text = await (await fetch(`${probes}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.startsWith(name));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    stop: async () => {
      for (const agent of agents.values()) {
        agent.close();
      }
      await api.stop();
    },
  };
}

function ignoreExisting(error: unknown): void {
  if (!String(error).includes('AlreadyExists') && !String(error).includes('already exists')) {
    throw error;
  }
}

type HubRequest = { readonly ca: string; readonly port: number; readonly method: string; readonly path: string; readonly token: string };

function askHub({ ca, port, method, path, token }: HubRequest): Promise<{ status: number | undefined; body: unknown }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, ca, servername: 'palisade-hub.palisade-system.svc' };
    const sent = request({ ...options, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The token as the kubelet would project it into the pod. */
async function createAgentPod(api: ApiServer, admin: KubeClient, node: string): Promise<string> {
  const name = `agent-${node}`;
  const pod = await admin.create(PODS, NAMESPACE, {
    metadata: { name, labels: { 'app.kubernetes.io/name': 'palisade', 'app.kubernetes.io/component': 'agent' } },
    spec: {
      nodeName: node,
      serviceAccountName: 'palisade-agent',
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'agent', image: 'none' }],
    },
  });
  const bound = ['--bound-object-kind=Pod', `--bound-object-name=${name}`, `--bound-object-uid=${pod.metadata.uid}`];
  return (await api.kubectl.run(['create', 'token', '-n', NAMESPACE, 'palisade-agent', '--audience=palisade-hub', ...bound])).trim();
}

/** Denies opening a file. */
export function denies(file: string): PolicySpec {
  const filter = { index: 0, operator: 'Equal' as const, values: [file] };
  const selector = { matchArgs: [filter], matchActions: [{ action: 'Override' as const, argError: -1 }] };
  return { lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }], selectors: [selector] }] };
}

export function conditionOf(status: PolicyStatus, type: string): PolicyCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}
