import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInformer } from '../../src/kube/informer.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { PODS, type ResourceType } from '../../src/kube/resource-type.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { systemClock } from '../../src/telemetry/clock.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { NAMESPACE, startApiServer, type ApiServer } from './api-server.ts';
import { FOREIGN_MANAGER, policyClient, type PolicyClient } from './typed-client.ts';

const POLICIES: ResourceType = {
  group: 'cilium.io',
  version: 'v1alpha1',
  plural: 'tracingpolicies',
  kind: 'TracingPolicy',
  isNamespaced: false,
};
const MANAGER = { fieldManager: 'palisade-controller', subresource: 'status' } as const;

let api: ApiServer;
let admin: KubeClient;
let controller: KubeClient;
let policies: PolicyClient;

beforeAll(async () => {
  api = await startApiServer();
  admin = api.client(api.controlPlane.kubeconfigFile);
  policies = policyClient(api.controlPlane.kubeconfigFile, null);
  controller = api.client((await api.identity('palisade-controller')).kubeconfigFile);
}, 300_000);

afterAll(async () => {
  await api.stop();
});

const spec = { lsmhooks: [{ hook: 'file_open' }] };
const create = (name: string) => policies.create(name, spec);
const ready = (reason: string) => ({
  observedGeneration: 1,
  conditions: [
    { type: 'Ready', status: 'True', reason, message: 'test', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 },
  ],
});
const ref = (name: string) => ({ namespace: null, name });

describe('a policy on a real API server', () => {
  test('is born with a status that says that nobody has looked at it', async () => {
    const created = await create('newborn');
    expect(created.status).toMatchObject({
      observedGeneration: -1,
      conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }],
    });
    expect(await api.kubectl.run(['get', 'tgtp', 'newborn'])).toMatch(
      /READY\s+REASON\s+MODE\s+LOADED\s+ENFORCING\s+FAILED\s+AGE\n.*Unknown\s+Pending/,
    );
  });

  test('keeps fields that nobody knows, so that the webhook can refuse them', async () => {
    const misspelt = { call: 'x', selectrs: [{ matchBinarys: [] }] };
    const created = await policies.create('typo', { kprobes: [misspelt] });
    expect(created.spec).toMatchObject({ kprobes: [{ selectrs: [{ matchBinarys: [] }] }] });
  });

  test('takes a status from the controller, with its own rights, and moves no generation', async () => {
    const created = await create('applied');
    const after = await controller.apply(
      POLICIES,
      ref('applied'),
      { metadata: { resourceVersion: created.metadata.resourceVersion }, status: ready('Loaded') },
      MANAGER,
    );
    expect(after['status']).toMatchObject(ready('Loaded'));
    expect(after.metadata.generation).toBe(created.metadata.generation);
    const again = await controller.apply(POLICIES, ref('applied'), { metadata: {}, status: ready('Loaded') }, MANAGER);
    expect(again.metadata.resourceVersion).toBe(after.metadata.resourceVersion);
  });

  test('refuses a status that was computed from an older version', async () => {
    const created = await create('stale');
    await policies.label('stale', { a: 'b' });
    const stale = controller.apply(
      POLICIES,
      ref('stale'),
      { metadata: { resourceVersion: created.metadata.resourceVersion }, status: ready('Loaded') },
      MANAGER,
    );
    await expect(stale).rejects.toMatchObject({ code: 'Conflict', status: 409 });
  });

  test('never inherits the status of its predecessor of the same name', async () => {
    const first = await create('reborn');
    await policies.remove('reborn');
    await create('reborn');
    const late = controller.apply(
      POLICIES,
      ref('reborn'),
      { metadata: { resourceVersion: first.metadata.resourceVersion }, status: ready('Loaded') },
      MANAGER,
    );
    await expect(late).rejects.toMatchObject({ code: 'Conflict' });
    expect((await policies.get('reborn')).status).toMatchObject({ observedGeneration: -1 });
  });

  test('shows its status to who watches it, once it was written', async () => {
    const created = await create('seen');
    const seen = policies.until('seen', ({ status }) => status.conditions?.[0]?.reason === 'Loaded', { timeoutMs: 10_000 });
    await controller.apply(
      POLICIES,
      ref('seen'),
      { metadata: { resourceVersion: created.metadata.resourceVersion }, status: ready('Loaded') },
      MANAGER,
    );
    expect((await seen).metadata).toMatchObject({ uid: created.metadata.uid, generation: 1 });
  });

  test('has two owners: who applies its spec owns nothing of its status, and takes nothing that another owns', async () => {
    const applied = await policies.applyAsForeigner('owned', spec);
    await controller.apply(
      POLICIES,
      ref('owned'),
      { metadata: { resourceVersion: applied.metadata.resourceVersion }, status: ready('Loaded') },
      MANAGER,
    );
    const again = await policies.applyAsForeigner('owned', { lsmhooks: [{ hook: 'inode_unlink' }] });
    expect(again.metadata.generation).toBe(2);
    expect(again.status).toMatchObject(ready('Loaded'));
    const owners = again.metadata.managedFields.map(({ manager, operation, subresource }) => [manager, operation, subresource]);
    expect(owners).toContainEqual([FOREIGN_MANAGER, 'Apply', undefined]);
    expect(owners).toContainEqual([MANAGER.fieldManager, 'Apply', 'status']);
    await policies.edit('owned', { lsmhooks: [{ hook: 'file_open' }] });
    await expect(policies.applyAsForeigner('owned', { lsmhooks: [{ hook: 'inode_unlink' }] })).rejects.toMatchObject({ code: 'Conflict' });
  });

  test('of a namespace is another kind, with a client of its own', async () => {
    const team = policyClient(api.controlPlane.kubeconfigFile, 'default');
    await team.create('ours', spec);
    expect((await team.list()).map(({ metadata }) => metadata.name)).toEqual(['ours']);
    await expect(team.create('too-much', { ...spec, hostSelector: {} })).rejects.toMatchObject({
      code: 'Invalid',
      message: expect.stringContaining('TracingPolicyNamespaced cannot have spec.hostSelector'),
    });
    await team.remove('ours');
    await expect(team.get('ours')).rejects.toMatchObject({ code: 'NotFound', status: 404 });
  });

  test('that is gone is told from a kind that has lost its status', async () => {
    await expect(
      controller.apply(POLICIES, ref('nobody'), { metadata: { resourceVersion: '1' }, status: ready('x') }, MANAGER),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(NotFound|Conflict)$/),
    });
  });
});

