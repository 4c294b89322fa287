import { PAL_CLASS_PENDING, PAL_CLASS_UNKNOWN } from '../../abi/layout.ts';
import type { CgroupRecord } from '../../abi/record-types.ts';
import type { LinkPod } from '../../linker/link-input.ts';
import { HUB_LIMITS, type Pods } from '../../protocol/hub-frames.ts';
import { sleep, type Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Identities } from '../events/identities.ts';
import { CgroupIndex, type CgroupOwner } from './cgroup-index.ts';
import { walkCgroups } from './cgroup-walk.ts';
import { nodeIdentities } from './node-identities.ts';
import { readPodFile, writePodFile } from './pod-file.ts';
import { PodTable } from './pod-table.ts';

export type NodeIdentityOptions = {
  readonly root: string;
  readonly walkMs: number;
  /** Where pods are remembered over a restart; null: nowhere. */
  readonly podFile: string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Pods or cgroups changed: events may have waited for it, and scopes must follow. */
  readonly onChange: () => void;
};

/** Events of what has ended still ask who it was. */
const KEEP_GONE_MS = 60_000;
const OP_RELEASE = 2;

/** Pods and cgroups of this node, from the hub, the kernel's records and walks over the tree. */
export class NodeIdentity {
  readonly #options: NodeIdentityOptions;
  readonly #pods = new PodTable({ keepGoneMs: KEEP_GONE_MS, isAlive: (cgroupUid) => this.cgroups.hasPod(cgroupUid) });
  #isWriting = false;
  #isStale = false;
  #isForgetful = false;
  readonly cgroups = new CgroupIndex({ keepReleasedMs: KEEP_GONE_MS });
  readonly identities: Identities;

  constructor(options: NodeIdentityOptions) {
    this.#options = options;
    this.identities = nodeIdentities(this.cgroups, this.#pods);
  }

  get podCount(): number {
    return this.#pods.size;
  }

  /** For the linker: pods by the uid that is in their cgroups' names. */
  linkPods(): LinkPod[] {
    return this.#pods.all().map((pod) => ({ uid: pod.cgroupUid, namespace: pod.ns, labels: pod.labels }));
  }

  /** Pods and cgroups as the kernel should know them. */
  scope(): { readonly pods: readonly LinkPod[]; readonly cgroups: readonly [bigint, CgroupOwner][] } {
    return { pods: this.linkPods(), cgroups: [...this.cgroups.entries()] };
  }

  /** Takes in the pods of before the restart; the hub's first list replaces them. */
  async open(): Promise<void> {
    const { podFile, clock } = this.#options;
    if (podFile === null) return;
    this.#pods.apply({ t: 'pods', put: [...(await readPodFile(podFile))], gone: [] }, clock.monotonicMs());
  }

  /** From now on nothing is written any more. */
  stopRemembering(): void {
    this.#isForgetful = true;
  }

  applyPods(frame: Pods): void {
    this.#pods.apply(frame, this.#options.clock.monotonicMs());
    this.#save();
    this.#options.onChange();
  }

  /**
   * The kernel made or released a cgroup. The kubelet makes a pod's cgroup as soon as the pod is bound, often before the hub's word of it is
   * here, and the record of it may come after that word: whichever is second must tell the kernel.
   */
  note(record: CgroupRecord): void {
    if (record.operation === OP_RELEASE) {
      this.cgroups.release(record.id, this.#options.clock.monotonicMs());
      return;
    }
    const owner = this.cgroups.add({ id: record.id, parentId: record.parentId, name: record.name.toString('utf8') });
    const isPending = record.scopeClass === PAL_CLASS_PENDING || record.scopeClass === PAL_CLASS_UNKNOWN;
    if (isPending && owner !== undefined && owner.podUid !== null && this.#pods.byCgroupUid(owner.podUid) !== undefined)
      this.#options.onChange();
  }

  /** Takes in what is there now; true if something was new. */
  async walk(): Promise<boolean> {
    const before = this.cgroups.present();
    const tooMany = this.cgroups.overflows;
    const found = await walkCgroups(this.#options.root);
    let isNew = false;
    for (const seen of found) {
      isNew ||= this.cgroups.get(seen.id) === undefined;
      this.cgroups.add(seen);
    }
    this.cgroups.keepOnly(new Set(found.map(({ id }) => id)), before, this.#options.clock.monotonicMs());
    const leftOut = this.cgroups.overflows - tooMany;
    if (leftOut > 0) this.#options.log.error('More cgroups than can be known: policies about pods do not see the rest', { leftOut });
    return isNew;
  }

  /** One write at a time, the last one with the newest pods. */
  #save(): void {
    const { podFile, log } = this.#options;
    this.#isStale = true;
    if (podFile === null || this.#isWriting || this.#isForgetful) return;
    this.#isWriting = true;
    this.#writeAll(podFile)
      .catch((error: unknown) => log.warn('Could not remember the pods', { error }))
      .finally(() => {
        this.#isWriting = false;
      });
  }

  async #writeAll(podFile: string): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await writePodFile(podFile, this.#pods.all().slice(0, HUB_LIMITS.maxPodsPerNode));
    }
  }

  /** Walks again and again, for cgroups whose records were lost. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, walkMs, log } = this.#options;
    while (!signal.aborted) {
      await sleep(clock, walkMs, signal);
      if (signal.aborted) return;
      try {
        if (await this.walk()) this.#options.onChange();
      } catch (error) {
        log.warn('Could not walk the cgroup tree', { error });
      }
    }
  }
}
