import type { StoreChange } from '../../kube/store.ts';
import type { PodItem } from './pod-projection.ts';

/** Agent pods by node, and pods of upstream's agents. A pod that is being deleted or has ended is no agent any more. */
export type AgentIndex = {
  /** Nodes on which something changed. */
  apply(change: StoreChange<PodItem>): readonly string[];
  podOn(node: string): PodItem | undefined;
  nodes(): Iterable<string>;
  /** Pods of upstream's agents. */
  foreign(): number;
};

/** `namespace`: only pods there can be our agents. */
export function createAgentIndex(namespace: string): AgentIndex {
  const byNode = new Map<string, Map<string, PodItem>>();
  const foreign = new Set<string>();
  return {
    apply: (change) => {
      const { item } = change;
      const isHere = change.type !== 'deleted' && !item.isTerminal && !item.isDeleting && item.node !== '';
      if (isHere && item.isForeignAgent) {
        foreign.add(item.uid);
      } else {
        foreign.delete(item.uid);
      }
      if (!item.hasAgentLabels || item.namespace !== namespace || item.node === '') {
        return [];
      }
      const pods = byNode.get(item.node) ?? new Map<string, PodItem>();
      const had = pods.size > 0;
      if (isHere) {
        pods.set(item.uid, item);
      } else {
        pods.delete(item.uid);
      }
      if (pods.size === 0) {
        byNode.delete(item.node);
      } else {
        byNode.set(item.node, pods);
      }
      return had === pods.size > 0 ? [] : [item.node];
    },
    podOn: (node) => byNode.get(node)?.values().next().value,
    nodes: () => byNode.keys(),
    foreign: () => foreign.size,
  };
}
