import { readCgroupName } from './cgroup-name.ts';

/** What a cgroup below kubepods belongs to. */
export type CgroupOwner = {
  /** Uid in the pod's cgroup name; null: kubepods itself or a QoS level. */
  readonly podUid: string | null;
  /** Cgroup id of the pod's own level; 0n at the root levels. */
  readonly podCgroupId: bigint;
  readonly containerId: string | null;
};

/** One directory, as the walk or the kernel's record of its creation tells it. */
export type CgroupSeen = { readonly id: bigint; readonly parentId: bigint; readonly name: string };

const MAX_CGROUPS = 65_536;

/**
 * Cgroup id → pod and container, for what lies under kubepods; all other cgroups are the host's and are not kept. A cgroup inherits from
 * its parent, so that one that a container makes for itself belongs to the container.
 */
export class CgroupIndex {
  readonly #owners = new Map<bigint, CgroupOwner>();
  /** The newest cgroup of each pod's own level. */
  readonly #pods = new Map<string, bigint>();
  /** Released cgroups with the time of their release: events of dead containers still ask for them. */
  readonly #released = new Map<bigint, number>();
  readonly #keepReleasedMs: number;
  /** Cgroups that were not taken in because there are too many. */
  overflows = 0;

  constructor(options: { keepReleasedMs: number }) {
    this.#keepReleasedMs = options.keepReleasedMs;
  }

  get(id: bigint): CgroupOwner | undefined {
    return this.#owners.get(id);
  }

  /** Whether the pod's own level is there, as far as is known. */
  hasPod(podUid: string): boolean {
    const id = this.#pods.get(podUid);
    return id !== undefined && this.#owners.has(id) && !this.#released.has(id);
  }

  entries(): Iterable<[bigint, CgroupOwner]> {
    return this.#owners.entries();
  }

  /** Cgroups that are there, as far as is known. */
  present(): Set<bigint> {
    return new Set(this.#owners.keys().filter((id) => !this.#released.has(id)));
  }

  /** Returns the owner if the directory is under kubepods. A released id that is seen again is another cgroup, or was not released at all. */
  add(seen: CgroupSeen): CgroupOwner | undefined {
    const known = this.#owners.get(seen.id);
    if (known !== undefined && !this.#released.delete(seen.id)) return known;
    const owner = this.#ownerOf(seen);
    if (owner === undefined) {
      this.#owners.delete(seen.id);
      return undefined;
    }
    if (known === undefined && this.#owners.size >= MAX_CGROUPS) {
      this.overflows += 1;
      return owner;
    }
    this.#owners.set(seen.id, owner);
    if (owner.podUid !== null && owner.podCgroupId === seen.id) this.#pods.set(owner.podUid, seen.id);
    return owner;
  }

  release(id: bigint, nowMs: number): void {
    if (this.#owners.has(id)) this.#released.set(id, nowMs);
    for (const [released, sinceMs] of this.#released) {
      if (nowMs - sinceMs < this.#keepReleasedMs) return;
      this.#released.delete(released);
      const podUid = this.#owners.get(released)?.podUid ?? null;
      this.#owners.delete(released);
      if (podUid !== null && this.#pods.get(podUid) === released) this.#pods.delete(podUid);
    }
  }

  /** Releases what was there before a complete walk (`present`) and was not found by it. What was made meanwhile it may have passed by. */
  keepOnly(found: ReadonlySet<bigint>, before: ReadonlySet<bigint>, nowMs: number): void {
    for (const id of before) if (!found.has(id) && !this.#released.has(id)) this.release(id, nowMs);
  }

  #ownerOf(seen: CgroupSeen): CgroupOwner | undefined {
    const parent = this.#owners.get(seen.parentId);
    const name = readCgroupName(seen.name);
    // Inside of a pod names are its own choice.
    if (parent === undefined || parent.podUid === null) {
      if (name.kind === 'root') return { podUid: null, podCgroupId: 0n, containerId: null };
      return name.kind === 'pod' ? { podUid: name.podUid, podCgroupId: seen.id, containerId: null } : undefined;
    }
    if (name.kind === 'container' && parent.containerId === null) return { ...parent, containerId: name.containerId };
    return parent;
  }
}