describe('our client on a real API server', () => {
  test('follows objects through an informer, in pages', async () => {
    const stopper = new AbortController();
    const informer = createInformer({
      client: controller,
      type: POLICIES,
      selection: { namespace: null },
      project: (object) => object.metadata.generation ?? 0,
      clock: systemClock,
      log: silentLog,
      metrics: createMetrics(),
      pageSize: 2,
    });
    const running = informer.run(stopper.signal);
    await informer.waitForSync(stopper.signal);
    expect(informer.store.has('newborn')).toBe(true);
    await create('watched');
    await waitUntil('the watch', async () => (informer.store.get('watched') === 1 ? true : undefined), { timeoutMs: 5_000 });
    await policies.edit('watched', { lsmhooks: [{ hook: 'inode_unlink' }] });
    await waitUntil('the change', async () => (informer.store.get('watched') === 2 ? true : undefined), { timeoutMs: 5_000 });
    await policies.remove('watched');
    await waitUntil('the removal', async () => (informer.store.has('watched') ? undefined : true), { timeoutMs: 5_000 });
    stopper.abort();
    await running;
  });

  test('reads metadata alone where that is enough', async () => {
    const page = await admin.list(POLICIES, { namespace: null, content: 'metadata' });
    expect(page.items.find((item) => item.metadata.name === 'newborn')).toBeDefined();
    expect(page.items.every((item) => item['spec'] === undefined)).toBe(true);
  });

  test('requests and reviews tokens, and tells audiences apart', async () => {
    const { token } = await admin.requestToken({ namespace: NAMESPACE, name: 'palisade-agent' }, ['palisade-hub'], 600);
    const review = await controller.reviewToken(token, ['palisade-hub']);
    expect(review).toMatchObject({
      isAuthenticated: true,
      username: `system:serviceaccount:${NAMESPACE}:palisade-agent`,
      audiences: ['palisade-hub'],
    });
    expect(await controller.reviewToken(token, ['something-else'])).toMatchObject({ isAuthenticated: false });
    expect(await controller.reviewToken('garbage', ['palisade-hub'])).toMatchObject({ isAuthenticated: false });
  });

  test('names what went wrong', async () => {
    await expect(admin.get(PODS, { namespace: 'default', name: 'nobody' })).rejects.toMatchObject({ code: 'NotFound' });
    await expect(admin.create(POLICIES, null, { metadata: { name: 'newborn' }, spec })).rejects.toMatchObject({ code: 'AlreadyExists' });
    await expect(admin.create(POLICIES, null, { metadata: { name: 'bad' }, spec: 7 })).rejects.toMatchObject({ code: 'Invalid' });
    await expect(controller.remove(POLICIES, ref('newborn'))).rejects.toMatchObject({ code: 'Forbidden' });
  });
});

