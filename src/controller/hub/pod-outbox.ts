import { HUB_LIMITS, type HubPod, type Pods } from '../../protocol/hub-frames.ts';
import type { PodDelta } from '../fleet/pod-index.ts';

/** Pod changes of one node that were not sent yet; a later change of a pod replaces an earlier one. */
export type PodOutbox = {
  /** Everything is to be sent again. */
  reset(): void;
  add(delta: PodDelta, nowMs: number): void;
  /** When the oldest change came; null: nothing is due. */
  readonly sinceMs: number | null;
  readonly isFullDue: boolean;
  /** The frame that tells all that is due. `omitted`: pods beyond the bound, told later. */
  take(allPods: () => readonly HubPod[]): { readonly frame: Pods; readonly omitted: number };
};

/** Leaves room below the bound of a frame. */
const MAX_PUT_BYTES = HUB_LIMITS.maxHubFrameBytes - 64 * 1024;

export function createPodOutbox(): PodOutbox {
  const put = new Map<string, HubPod>();
  const gone = new Set<string>();
  let isFullDue = true;
  let sinceMs: number | null = null;
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
    take: (allPods) => {
      const source = isFullDue ? allPods() : [...put.values()];
      const pods = withinBounds(source);
      const frame: Pods = isFullDue
        ? { t: 'pods', full: true, put: pods, gone: [] }
        : { t: 'pods', put: pods, gone: [...gone].slice(0, HUB_LIMITS.maxPodsPerNode) };
      put.clear();
      gone.clear();
      isFullDue = false;
      sinceMs = null;
      return { frame, omitted: source.length - pods.length };
    },
  };
}

function withinBounds(pods: readonly HubPod[]): HubPod[] {
  const taken: HubPod[] = [];
  let bytes = 0;
  for (const pod of pods.slice(0, HUB_LIMITS.maxPodsPerNode)) {
    bytes += Buffer.byteLength(JSON.stringify(pod)) + 1;
    if (bytes > MAX_PUT_BYTES) {
      break;
    }
    taken.push(pod);
  }
  return taken;
}
