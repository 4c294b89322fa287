import { describe, expect, test } from 'vitest';
import type { HubPod } from '../../protocol/hub-frames.ts';
import { namePod, PodTable } from './pod-table.ts';

const pod = (fields: Partial<HubPod> = {}): HubPod => ({
  uid: 'u1',
  cgroupUid: 'u1',
  ns: 'default',
  name: 'web-1',
  labels: { app: 'web' },
  workload: ['Deployment', 'web'],
  host: { pid: false, net: false },
  containers: [{ n: 'web', image: 'busybox' }],
  ...fields,
});

describe('The pods of a node', () => {
  test('are replaced by a full list, changed by others, and remembered for a while when gone', () => {
    const table = new PodTable({ keepGoneMs: 1000, isAlive: () => false });
    table.apply({ t: 'pods', full: true, put: [pod(), pod({ uid: 'u2', cgroupUid: 'u2' })], gone: [] }, 0);
    table.apply({ t: 'pods', full: true, put: [pod()], gone: [] }, 10);
    expect(table.size).toBe(1);
    expect(table.byCgroupUid('u2')).toBeDefined();
    table.apply({ t: 'pods', put: [], gone: ['u1'] }, 2000);
    expect(table.byCgroupUid('u2')).toBeUndefined();
    expect(table.byCgroupUid('u1')?.name).toBe('web-1');
  });

  test('are found by the uid in the cgroup’s name, which differs for mirror pods', () => {
    const table = new PodTable({ keepGoneMs: 1000, isAlive: () => false });
    table.apply({ t: 'pods', put: [pod({ cgroupUid: 'hash' })], gone: [] }, 0);
    expect(table.byCgroupUid('hash')?.uid).toBe('u1');
  });
});

describe('A pod in an event', () => {
  test('has the container’s name and image once its id is known', () => {
    const known = namePod(
      pod({
        containers: [
          { n: 'side', id: 'aa', image: 'x' },
          { n: 'web', id: 'bb', image: 'busybox' },
        ],
      }),
      'bb',
    );
    expect(known).toMatchObject({
      complete: true,
      pod: {
        namespace: 'default',
        name: 'web-1',
        workload: 'web',
        workload_kind: 'Deployment',
        pod_labels: { app: 'web' },
        container: { name: 'web', image: { name: 'busybox' } },
      },
    });
  });

  test('says when the container began, unless that was told of the one before it', () => {
    const started = Date.UTC(2026, 0, 2, 3, 4, 5) / 1_000;
    const restarted = pod({ containers: [{ n: 'web', id: 'old', image: 'busybox', started }] });
    expect(namePod(restarted, 'old').pod.container).toMatchObject({ name: 'web', start_time: '2026-01-02T03:04:05Z' });
    expect(namePod(restarted, 'new').pod.container).not.toHaveProperty('start_time');
  });

  test('is worth waiting for while ids are missing, and then assumes the only container', () => {
    expect(namePod(pod(), 'bb')).toMatchObject({ complete: false, pod: { container: { name: 'web' } } });
    const two = namePod(
      pod({
        containers: [
          { n: 'a', image: 'x' },
          { n: 'b', image: 'y' },
        ],
      }),
      'bb',
    );
    expect(two.complete).toBe(false);
    expect(two.pod.container).not.toHaveProperty('name');
  });

  test('is complete, without a name, for the sandbox once all containers are known', () => {
    const sandbox = namePod(pod({ containers: [{ n: 'web', id: 'aa', image: 'x' }] }), 'ff');
    expect(sandbox.complete).toBe(true);
    expect(sandbox.pod.container).toEqual({ id: 'containerd://ff' });
  });

  test('without an owner is its own workload', () => {
    expect(namePod(pod({ workload: null }), null).pod).toMatchObject({ workload: 'web-1', workload_kind: 'Pod' });
  });
});
