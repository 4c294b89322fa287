import type { HubPod, Pods } from '../../protocol/hub-frames.ts';
import type { EventContainer, EventPod } from '../events/event.ts';

export type PodTableOptions = {
  /** How long a pod that is gone is remembered for the events that still arrive. */
  readonly keepGoneMs: number;
  /** Whether the pod still has cgroups. */
  readonly isAlive: (cgroupUid: string) => boolean;
};

/** The pods of this node, as the hub tells them. */
export class PodTable {
  readonly #byUid = new Map<string, HubPod>();
  readonly #byCgroupUid = new Map<string, HubPod>();
  /** Pods that the hub says are gone: events of them still arrive, and some of them still run. */
  readonly #gone = new Map<string, { readonly pod: HubPod; readonly sinceMs: number }>();
  readonly #options: PodTableOptions;

  constructor(options: PodTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byUid.size;
  }

  /**
   * All pods that run here. Those that the API does not know any more are among them until their cgroups are gone: whoever may delete a pod
   * by force may leave its containers running for hours, and they are to be what they were.
   */
  all(): HubPod[] {
    const left = Array.from(this.#gone.values(), ({ pod }) => pod);
    return [
      ...this.#byUid.values(),
      ...left.filter(({ cgroupUid }) => !this.#byCgroupUid.has(cgroupUid) && this.#options.isAlive(cgroupUid)),
    ];
  }

  byCgroupUid(cgroupUid: string): HubPod | undefined {
    return this.#byCgroupUid.get(cgroupUid) ?? this.#gone.get(cgroupUid)?.pod;
  }

  apply(frame: Pods, nowMs: number): void {
    const gone = frame.full === true ? this.#absentFrom(frame.put) : frame.gone;
    for (const uid of gone) this.#remove(uid, nowMs);
    for (const pod of frame.put) {
      const old = this.#byUid.get(pod.uid);
      if (old !== undefined && old.cgroupUid !== pod.cgroupUid) this.#release(old);
      this.#byUid.set(pod.uid, pod);
      this.#byCgroupUid.set(pod.cgroupUid, pod);
    }
    for (const [cgroupUid, { sinceMs }] of this.#gone) {
      if (nowMs - sinceMs < this.#options.keepGoneMs) break;
      if (!this.#options.isAlive(cgroupUid)) this.#gone.delete(cgroupUid);
    }
  }

  #absentFrom(pods: readonly HubPod[]): string[] {
    const present = new Set(pods.map((pod) => pod.uid));
    return [...this.#byUid.keys()].filter((uid) => !present.has(uid));
  }

  #remove(uid: string, nowMs: number): void {
    const pod = this.#byUid.get(uid);
    if (pod === undefined) return;
    this.#byUid.delete(uid);
    this.#release(pod);
    this.#gone.set(pod.cgroupUid, { pod, sinceMs: nowMs });
  }

  /** The cgroups may be those of another pod by now. */
  #release({ uid, cgroupUid }: HubPod): void {
    if (this.#byCgroupUid.get(cgroupUid)?.uid === uid) this.#byCgroupUid.delete(cgroupUid);
  }
}

export type NamedPod = { readonly pod: EventPod; readonly complete: boolean };

/**
 * The pod as events show it. Which container a process is in follows from its cgroup; before the kubelet has reported the ids, the only
 * container of a pod is assumed, and `complete` is false so that whoever can wait does.
 */
export function namePod(pod: HubPod, containerId: string | null): NamedPod {
  const found = containerId === null ? undefined : pod.containers.find(({ id }) => id === containerId);
  const isWaiting = containerId !== null && found === undefined && pod.containers.some(({ id }) => id === undefined);
  const only = isWaiting && pod.containers.length === 1 ? pod.containers[0] : undefined;
  const shown = found ?? only;
  const [kind, name] = pod.workload ?? ['Pod', pod.name];
  const container: EventContainer | null =
    containerId === null ? null : { id: `containerd://${containerId}`, ...(shown === undefined ? {} : containerOf(shown, containerId)) };
  return {
    complete: !isWaiting,
    pod: {
      namespace: pod.ns,
      name: pod.name,
      uid: pod.uid,
      ...(container === null ? {} : { container }),
      ...(Object.keys(pod.labels).length === 0 ? {} : { pod_labels: pod.labels }),
      workload: name,
      workload_kind: kind,
    },
  };
}

/** The start belongs to the container with that id: after a restart the hub may not have told of the new one yet. */
function containerOf({ n, id, image, started }: HubPod['containers'][number], containerId: string): EventContainer {
  const isThis = id === containerId && started !== undefined;
  return { name: n, image: { name: image }, ...(isThis ? { start_time: secondsText(started) } : {}) };
}

/** As protobuf's JSON writes a time of whole seconds. */
function secondsText(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