describe('the rights of each component', () => {
  const allowed = async (account: string, ...question: string[]): Promise<boolean> => {
    const answer = await api.kubectl
      .run(['auth', 'can-i', `--as=system:serviceaccount:${NAMESPACE}:${account}`, ...question])
      .catch((error: unknown) => String(error));
    return answer.startsWith('yes');
  };

  test('the agent may do nothing beyond what everybody may', async () => {
    const list = async (user: string): Promise<string> =>
      api.kubectl.run([
        'auth',
        'can-i',
        '--list',
        '--no-headers',
        `--as=${user}`,
        '--as-group=system:serviceaccounts',
        '--as-group=system:authenticated',
      ]);
    expect(await list(`system:serviceaccount:${NAMESPACE}:palisade-agent`)).toBe(await list('system:serviceaccount:default:default'));
  });

  test.each([
    ['patch', 'tracingpolicies.cilium.io', '--subresource=status'],
    ['list', 'pods', '-A'],
    ['create', 'tokenreviews.authentication.k8s.io'],
    ['patch', 'validatingwebhookconfigurations.admissionregistration.k8s.io/palisade'],
    ['get', 'secrets/palisade-ca', '-n', NAMESPACE],
  ])('the controller may %s %s', async (...question) => {
    expect(await allowed('palisade-controller', ...question)).toBe(true);
  });

  test.each([
    ['palisade-controller', 'update', 'tracingpolicies.cilium.io'],
    ['palisade-controller', 'get', 'secrets/other', '-n', NAMESPACE],
    ['palisade-controller', 'list', 'secrets', '-n', NAMESPACE],
    ['palisade-controller', 'get', 'secrets/palisade-ca', '-n', 'default'],
    ['palisade-controller', 'patch', 'validatingwebhookconfigurations.admissionregistration.k8s.io/other'],
    ['palisade-webhook', 'get', 'secrets/palisade-ca', '-n', NAMESPACE],
    ['palisade-webhook', 'list', 'tracingpolicies.cilium.io'],
  ])('%s may not %s %s', async (account, ...question) => {
    expect(await allowed(account, ...question)).toBe(false);
  });

  test('namespace editors write policies of their namespace, viewers read them, neither touches status', async () => {
    const may = async (role: string, ...question: string[]): Promise<boolean> => {
      await api.kubectl.apply(
        JSON.stringify({
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: `test-${role}`, namespace: 'default' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `${role}@example` }],
        }),
      );
      const answer = await api.kubectl.run(['auth', 'can-i', `--as=${role}@example`, '-n', 'default', ...question]).catch(() => 'no');
      return answer.startsWith('yes');
    };
    const kind = 'tracingpoliciesnamespaced.cilium.io';
    await waitUntil('role aggregation', async () => ((await may('view', 'get', kind)) ? true : undefined), { timeoutMs: 20_000 });
    expect(await may('view', 'create', kind)).toBe(false);
    expect(await may('edit', 'create', kind)).toBe(true);
    expect(await may('edit', 'patch', kind, '--subresource=status')).toBe(false);
    expect(await may('edit', 'create', 'tracingpolicies.cilium.io')).toBe(false);
    expect(await may('palisade-enforcer', 'enforce', kind)).toBe(true);
    expect(await may('admin', 'enforce', kind)).toBe(false);
  });
});
