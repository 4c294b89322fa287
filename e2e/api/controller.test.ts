import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PODS } from '../../src/kube/resource-type.ts';
import type { Row } from '../../src/protocol/hub-frames.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { runCommand } from '../host/command.ts';
import { conditionOf, denies, NODE_NAMES, startFakeFleet, type FakeFleet } from './fake-fleet.ts';

const overviewSchema = z.object({ policies: z.array(z.object({ name: z.string(), nodes: z.array(z.unknown()) })) });

/** The controller with its own rights on a real API server, and agents that have sockets and tokens, but no kernels. */
let fleet: FakeFleet;

const say = (text: string): boolean => process.stdout.write(`    · ${text}\n`);

beforeAll(async () => {
  fleet = await startFakeFleet();
}, 300_000);

afterAll(async () => {
  await fleet?.stop();
});

describe('a policy on its way to the nodes and back', () => {
  test('is compiled and waits for agents that have not dialled yet', async () => {
    await fleet.policies.create('way', denies('/etc/shadow'));
    const status = await fleet.untilStatus('way', 'False/WaitingForNodes');
    expect(status.nodes).toMatchObject({ matched: 2, loaded: 0 });
    expect(conditionOf(status, 'Reconciling')?.status).toBe('True');
  });

  test('is ready as soon as both nodes have it', async () => {
    await fleet.connectAll();
    const startMs = performance.now();
    const status = await fleet.untilStatus('way', 'True/Loaded');
    say(`ready ${Math.round(performance.now() - startMs)} ms after the agents dialled`);
    expect(status).toMatchObject({ loaded: '2/2', enforcing: '2/2', mode: 'Enforce', observedGeneration: 1 });
    expect(await fleet.api.kubectl.run(['get', 'tgtp', 'way', '--no-headers'])).toMatch(/way\s+True\s+Loaded\s+Enforce\s+2\/2\s+2\/2\s+0/);
  });

  test('is satisfied by kubectl wait, after an edit only when the new version runs', async () => {
    const startMs = performance.now();
    const edited = await fleet.policies.edit('way', denies('/etc/passwd'));
    await fleet.api.kubectl.run(['wait', 'tracingpolicy/way', '--for=condition=Ready', '--timeout=20s']);
    say(`edit to Ready took ${Math.round(performance.now() - startMs)} ms`);
    const status = await fleet.statusOf('way');
    expect(status.observedGeneration).toBe(edited.metadata.generation);
    for (const agent of fleet.agents.values()) {
      expect([...agent.entries.values()].map((entry) => entry.digest)).toContain(status.digest);
    }
  });

  test('is written seldom: nothing changes, nothing is written', async () => {
    const before = (await fleet.policies.get('way')).metadata.resourceVersion;
    const writes = await fleet.metric('palisade_status_writes_total');
    await new Promise((resolve) => void setTimeout(resolve, 4_000));
    expect((await fleet.policies.get('way')).metadata.resourceVersion).toBe(before);
    expect(await fleet.metric('palisade_status_writes_total')).toBe(writes);
  });

  test('does not flap when the controller is killed: its status is not even touched', async () => {
    const before = await fleet.policies.get('way');
    process.kill(fleet.controller.pid() ?? 0, 'SIGKILL');
    await Promise.all([...fleet.agents.values()].map((agent) => agent.closed));
    await fleet.connectAll();
    await waitUntil('both reports', async () => ((await fleet.metric('palisade_coverage_ratio')) === 1 ? true : undefined), {
      timeoutMs: 20_000,
    });
    await new Promise((resolve) => void setTimeout(resolve, 3_000));
    const after = await fleet.policies.get('way');
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('goes from the nodes within moments of its deletion', async () => {
    const { uid } = (await fleet.policies.get('way')).metadata;
    const startMs = performance.now();
    await fleet.policies.remove('way');
    await waitUntil('its removal', () => (NODE_NAMES.some((node) => fleet.holds(node, uid)) ? undefined : true), { timeoutMs: 10_000 });
    say(`gone from both nodes after ${Math.round(performance.now() - startMs)} ms`);
  });

  test('is another policy after it was made again under its name', async () => {
    const first = await fleet.policies.create('reborn', denies('/etc/a'));
    await fleet.untilStatus('reborn', 'True/Loaded');
    fleet.rows.set('node-a', (entry) =>
      entry.name === 'reborn' && entry.uid !== first.metadata.uid ? { ...failed(entry.uid), generation: 1 } : undefined,
    );
    await fleet.policies.remove('reborn');
    await fleet.policies.create('reborn', denies('/etc/a'));
    const status = await fleet.untilStatus('reborn', 'False/PartiallyLoaded');
    expect(status).toMatchObject({ observedGeneration: 1, loaded: '1/2' });
    fleet.rows.clear();
    await fleet.policies.remove('reborn');
  });
});

function failed(uid: string): Row {
  return {
    uid,
    generation: 1,
    runs: null,
    mode: 'off',
    state: 'failed',
    reason: 'FunctionNotFound',
    hook: 'lsm:file_open',
    message: 'no such function',
  };
}

describe('what goes wrong', () => {
  test('a kernel that lacks the function makes the policy partially loaded; a nodeSelector remedies it', async () => {
    fleet.rows.set('node-a', (entry) => (entry.name === 'one-kernel' ? failed(entry.uid) : undefined));
    await fleet.policies.create('one-kernel', denies('/etc/b'));
    const status = await fleet.untilStatus('one-kernel', 'False/PartiallyLoaded');
    say(conditionOf(status, 'Ready')?.message ?? '');
    expect(conditionOf(status, 'Ready')?.message).toContain(
      '1 of 2 nodes cannot load it: FunctionNotFound at lsm:file_open on 1 (kernel 6.1.0-1-amd64)',
    );
    expect(status.failures).toMatchObject([{ reason: 'FunctionNotFound', nodes: 1, sampleNodes: ['node-a'] }]);
    await fleet.policies.edit('one-kernel', {
      nodeSelector: { matchExpressions: [{ key: 'pool', operator: 'NotIn', values: ['node-a'] }] },
    });
    expect(await fleet.untilStatus('one-kernel', 'True/Loaded')).toMatchObject({ loaded: '1/1', nodes: { notSelected: 1 } });
    fleet.rows.clear();
    await fleet.policies.remove('one-kernel');
  });

  test('a bad edit unloads nothing, not even when the controller is killed afterwards', async () => {
    const { metadata } = await fleet.policies.create('kept', denies('/etc/c'));
    const good = await fleet.untilStatus('kept', 'True/Loaded');
    const misspelt = { hook: 'file_open', typo: true };
    await fleet.policies.edit('kept', { lsmhooks: [misspelt] });
    const bad = await fleet.untilStatus('kept', 'False/InvalidSpec');
    say(conditionOf(bad, 'Ready')?.message ?? '');
    expect(bad.digest).toBe(good.digest);
    expect(fleet.agents.get('node-a')?.entries.get(metadata.uid)?.digest).toBe(good.digest);
    process.kill(fleet.controller.pid() ?? 0, 'SIGKILL');
    await Promise.all([...fleet.agents.values()].map((agent) => agent.closed));
    await fleet.connectAll();
    await waitUntil('hold', () => (fleet.agents.get('node-a')?.entries.get(metadata.uid)?.digest === null ? true : undefined), {
      timeoutMs: 20_000,
    });
    const held = await waitUntil(
      'both to say that they hold it',
      async () => ((await fleet.statusOf('kept')).loaded === '2/2' ? fleet.statusOf('kept') : undefined),
      { timeoutMs: 20_000 },
    );
    expect(conditionOf(held, 'Ready')).toMatchObject({ status: 'False', reason: 'InvalidSpec' });
    expect(conditionOf(held, 'Ready')?.message).toContain('the last good version goes on running on 2 nodes');
    await fleet.policies.edit('kept', denies('/etc/d'));
    await fleet.untilStatus('kept', 'True/Loaded', 3);
    await fleet.policies.remove('kept');
  });

  test('beside agents of upstream nothing new loads, and what runs goes on', async () => {
    const { metadata } = await fleet.policies.create('before', denies('/etc/e'));
    await fleet.untilStatus('before', 'True/Loaded');
    await fleet.admin.create(PODS, 'default', {
      metadata: { name: 'tetragon', labels: { 'app.kubernetes.io/name': 'tetragon' } },
      spec: {
        nodeName: 'node-a',
        automountServiceAccountToken: false,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'a', image: 'none' }],
      },
    });
    await fleet.untilStatus('before', 'False/ForeignAgent');
    expect(fleet.holds('node-a', metadata.uid)).toBe(true);
    await fleet.admin.remove(PODS, { namespace: 'default', name: 'tetragon' }, {});
    await fleet.api.kubectl.run(['delete', 'pod', '-n', 'default', 'tetragon', '--force', '--grace-period=0', '--ignore-not-found']);
    await fleet.untilStatus('before', 'True/Loaded');
    await fleet.policies.remove('before');
  });

  test('a node that falls silent is unreachable after its time, and welcome back', async () => {
    await fleet.policies.create('silent', denies('/etc/f'));
    await fleet.untilStatus('silent', 'True/Loaded');
    fleet.agents.get('node-b')?.close();
    const status = await waitUntil(
      'unreachable',
      async () => ((await fleet.statusOf('silent')).nodes?.unreachable === 1 ? fleet.statusOf('silent') : undefined),
      {
        timeoutMs: 40_000,
      },
    );
    expect(status).toMatchObject({ loaded: '1/2' });
    await fleet.connect('node-b');
    await waitUntil('reachable', async () => ((await fleet.statusOf('silent')).loaded === '2/2' ? true : undefined), { timeoutMs: 20_000 });
    await fleet.policies.remove('silent');
  });

  test('a kind that lost its status goes on being distributed, and its status comes back', async () => {
    const crd = 'tracingpolicies.cilium.io';
    const patch = (value: object): Promise<string> =>
      fleet.api.kubectl.run([
        'patch',
        'crd',
        crd,
        '--type=json',
        '-p',
        JSON.stringify([{ op: 'replace', path: '/spec/versions/0/subresources', value }]),
      ]);
    await patch({});
    const { metadata } = await waitUntil('a policy', () => fleet.policies.create('stripped', denies('/etc/g')).catch(() => undefined), {
      timeoutMs: 20_000,
    });
    await waitUntil('distribution', () => (fleet.holds('node-a', metadata.uid) ? true : undefined), { timeoutMs: 20_000 });
    await waitUntil('the metric', async () => ((await fleet.metric('palisade_status_unavailable')) > 0 ? true : undefined), {
      timeoutMs: 20_000,
    });
    await patch({ status: {} });
    await fleet.untilStatus('stripped', 'True/Loaded');
    expect(await fleet.metric('palisade_status_unavailable')).toBe(0);
    await fleet.policies.remove('stripped');
  });
});

