import { describe, expect, it } from 'vitest';
import { PAL_CG_POD, PAL_CG_ROOT, PAL_CLASS_PENDING } from '../../abi/layout.ts';
import { EMPTY_ALLOCATION } from '../../linker/allocation.ts';
import { link } from '../../linker/link.ts';
import { assignClasses } from '../../linker/pod-classes.ts';
import { testInput } from '../../linker/testing/kernels.ts';
import { fileOpenPolicy } from '../../linker/testing/policies.ts';
import type { CgroupOwner } from '../identity/cgroup-index.ts';
import { doubtfulState, EMPTY_SCOPE_STATE, scopeRequests, scopeStateOf } from './scope-state.ts';
import { bytesOf } from './testing/fake-loader.ts';

const uid = '11111111-2222-3333-4444-555555555555';
const pod = { uid, namespace: 'team-a', labels: { app: 'web' } };
const owner = (podUid: string | null): CgroupOwner => ({ podUid, podCgroupId: podUid === null ? 0n : 50n, containerId: null });
const classes = assignClasses(EMPTY_ALLOCATION.classes, [pod]);
const none = assignClasses(EMPTY_ALLOCATION.classes, []);
const hooks = link(testInput([fileOpenPolicy('team', { prefix: '/srv/' }, { namespace: 'team-a' })])).hooks;

describe('what the kernel is told of pods', () => {
  it('rows of a class come before the names and cgroups that point at it', () => {
    const after = scopeStateOf(classes, [[51n, owner(uid)]]);
    const requests = scopeRequests(EMPTY_SCOPE_STATE, after, hooks, classes);
    expect(requests.map((request) => request.tlvs.map((tlv) => tlv.tag))).toEqual([[64], [62], [60]]);
    const [row, names, cgroups] = requests;
    if (row === undefined || names === undefined || cgroups === undefined) throw new Error('three requests');
    const number = classes.byPod.get(uid);
    expect([bytesOf(row, 'CLASS_ROW').readUInt32LE(0), bytesOf(row, 'CLASS_ROW').readUInt32LE(4)]).toEqual([hooks[0]?.id, number]);
    expect(bytesOf(row, 'CLASS_ROW').readBigUInt64LE(8)).toBe(1n);
    expect(bytesOf(names, 'PODNAME').length).toBe(4 * 88);
    expect(bytesOf(names, 'PODNAME').toString('latin1', 0, 39)).toBe(`pod${uid}`);
    expect(bytesOf(names, 'PODNAME').readUInt32LE(80)).toBe(number);
    expect([
      bytesOf(cgroups, 'CGROUP').readBigUInt64LE(0),
      bytesOf(cgroups, 'CGROUP').readUInt32LE(8),
      bytesOf(cgroups, 'CGROUP').readUInt32LE(12),
    ]).toEqual([51n, number, PAL_CG_POD]);
  });

  it('a cgroup below kubepods whose pod nobody knows is pending, and the levels above pods are roots', () => {
    const state = scopeStateOf(none, [
      [7n, owner(null)],
      [51n, owner(uid)],
    ]);
    expect(state.cgroups.get(7n)).toMatchObject({ flags: PAL_CG_ROOT });
    expect(state.cgroups.get(51n)).toMatchObject({ scopeClass: PAL_CLASS_PENDING, flags: PAL_CG_POD, podCgroupId: 50n });
  });

  it('nothing is sent twice, and what is gone is taken back', () => {
    const state = scopeStateOf(classes, [[51n, owner(uid)]]);
    expect(scopeRequests(state, state, hooks, classes)).toEqual([]);
    const tags = scopeRequests(state, scopeStateOf(none, []), hooks, none).map((request) => request.tlvs[0]?.tag);
    expect(tags).toEqual([63, 61]);
  });

  it('a pod whose labels change gets another class, row first', () => {
    const before = scopeStateOf(classes, [[51n, owner(uid)]]);
    const moved = assignClasses(classes.space, [{ ...pod, labels: { app: 'db' } }]);
    expect(moved.byPod.get(uid)).not.toBe(classes.byPod.get(uid));
    const tags = scopeRequests(before, scopeStateOf(moved, [[51n, owner(uid)]]), hooks, moved).map((request) => request.tlvs[0]?.tag);
    expect(tags).toEqual([64, 62, 60]);
  });

  it('is sent anew to a loader of which nothing is known, and what ended meanwhile is taken back', () => {
    const state = scopeStateOf(classes, [[51n, owner(uid)]]);
    expect(scopeRequests(doubtfulState(state), state, hooks, classes)).toEqual(scopeRequests(EMPTY_SCOPE_STATE, state, hooks, classes));
    const tags = scopeRequests(doubtfulState(EMPTY_SCOPE_STATE, state), scopeStateOf(none, []), hooks, none).map(
      (request) => request.tlvs[0]?.tag,
    );
    expect(tags).toEqual(scopeRequests(state, scopeStateOf(none, []), hooks, none).map((request) => request.tlvs[0]?.tag));
  });
});
