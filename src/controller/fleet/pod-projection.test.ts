import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/kube-object.ts';
import { HUB_LIMITS, podSchema } from '../../protocol/hub-frames.ts';
import { createAgentIndex } from './agent-index.ts';
import { projectPod, workloadOf } from './pod-projection.ts';

function pod(metadata: object, spec: object = {}, status: object = {}): KubeObject {
  return {
    metadata: { name: 'web-5d4-x', namespace: 'default', uid: 'u1', resourceVersion: '1', ...metadata },
    spec: { nodeName: 'a', containers: [{ name: 'c', image: 'busybox:1' }], ...spec },
    status,
  };
}

const HASH = 'a8c4f1d0e2b3958677c0ffee00112233';
const mirrorOf = (hash: string) => ({ 'kubernetes.io/config.hash': hash, 'kubernetes.io/config.mirror': hash });
const ownedBy = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, uid: 'o', controller: true }] });

describe('what a node is told about a pod', () => {
  test('names, labels, containers with their ids, and whether it shares namespaces with the host', () => {
    const { hub } = projectPod(
      pod(
        { labels: { app: 'web' } },
        { hostNetwork: true },
        {
          phase: 'Running',
          containerStatuses: [{ name: 'c', containerID: 'containerd://abc', state: { running: { startedAt: '2026-01-02T03:04:05Z' } } }],
        },
      ),
    );
    expect(hub).toEqual({
      uid: 'u1',
      cgroupUid: 'u1',
      ns: 'default',
      name: 'web-5d4-x',
      labels: { app: 'web' },
      workload: null,
      host: { pid: false, net: true },
      containers: [{ n: 'c', id: 'abc', image: 'busybox:1', started: Date.UTC(2026, 0, 2, 3, 4, 5) / 1_000 }],
    });
    expect(podSchema.parse(hub)).toEqual(hub);
  });

  test('a container that waits, or whose kubelet tells no time, has no start', () => {
    const startOf = (state: object): number | undefined =>
      projectPod(pod({}, {}, { containerStatuses: [{ name: 'c', containerID: 'containerd://abc', state }] })).hub.containers[0]?.started;
    expect(startOf({ waiting: { reason: 'CrashLoopBackOff' } })).toBeUndefined();
    expect(startOf({ running: { startedAt: null } })).toBeUndefined();
    expect(startOf({ running: { startedAt: 'soon' } })).toBeUndefined();
    expect(startOf({ terminated: { startedAt: '1970-01-01T00:00:09Z' } })).toBe(9);
  });

  test('a mirror pod goes by the uid of its cgroup', () => {
    expect(projectPod(pod({ annotations: mirrorOf(HASH) })).hub.cgroupUid).toBe(HASH);
  });

  test('whoever may create pods cannot pass for a pod whose uid he knows', () => {
    const victim = '0b9f3a52-3a4f-4c55-9d2b-7d1a3f6c2e10';
    for (const claimed of [victim, victim.replaceAll('-', '_'), 'f00', '', `${HASH}0`]) {
      expect(projectPod(pod({ annotations: mirrorOf(claimed) })).hub.cgroupUid).toBe('u1');
    }
  });

  test('a pod that merely carries the annotation of one does not', () => {
    expect(projectPod(pod({ annotations: { 'kubernetes.io/config.hash': HASH } })).hub.cgroupUid).toBe('u1');
  });

  test('readiness, phase and annotations change nothing', () => {
    const before = projectPod(pod({}, {}, { phase: 'Pending' })).hub;
    const after = projectPod(
      pod({ annotations: { a: 'b' }, resourceVersion: '2' }, {}, { phase: 'Running', conditions: [{ type: 'Ready' }] }),
    ).hub;
    expect(after).toEqual(before);
  });

  test('labels beyond the bound are left out and counted', () => {
    const labels = Object.fromEntries(Array.from({ length: HUB_LIMITS.maxPodLabels + 5 }, (_, at) => [`l${at}`, 'x']));
    const item = projectPod(pod({ labels }));
    expect(Object.keys(item.hub.labels)).toHaveLength(HUB_LIMITS.maxPodLabels);
    expect(item.omitted).toBe(5);
  });
});

