import { HUB_LIMITS, type HubPod, type Pods } from '../../protocol/hub-frames.ts';
import type { PodDelta } from '../fleet/pod-index.ts';

/** Pod changes of one node that were not sent yet; a later change of a pod replaces an earlier one. */
export type PodOutbox = {
  /** Everything is to be sent again. */
  reset(): void;
  add(delta: PodDelta, nowMs: number): void;
  /** When the oldest change came; null: nothing waits. */
  readonly sinceMs: number | null;
  readonly isFullDue: boolean;
  /** The next frame. What does not fit into it waits for the next one. */
  take(allPods: () => readonly HubPod[], nowMs: number): Pods;
};

/** Leaves room below the bound of a frame. */
const MAX_FRAME_BYTES = HUB_LIMITS.maxHubFrameBytes - 64 * 1024;

export function createPodOutbox(maxFrameBytes = MAX_FRAME_BYTES): PodOutbox {
  const put = new Map<string, HubPod>();
  const gone = new Set<string>();
  let isFullDue = true;
  let sinceMs: number | null = null;

  /** Takes out of `put` as many as fit into a frame. */
  const takePods = (): HubPod[] => {
    const taken: HubPod[] = [];
    let bytes = 0;
    for (const [uid, pod] of put) {
      bytes += Buffer.byteLength(JSON.stringify(pod)) + 1;
      if (taken.length > 0 && (bytes > maxFrameBytes || taken.length >= HUB_LIMITS.maxPodsPerNode)) {
        break;
      }
      taken.push(pod);
      put.delete(uid);
    }
    return taken;
  };

  return {
    reset: () => {
      put.clear();
      gone.clear();
      isFullDue = true;
      sinceMs = null;
    },
    add: (delta, nowMs) => {
      if (isFullDue) {
        return;
      }
      sinceMs ??= nowMs;
      if (delta.type === 'put') {
        put.set(delta.pod.uid, delta.pod);
        gone.delete(delta.pod.uid);
      } else {
        put.delete(delta.uid);
        gone.add(delta.uid);
      }
    },
    get sinceMs() {
      return sinceMs;
    },
    get isFullDue() {
      return isFullDue;
    },
    take: (allPods, nowMs) => {
      const isFull = isFullDue;
      if (isFull) {
        isFullDue = false;
        for (const pod of allPods()) {
          put.set(pod.uid, pod);
        }
      }
      const removed = [...gone].slice(0, HUB_LIMITS.maxPodsPerNode);
      for (const uid of removed) {
        gone.delete(uid);
      }
      const pods = takePods();
      sinceMs = put.size + gone.size === 0 ? null : (sinceMs ?? nowMs);
      return isFull ? { t: 'pods', full: true, put: pods, gone: removed } : { t: 'pods', put: pods, gone: removed };
    },
  };
}
