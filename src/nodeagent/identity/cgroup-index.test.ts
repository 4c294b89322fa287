import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CgroupIndex } from './cgroup-index.ts';
import { podCgroupNames, readCgroupName } from './cgroup-name.ts';

const UID = '8a5d5a2c-1f3b-4c7e-9d6a-0b1c2d3e4f50';
const CONTAINER = 'c0ffee'.padEnd(64, '0');

describe('Names of cgroups', () => {
  test('say the pod in every spelling that a kubelet uses', () => {
    for (const name of podCgroupNames(UID)) expect(readCgroupName(name)).toEqual({ kind: 'pod', podUid: UID });
  });

  test('say the pod of a static pod, whose uid is a hash without hyphens', () => {
    const hash = 'd41d8cd98f00b204e9800998ecf8427e';
    for (const name of podCgroupNames(hash)) expect(readCgroupName(name)).toEqual({ kind: 'pod', podUid: hash });
  });

  test('say the container of all runtimes', () => {
    for (const name of [CONTAINER, `cri-containerd-${CONTAINER}.scope`, `crio-${CONTAINER}.scope`, `docker-${CONTAINER}.scope`]) {
      expect(readCgroupName(name)).toEqual({ kind: 'container', containerId: CONTAINER });
    }
  });

  test('of any other kind say nothing', () => {
    for (const name of ['system.slice', 'podman', 'pod', `pod${UID}x`, 'init.scope', ''])
      expect(readCgroupName(name)).toEqual({ kind: 'other' });
    fc.assert(
      fc.property(
        fc.string(),
        (name) => ['other', 'root'].includes(readCgroupName(name).kind) || /[0-9a-f]{32}/.test(name.replaceAll(/[-_]/g, '')),
      ),
    );
  });
});

describe('The index of cgroups', () => {
  const index = (): CgroupIndex => {
    const cgroups = new CgroupIndex({ keepReleasedMs: 1000 });
    cgroups.add({ id: 1n, parentId: 0n, name: 'kubepods.slice' });
    cgroups.add({ id: 2n, parentId: 1n, name: 'kubepods-burstable.slice' });
    cgroups.add({ id: 3n, parentId: 2n, name: `kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice` });
    cgroups.add({ id: 4n, parentId: 3n, name: `cri-containerd-${CONTAINER}.scope` });
    return cgroups;
  };

  test('knows pod and container, and lets a container’s own cgroups inherit', () => {
    const cgroups = index();
    cgroups.add({ id: 5n, parentId: 4n, name: 'init.scope' });
    expect(cgroups.get(4n)).toEqual({ podUid: UID, podCgroupId: 3n, containerId: CONTAINER });
    expect(cgroups.get(5n)).toEqual({ podUid: UID, podCgroupId: 3n, containerId: CONTAINER });
    expect(cgroups.hasPod(UID)).toBe(true);
    cgroups.release(3n, 0);
    expect(cgroups.hasPod(UID)).toBe(false);
  });

  test('is not fooled by a container that names its own cgroup after another pod', () => {
    const cgroups = index();
    cgroups.add({ id: 6n, parentId: 4n, name: 'pod00000000-0000-0000-0000-000000000000' });
    expect(cgroups.get(6n)?.podUid).toBe(UID);
  });

  test('is not fooled by a container that names its own cgroup like the root of all pods', () => {
    const cgroups = index();
    const inner = cgroups.add({ id: 5n, parentId: 4n, name: 'kubepods' });
    expect(inner).toEqual({ podUid: UID, podCgroupId: 3n, containerId: CONTAINER });
    const OTHER = UID.replaceAll('8', '9');
    expect(cgroups.add({ id: 6n, parentId: 5n, name: `pod${OTHER}` })?.podUid).toBe(UID);
  });

  test('leaves the host’s cgroups out', () => {
    const cgroups = index();
    expect(cgroups.add({ id: 9n, parentId: 8n, name: 'ssh.service' })).toBeUndefined();
    expect(cgroups.get(9n)).toBeUndefined();
  });

  test('remembers a released cgroup for the events that still come', () => {
    const cgroups = index();
    cgroups.release(4n, 0);
    expect(cgroups.get(4n)).toBeDefined();
    cgroups.release(3n, 2000);
    expect(cgroups.get(4n)).toBeUndefined();
  });

  test('knows a cgroup that is seen again as what it is now, and for good', () => {
    const cgroups = index();
    cgroups.release(4n, 0);
    expect(cgroups.add({ id: 4n, parentId: 3n, name: 'init' })?.containerId).toBeNull();
    cgroups.release(3n, 5000);
    expect(cgroups.get(4n)).toEqual({ podUid: UID, podCgroupId: 3n, containerId: null });
  });
});