describe('pods', () => {
  test('reach the agent of their node as soon as they are bound, and go when they are deleted', async () => {
    const startMs = performance.now();
    const pod = await fleet.admin.create(PODS, 'default', {
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        nodeName: 'node-b',
        hostNetwork: true,
        automountServiceAccountToken: false,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'c', image: 'busybox' }],
      },
    });
    const { uid } = pod.metadata;
    await waitUntil('the pod', () => (fleet.agents.get('node-b')?.pods.has(uid) === true ? true : undefined), { timeoutMs: 10_000 });
    say(`bound to known on the node: ${Math.round(performance.now() - startMs)} ms`);
    expect(fleet.agents.get('node-b')?.pods.get(uid)).toMatchObject({
      ns: 'default',
      name: 'web',
      labels: { app: 'web' },
      host: { net: true },
    });
    expect(fleet.agents.get('node-a')?.pods.has(uid)).toBe(false);
    await fleet.api.kubectl.run(['delete', 'pod', '-n', 'default', 'web', '--force', '--grace-period=0']);
    await waitUntil('its end', () => (fleet.agents.get('node-b')?.pods.has(uid) === true ? undefined : true), { timeoutMs: 10_000 });
  });
});

describe('pods of a tenant that means harm', () => {
  const spec = {
    nodeName: 'node-b',
    automountServiceAccountToken: false,
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name: 'c', image: 'busybox' }],
  };
  const onNode = (uid: string) => fleet.agents.get('node-b')?.pods.get(uid);

  test('do not pass for another pod by the annotations of a static one, and do not cut their node off by the owner they name', async () => {
    const victim = await fleet.admin.create(PODS, 'default', { metadata: { name: 'victim' }, spec });
    const claimed = { 'kubernetes.io/config.mirror': victim.metadata.uid, 'kubernetes.io/config.hash': victim.metadata.uid };
    const forged = await fleet.admin.create(PODS, 'default', {
      metadata: { name: 'forged', annotations: claimed },
      // As the API server wants it of such a pod.
      spec: { ...spec, serviceAccountName: '' },
    });
    const odd = await fleet.admin.create(PODS, 'default', {
      metadata: {
        name: 'odd',
        labels: { 'pod-template-hash': '5d4' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: '-5d4', uid: victim.metadata.uid, controller: true }],
      },
      spec,
    });
    await waitUntil('all three', () => (onNode(odd.metadata.uid) === undefined ? undefined : true), { timeoutMs: 10_000 });
    expect(onNode(forged.metadata.uid)?.cgroupUid).toBe(forged.metadata.uid);
    expect(onNode(victim.metadata.uid)?.cgroupUid).toBe(victim.metadata.uid);
    expect(onNode(odd.metadata.uid)?.workload).toEqual(['ReplicaSet', '-5d4']);
    await fleet.api.kubectl.run(['delete', 'pod', '-n', 'default', 'victim', 'forged', 'odd', '--force', '--grace-period=0']);
  });
});

