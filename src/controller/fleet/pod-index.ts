import { isDeepStrictEqual } from 'node:util';
import type { StoreChange } from '../../kube/store.ts';
import type { HubPod } from '../../protocol/hub-frames.ts';
import type { PodItem } from './pod-projection.ts';

/** What changed for one node's agent. */
export type PodDelta =
  | { readonly node: string; readonly type: 'put'; readonly pod: HubPod }
  | { readonly node: string; readonly type: 'gone'; readonly uid: string };

/**
 * Pods by node. Anybody who may create pods may make one that says it is the API's copy of a static pod; of several such pods on a node the
 * oldest is, so that nobody gets the cgroups of a pod of somebody else into his namespace. Updates that leave the projection equal (readiness,
 * most of all) come to nothing.
 */
export type PodIndex = {
  apply(change: StoreChange<PodItem>): readonly PodDelta[];
  podsOf(node: string): readonly HubPod[];
  readonly size: number;
  /** Pods that say they are a static pod which an older pod of their node is already; they are told under their own uid. */
  readonly disputed: number;
};

export function createPodIndex(): PodIndex {
  const byNode = new Map<string, Map<string, HubPod>>();
  /** By node and hash, which pod is the static one. */
  const holders = new Map<string, PodItem>();
  const disputed = new Set<string>();
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

  const dispute = (item: PodItem): PodDelta[] => {
    disputed.add(item.uid);
    return put(item.node, { ...item.hub, cgroupUid: item.uid });
  };
  const place = (item: PodItem): PodDelta[] => {
    if (item.hub.cgroupUid === item.uid) {
      return put(item.node, item.hub);
    }
    const key = holderKey(item);
    const holder = holders.get(key);
    const isOther = holder !== undefined && holder.uid !== item.uid;
    if (isOther && isOlder(holder, item)) {
      return dispute(item);
    }
    holders.set(key, item);
    disputed.delete(item.uid);
    return [...(isOther ? dispute(holder) : []), ...put(item.node, item.hub)];
  };
  /** Nobody moves up: what was disputed stays so, and the kubelet's next copy finds the place free. */
  const release = (item: PodItem): void => {
    if (holders.get(holderKey(item))?.uid === item.uid) {
      holders.delete(holderKey(item));
    }
    disputed.delete(item.uid);
  };

  return {
    apply: (change) => {
      const { item } = change;
      if (change.type === 'updated' && change.previous.hub.cgroupUid !== item.hub.cgroupUid) {
        release(change.previous);
      }
      if (change.type !== 'deleted' && !item.isTerminal && item.node !== '') {
        return place(item);
      }
      release(item);
      return drop(item.node, item.uid);
    },
    podsOf: (node) => [...(byNode.get(node)?.values() ?? [])],
    get size() {
      return size;
    },
    get disputed() {
      return disputed.size;
    },
  };
}

function holderKey(item: PodItem): string {
  return `${item.node} ${item.hub.cgroupUid}`;
}

function isOlder(a: PodItem, b: PodItem): boolean {
  return a.createdMs < b.createdMs || (a.createdMs === b.createdMs && a.uid < b.uid);
}