describe('the workload of a pod', () => {
  const metadata = (labels: Record<string, string>, owner: object) => pod({ labels, ...owner }).metadata;

  test('fits into the frame whatever owner a pod claims to have: a frame that does not would cut its node off', () => {
    const odd = [
      metadata({ 'pod-template-hash': '5d4' }, ownedBy('ReplicaSet', '-5d4')),
      metadata({ 'pod-template-hash': '' }, ownedBy('ReplicaSet', '-')),
      metadata({ 'pod-template-hash': 'h' }, ownedBy('ReplicaSet', `${'x'.repeat(300)}-h`)),
      metadata({}, ownedBy('Job', `${'x'.repeat(300)}-28000000`)),
      metadata({}, ownedBy('K'.repeat(99), 'x'.repeat(300))),
    ];
    for (const one of odd) {
      expect(podSchema.shape.workload.safeParse(workloadOf(one)).success).toBe(true);
    }
  });

  test('is the Deployment behind its ReplicaSet', () => {
    expect(workloadOf(metadata({ 'pod-template-hash': '5d4' }, ownedBy('ReplicaSet', 'web-5d4')))).toEqual(['Deployment', 'web']);
  });

  test('is the ReplicaSet itself where no Deployment made it', () => {
    expect(workloadOf(metadata({}, ownedBy('ReplicaSet', 'web')))).toEqual(['ReplicaSet', 'web']);
  });

  test('is the CronJob behind its Job', () => {
    expect(workloadOf(metadata({}, ownedBy('Job', 'backup-28901234')))).toEqual(['CronJob', 'backup']);
    expect(workloadOf(metadata({}, ownedBy('Job', 'migrate')))).toEqual(['Job', 'migrate']);
  });

  test('is whatever else owns it, or nothing', () => {
    expect(workloadOf(metadata({}, ownedBy('DaemonSet', 'd')))).toEqual(['DaemonSet', 'd']);
    expect(workloadOf(metadata({}, {}))).toBeNull();
  });
});

describe('which pods are agents', () => {
  const labels = { 'app.kubernetes.io/name': 'palisade', 'app.kubernetes.io/component': 'agent' };
  const agent = (change: object = {}) => projectPod(pod({ namespace: 'palisade-system', labels, ...change }));

  test('those with our labels in our namespace, while they are not being deleted', () => {
    const index = createAgentIndex('palisade-system');
    expect(index.apply({ type: 'added', key: 'k', item: agent() })).toEqual(['a']);
    expect(index.podOn('a')?.uid).toBe('u1');
    expect(index.apply({ type: 'updated', key: 'k', item: agent({ deletionTimestamp: 'now' }), previous: agent() })).toEqual(['a']);
    expect(index.podOn('a')).toBeUndefined();
  });

  test('not those that call themselves so in another namespace', () => {
    const index = createAgentIndex('palisade-system');
    expect(index.apply({ type: 'added', key: 'k', item: agent({ namespace: 'team-a' }) })).toEqual([]);
    expect(index.podOn('a')).toBeUndefined();
  });

  test('a rolling update with two agents on a node for a moment is no change', () => {
    const index = createAgentIndex('palisade-system');
    index.apply({ type: 'added', key: 'k1', item: agent() });
    expect(index.apply({ type: 'added', key: 'k2', item: agent({ uid: 'u2' }) })).toEqual([]);
    expect(index.apply({ type: 'deleted', key: 'k1', item: agent() })).toEqual([]);
    expect(index.podOn('a')?.uid).toBe('u2');
  });

  test('agents of upstream are counted while they are there', () => {
    const index = createAgentIndex('palisade-system');
    const foreign = projectPod(pod({ labels: { 'app.kubernetes.io/name': 'tetragon' } }));
    index.apply({ type: 'added', key: 'k', item: foreign });
    expect(index.foreign()).toBe(1);
    index.apply({ type: 'deleted', key: 'k', item: foreign });
    expect(index.foreign()).toBe(0);
  });
});
