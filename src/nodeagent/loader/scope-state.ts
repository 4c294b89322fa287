/** Which pods and cgroups the kernel should know, and the requests that bring it there. Pure. */
import {
  CGROUP_LAYOUT,
  MASK_LAYOUT,
  PAL_CG_POD,
  PAL_CG_ROOT,
  PAL_CLASS_HOST,
  PAL_CLASS_PENDING,
  PAL_PODNAME_MAX,
} from '../../abi/layout.ts';
import { maskBytes } from '../../abi/selector-mask.ts';
import type { LinkedHook } from '../../linker/linked-node.ts';
import type { PodClasses } from '../../linker/pod-classes.ts';
import { classRow } from '../../linker/scope.ts';
import { bytesTlv, type Tlv } from '../../protocol/loader-frames.ts';
import type { CgroupOwner } from '../identity/cgroup-index.ts';
import { podCgroupNames } from '../identity/cgroup-name.ts';
import type { LoaderRequest } from './generation-requests.ts';

export type KernelCgroup = { readonly scopeClass: number; readonly flags: number; readonly podCgroupId: bigint };

export type ScopeState = {
  /** Scope class by pod uid. */
  readonly pods: ReadonlyMap<string, number>;
  readonly cgroups: ReadonlyMap<bigint, KernelCgroup>;
  /** Classes whose rows are in the tables. */
  readonly classes: ReadonlySet<number>;
};

export const EMPTY_SCOPE_STATE: ScopeState = { pods: new Map(), cgroups: new Map(), classes: new Set() };

/** `owners`: what is known of cgroups under kubepods. A pod that is not known (yet) is pending. */
export function scopeStateOf(classes: PodClasses, owners: Iterable<readonly [bigint, CgroupOwner]>): ScopeState {
  const cgroups = new Map<bigint, KernelCgroup>();
  for (const [id, owner] of owners) {
    cgroups.set(
      id,
      owner.podUid === null
        ? { scopeClass: PAL_CLASS_HOST, flags: PAL_CG_ROOT, podCgroupId: 0n }
        : { scopeClass: classes.byPod.get(owner.podUid) ?? PAL_CLASS_PENDING, flags: PAL_CG_POD, podCgroupId: owner.podCgroupId },
    );
  }
  return { pods: classes.byPod, cgroups, classes: new Set(classes.members.keys()) };
}

/** No class has this number. */
const NO_CLASS = -1;

/** All rows of these states may be in the kernel, with whatever content: its tables outlive loaders, and names of pods are never reused. */
export function doubtfulState(...states: readonly ScopeState[]): ScopeState {
  const doubtful: KernelCgroup = { scopeClass: NO_CLASS, flags: 0, podCgroupId: 0n };
  return {
    pods: new Map(states.flatMap(({ pods }) => Array.from(pods.keys(), (uid) => [uid, NO_CLASS]))),
    cgroups: new Map(states.flatMap(({ cgroups }) => Array.from(cgroups.keys(), (id) => [id, doubtful]))),
    classes: new Set(),
  };
}

const ROWS_PER_REQUEST = 4096;
const CGROUP_ROW_BYTES = 8 + CGROUP_LAYOUT.bytes;
const PODNAME_ROW_BYTES = PAL_PODNAME_MAX + 8;
const CLASS_ROW_BYTES = 8 + MASK_LAYOUT.bytes;

/** In an order in which nothing points at a row that is not there yet. Empty when nothing changed. */
export function scopeRequests(
  before: ScopeState,
  after: ScopeState,
  hooks: readonly LinkedHook[],
  classes: PodClasses,
): readonly LoaderRequest[] {
  const fresh = [...classes.members].filter(([number]) => !before.classes.has(number));
  const scoped = hooks.filter((hook) => hook.scope.length > 0);
  const classRows = fresh.flatMap(([number, pod]) =>
    scoped.map((hook) => classRowBytes(hook.id, number, maskBytes(classRow(hook.scope, pod)))),
  );
  const names = [...after.pods]
    .filter(([uid, number]) => before.pods.get(uid) !== number)
    .flatMap(([uid, number]) => podCgroupNames(uid).map((name) => podNameRow(name, number)));
  const namesGone = [...before.pods.keys()].filter((uid) => !after.pods.has(uid)).flatMap((uid) => podCgroupNames(uid).map(podName));
  const cgroups = [...after.cgroups]
    .filter(([id, entry]) => !isSame(before.cgroups.get(id), entry))
    .map(([id, entry]) => cgroupRow(id, entry));
  const cgroupsGone = [...before.cgroups.keys()].filter((id) => !after.cgroups.has(id)).map(cgroupId);
  return [
    ...requestsOf('CLASS_ROW', classRows),
    ...requestsOf('PODNAME', names),
    ...requestsOf('PODNAME_GONE', namesGone),
    ...requestsOf('CGROUP', cgroups),
    ...requestsOf('CGROUP_GONE', cgroupsGone),
  ];
}

function requestsOf(
  tag: 'CLASS_ROW' | 'PODNAME' | 'PODNAME_GONE' | 'CGROUP' | 'CGROUP_GONE',
  rows: readonly Buffer[],
): readonly LoaderRequest[] {
  const requests: LoaderRequest[] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_REQUEST) {
    const tlvs: Tlv[] = [bytesTlv(tag, Buffer.concat(rows.slice(at, at + ROWS_PER_REQUEST)))];
    requests.push({ op: 'SCOPE', tlvs });
  }
  return requests;
}

function classRowBytes(hook: number, scopeClass: number, mask: Buffer): Buffer {
  const row = Buffer.alloc(CLASS_ROW_BYTES);
  row.writeUInt32LE(hook, 0);
  row.writeUInt32LE(scopeClass, 4);
  mask.copy(row, 8);
  return row;
}

function podName(name: string): Buffer {
  const bytes = Buffer.alloc(PAL_PODNAME_MAX);
  bytes.write(name.slice(0, PAL_PODNAME_MAX - 1), 'latin1');
  return bytes;
}

function podNameRow(name: string, scopeClass: number): Buffer {
  const row = Buffer.alloc(PODNAME_ROW_BYTES);
  podName(name).copy(row, 0);
  row.writeUInt32LE(scopeClass, PAL_PODNAME_MAX);
  return row;
}

function cgroupRow(id: bigint, entry: KernelCgroup): Buffer {
  const row = Buffer.alloc(CGROUP_ROW_BYTES);
  row.writeBigUInt64LE(id, 0);
  row.writeUInt32LE(entry.scopeClass, 8 + CGROUP_LAYOUT.at.cls);
  row.writeUInt32LE(entry.flags, 8 + CGROUP_LAYOUT.at.flags);
  row.writeBigUInt64LE(entry.podCgroupId, 8 + CGROUP_LAYOUT.at.pod);
  return row;
}

function cgroupId(id: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(id);
  return bytes;
}

function isSame(a: KernelCgroup | undefined, b: KernelCgroup): boolean {
  return a !== undefined && a.scopeClass === b.scopeClass && a.flags === b.flags && a.podCgroupId === b.podCgroupId;
}
