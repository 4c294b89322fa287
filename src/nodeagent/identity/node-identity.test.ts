import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PAL_CLASS_PENDING } from '../../abi/layout.ts';
import type { CgroupRecord } from '../../abi/record-types.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { NodeIdentity } from './node-identity.ts';

const UID = '8a5d5a2c-1f3b-4c7e-9d6a-0b1c2d3e4f50';
const pod = {
  uid: UID,
  cgroupUid: UID,
  ns: 'default',
  name: 'web',
  labels: {},
  workload: null,
  host: { pid: false, net: false },
  containers: [],
};
const made = (id: bigint, parentId: bigint, name: string, scopeClass = PAL_CLASS_PENDING): CgroupRecord => ({
  kind: 'cgroup',
  header: { length: 0, kind: 8, flags: 0, ring: 'critical', cpu: 0, seq: 0n, ktimeNs: 0n, generation: 0, hook: 0 },
  id,
  parentId,
  podId: 0n,
  operation: 1,
  scopeClass,
  name: Buffer.from(name),
});

function setUp(root = '/nowhere') {
  let changes = 0;
  const clock = createFakeClock();
  const identity = new NodeIdentity({
    root,
    walkMs: 1000,
    podFile: null,
    clock,
    log: silentLog,
    onChange: () => {
      changes += 1;
    },
  });
  identity.note(made(1n, 0n, 'kubepods', 0));
  return { identity, clock, changes: () => changes };
}

describe('Who is on a node', () => {
  test('is told to the kernel when the pod comes first, and when the cgroup does', () => {
    const podFirst = setUp();
    podFirst.identity.applyPods({ t: 'pods', put: [pod], gone: [] });
    expect(podFirst.changes()).toBe(1);
    podFirst.identity.note(made(2n, 1n, `pod${UID}`));
    expect(podFirst.changes()).toBe(2);
    expect(podFirst.identity.scope().cgroups).toContainEqual([2n, { podUid: UID, podCgroupId: 2n, containerId: null }]);

    const cgroupFirst = setUp();
    cgroupFirst.identity.note(made(2n, 1n, `pod${UID}`));
    expect(cgroupFirst.changes()).toBe(0);
    cgroupFirst.identity.applyPods({ t: 'pods', put: [pod], gone: [] });
    expect(cgroupFirst.changes()).toBe(1);
  });

  test('needs no word when the kernel knew the pod already', () => {
    const { identity, changes } = setUp();
    identity.applyPods({ t: 'pods', put: [pod], gone: [] });
    identity.note(made(2n, 1n, `pod${UID}`, 7));
    expect(changes()).toBe(1);
  });

  test('and whose cgroup was made during a walk that did not come by it any more is not forgotten a minute later', async () => {
    const root = await mkdtemp(join(tmpdir(), 'cgroups-'));
    await mkdir(join(root, 'kubepods'));
    const { identity, clock } = setUp(root);
    const walk = identity.walk();
    identity.note(made(2n, 1n, `pod${UID}`));
    await walk;
    await clock.advance(90_000);
    identity.note(made(9n, 1n, `pod${UID.replaceAll('8', '9')}`));
    identity.note({ ...made(9n, 1n, ''), operation: 2 });
    expect(identity.cgroups.get(2n)?.podUid).toBe(UID);
    await rm(root, { recursive: true });
  });

  test('and was deleted by force stays what it is until its cgroups are gone: its containers may run on for hours', async () => {
    const { identity, clock } = setUp();
    identity.applyPods({ t: 'pods', full: true, put: [pod], gone: [] });
    identity.note(made(2n, 1n, `pod${UID}`));
    identity.applyPods({ t: 'pods', put: [], gone: [UID] });
    await clock.advance(3_600_000);
    identity.applyPods({ t: 'pods', full: true, put: [], gone: [] });
    expect(identity.linkPods()).toEqual([{ uid: UID, namespace: 'default', labels: {} }]);
    expect(identity.identities.ofCgroup(2n)).toMatchObject({ state: 'pod', pod: { name: 'web' } });
    identity.note({ ...made(2n, 1n, ''), operation: 2 });
    expect(identity.linkPods()).toEqual([]);
  });

  test('is one pod when the API makes the copy of a static pod anew', () => {
    const { identity } = setUp();
    identity.applyPods({ t: 'pods', put: [pod], gone: [] });
    identity.note(made(2n, 1n, `pod${UID}`));
    identity.applyPods({ t: 'pods', put: [{ ...pod, uid: 'again' }], gone: [UID] });
    expect(identity.linkPods()).toHaveLength(1);
  });
});
