import { describe, expect, test } from 'vitest';
import { createPodIndex, type PodDelta } from './pod-index.ts';
import { type PodItem, projectPod } from './pod-projection.ts';

const HASH = 'a8c4f1d0e2b3958677c0ffee00112233';

/** A pod on node `a` that says it is the API's copy of the static pod with this hash. */
function mirror(namespace: string, uid: string, created: string, hash = HASH): PodItem {
  return projectPod({
    metadata: {
      name: 'kube-apiserver-a',
      namespace,
      uid,
      resourceVersion: '1',
      creationTimestamp: created,
      annotations: { 'kubernetes.io/config.hash': hash, 'kubernetes.io/config.mirror': hash },
    },
    spec: { nodeName: 'a', containers: [] },
    status: {},
  });
}

const real = mirror('kube-system', 'real', '2026-01-01T00:00:00Z');
const forged = mirror('team-evil', 'forged', '2026-02-01T00:00:00Z');
const added = (item: PodItem) => ({ type: 'added' as const, key: item.uid, item });
const deleted = (item: PodItem) => ({ type: 'deleted' as const, key: item.uid, item });
const told = (deltas: readonly PodDelta[]) =>
  deltas.map((delta) => (delta.type === 'put' ? [delta.pod.ns, delta.pod.cgroupUid] : delta.uid));

describe('a pod that passes for a static pod of its node', () => {
  test('gets none of its cgroups: they are of the older pod', () => {
    const index = createPodIndex();
    expect(told(index.apply(added(real)))).toEqual([['kube-system', HASH]]);
    expect(told(index.apply(added(forged)))).toEqual([['team-evil', 'forged']]);
    expect(index.disputed).toBe(1);
  });

  test('loses them when a list happens to name it first', () => {
    const index = createPodIndex();
    index.apply(added(forged));
    expect(told(index.apply(added(real)))).toEqual([
      ['team-evil', 'forged'],
      ['kube-system', HASH],
    ]);
    expect(index.podsOf('a').map((pod) => [pod.ns, pod.cgroupUid])).toEqual([
      ['team-evil', 'forged'],
      ['kube-system', HASH],
    ]);
  });

  test('does not inherit them while the kubelet makes its copy anew', () => {
    const index = createPodIndex();
    index.apply(added(real));
    index.apply(added(forged));
    expect(told(index.apply(deleted(real)))).toEqual(['real']);
    const again = mirror('kube-system', 'again', '2026-03-01T00:00:00Z');
    expect(told(index.apply(added(again)))).toEqual([['kube-system', HASH]]);
    expect(told(index.apply(deleted(forged)))).toEqual(['forged']);
    expect(index.disputed).toBe(0);
  });

  test('keeps no hash that it does not claim any more', () => {
    const index = createPodIndex();
    const changed = mirror('team-evil', 'forged', '2026-02-01T00:00:00Z', HASH.replace('a', 'b'));
    index.apply(added(forged));
    index.apply({ type: 'updated', key: 'forged', item: changed, previous: forged });
    const late = mirror('kube-system', 'late', '2026-03-01T00:00:00Z');
    expect(told(index.apply(added(late)))).toEqual([['kube-system', HASH]]);
  });
});
