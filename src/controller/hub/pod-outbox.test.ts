import { describe, expect, test } from 'vitest';
import type { HubPod } from '../../protocol/hub-frames.ts';
import { createPodOutbox } from './pod-outbox.ts';

function pod(uid: string, labels: Record<string, string> = {}): HubPod {
  return { uid, cgroupUid: uid, ns: 'default', name: uid, labels, workload: null, host: { pid: false, net: false }, containers: [] };
}

const put = (one: HubPod) => ({ node: 'a', type: 'put', pod: one }) as const;
const gone = (uid: string) => ({ node: 'a', type: 'gone', uid }) as const;

describe('pods that an agent is to be told', () => {
  test('are all of them at first, whatever changed before', () => {
    const outbox = createPodOutbox();
    outbox.add(put(pod('early')), 0);
    expect(outbox.take(() => [pod('a'), pod('b')], 1)).toMatchObject({ full: true, put: [{ uid: 'a' }, { uid: 'b' }] });
    expect(outbox.sinceMs).toBeNull();
  });

  test('are only the newest word on each of them afterwards', () => {
    const outbox = createPodOutbox();
    outbox.take(() => [], 0);
    outbox.add(put(pod('a')), 10);
    outbox.add(put(pod('a', { v: '2' })), 20);
    outbox.add(put(pod('b')), 30);
    outbox.add(gone('b'), 40);
    expect(outbox.sinceMs).toBe(10);
    expect(outbox.take(() => [], 50)).toEqual({ t: 'pods', put: [pod('a', { v: '2' })], gone: ['b'] });
  });

  test('that do not fit into one frame come in the next', () => {
    const outbox = createPodOutbox(300);
    const all = ['a', 'b', 'c', 'd', 'e'].map((uid) => pod(uid));
    const told = outbox.take(() => all, 5).put.map((one) => one.uid);
    expect(outbox.sinceMs).toBe(5);
    while (outbox.sinceMs !== null) {
      const frame = outbox.take(() => [], 6);
      expect(frame.full).toBeUndefined();
      told.push(...frame.put.map((one) => one.uid));
    }
    expect(told).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