describe('many policies at once', () => {
  test('300 are accepted and ready within seconds, with few writes', async () => {
    const before = await fleet.metric('palisade_status_writes_total');
    const manifests = Array.from({ length: 300 }, (_, index) =>
      JSON.stringify({
        apiVersion: 'cilium.io/v1alpha1',
        kind: 'TracingPolicy',
        metadata: { name: `many-${index}` },
        spec: denies(`/etc/many-${index}`),
      }),
    );
    const startMs = performance.now();
    await runCommand([`${fleet.api.binaries}/kubectl`, '--kubeconfig', fleet.api.controlPlane.kubeconfigFile, 'create', '-f', '-'], {
      input: manifests.join('\n---\n'),
    });
    say(`created in ${Math.round(performance.now() - startMs)} ms`);
    await waitUntil(
      'all ready',
      async () => {
        const all = await fleet.policies.list();
        return all.every(({ status }) => conditionOf(status, 'Ready')?.status === 'True') ? true : undefined;
      },
      { timeoutMs: 60_000 },
    );
    const writes = (await fleet.metric('palisade_status_writes_total')) - before;
    say(`all ready after ${Math.round(performance.now() - startMs)} ms with ${(writes / 300).toFixed(1)} writes per policy`);
    expect(fleet.agents.get('node-a')?.entries.size).toBe(300);
  });
});

