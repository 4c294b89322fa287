import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../telemetry/clock.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ControllerParts } from './parts.ts';

/** Carries what changes in the cluster to who must know: policies to the queue, nodes to the desired sets, pods to their agents. */
export function followCluster(view: ClusterView, parts: ControllerParts, clock: Clock): void {
  const { fleet, desired, hub, catalogue, catalogueServer } = parts;

  /**
   * The labels of a node decide what it should run, whether it has an agent or not: an agent that is being replaced, or whose Node object
   * was deleted by mistake, must not be told to unload anything.
   */
  const placeNode = (name: string): void => {
    const node = view.nodes.store.get(name);
    const hasAgent = view.agents.podOn(name) !== undefined;
    if (hasAgent) {
      fleet.agentSeen(name, clock.monotonicMs());
    } else {
      fleet.agentGone(name);
    }
    if (node !== undefined) {
      desired.putNode(name, node.labels);
    } else if (hasAgent || hub.isConnected(name)) {
      desired.keepNode(name);
    } else {
      desired.removeNode(name);
      catalogue.removeNode(name);
    }
    catalogueServer.changed();
    parts.lookAtAllSoon();
  };

  view.policies.onChange((key) => parts.queue.add(key));
  view.nodes.addHandlers({
    onChange: (change) => {
      // Most updates of a Node are its kubelet's signs of life.
      if (change.type !== 'updated' || !isDeepStrictEqual(change.previous.labels, change.item.labels)) {
        placeNode(change.key);
      }
    },
  });
  view.pods.addHandlers({
    onChange: (change) => {
      parts.hubMetrics.podsOmitted.inc({}, change.type === 'deleted' ? 0 : change.item.omitted);
      for (const delta of view.podsByNode.apply(change)) {
        hub.podChanged(delta);
      }
      if (change.type === 'deleted' && change.item.hasAgentLabels) {
        hub.podGone(change.item.uid);
      }
      for (const node of view.agents.apply(change)) {
        placeNode(node);
      }
    },
  });
}
