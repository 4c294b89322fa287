import { isDeepStrictEqual } from 'node:util';
import type { StoreChange } from '../../kube/store.ts';
import type { HubPod } from '../../protocol/hub-frames.ts';
import type { PodItem } from './pod-projection.ts';

/** What changed for one node's agent. */
export type PodDelta =
  | { readonly node: string; readonly type: 'put'; readonly pod: HubPod }
  | { readonly node: string; readonly type: 'gone'; readonly uid: string };

/** Pods by node. Updates that leave the projection equal (readiness, most of all) come to nothing. */
export type PodIndex = {
  apply(change: StoreChange<PodItem>): readonly PodDelta[];
  podsOf(node: string): readonly HubPod[];
  readonly size: number;
};

export function createPodIndex(): PodIndex {
  const byNode = new Map<string, Map<string, HubPod>>();
  let size = 0;

  const put = (node: string, pod: HubPod): PodDelta[] => {
    let pods = byNode.get(node);
    if (pods === undefined) {
      pods = new Map();
      byNode.set(node, pods);
    }
    const before = pods.get(pod.uid);
    if (before !== undefined && isDeepStrictEqual(before, pod)) {
      return [];
    }
    size += before === undefined ? 1 : 0;
    pods.set(pod.uid, pod);
    return [{ node, type: 'put', pod }];
  };
  const drop = (node: string, uid: string): PodDelta[] => {
    const pods = byNode.get(node);
    if (pods?.delete(uid) !== true) {
      return [];
    }
    size -= 1;
    if (pods.size === 0) {
      byNode.delete(node);
    }
    return [{ node, type: 'gone', uid }];
  };

  return {
    apply: (change) => {
      const { item } = change;
      const isOver = change.type === 'deleted' || item.isTerminal || item.node === '';
      return isOver ? drop(item.node, item.uid) : put(item.node, item.hub);
    },
    podsOf: (node) => [...(byNode.get(node)?.values() ?? [])],
    get size() {
      return size;
    },
  };
}