describe('the read API', () => {
  test('shows people who may get policies what every node runs, and nobody else', async () => {
    expect(await fleet.ask('GET', '/v1/policies', await fleet.personWith('nobody', null))).toMatchObject({ status: 403 });
    const { status, body } = await fleet.ask('GET', '/v1/policies', await fleet.personWith('reader', 'palisade-cluster-view'));
    expect(status).toBe(200);
    expect(overviewSchema.parse(body).policies.find((policy) => policy.name === 'many-7')?.nodes).toEqual([
      expect.objectContaining({ node: 'node-a', kernel: '6.1.0-1-amd64', state: 'loaded', method: 'lsm', mode: 'enforce' }),
      expect.objectContaining({ node: 'node-b', kernel: '6.12.0-1-amd64', state: 'loaded', method: 'lsm', mode: 'enforce' }),
    ]);
  });
});

describe('the end', () => {
  test('SIGTERM sends the agents away, and the controller ends by itself', async () => {
    const restarts = fleet.controller.restarts();
    process.kill(fleet.controller.pid() ?? 0, 'SIGTERM');
    const ends = await Promise.all([...fleet.agents.values()].map((agent) => agent.closed));
    expect(ends.map((end) => end.code)).toEqual([1001, 1001]);
    for (const agent of fleet.agents.values()) {
      expect(agent.received.some((frame) => frame.t === 'goaway')).toBe(true);
    }
    await waitUntil('the restart', async () => (fleet.controller.restarts() > restarts ? true : undefined), { timeoutMs: 15_000 });
    await fleet.untilReady();
  });

  test('who may delete policies may take everything from the kernels; who may only look may not', async () => {
    await fleet.connectAll();
    const reader = await fleet.personWith('reader', 'palisade-cluster-view');
    expect(await fleet.ask('POST', '/v1/teardown', reader)).toMatchObject({ status: 403 });
    const admin = await fleet.personWith('admin', 'palisade-cluster-admin');
    expect(await fleet.ask('POST', '/v1/teardown', admin)).toMatchObject({ status: 200, body: { started: true } });
    await waitUntil(
      'both nodes to confirm',
      async () => (JSON.stringify((await fleet.ask('GET', '/v1/teardown', reader)).body).split('"done"').length === 3 ? true : undefined),
      { timeoutMs: 20_000 },
    );
    expect([...fleet.agents.values()].map((agent) => agent.entries.size)).toEqual([0, 0]);
  });

  test('was never denied anything by the API server', async () => {
    expect(await (await fetch(`${fleet.probes}/metrics`)).text()).not.toContain('result="Forbidden"');
  });
});
