import type { CatalogueNode } from '../../protocol/catalogue.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { NodeItem } from '../fleet/node-projection.ts';
import type { CatalogueView } from './catalogue-difference.ts';
import type { FleetCatalogue } from './fleet-catalogue.ts';

/** What webhooks should know: kernels, and which node runs which. */
export function catalogueView(nodes: Iterable<NodeItem>, fleet: Fleet, catalogue: FleetCatalogue, nowMs: number): CatalogueView {
  const listed: CatalogueNode[] = [];
  for (const node of nodes) {
    const member = fleet.get(node.name);
    if (member !== undefined && member.agentSinceMs !== null) {
      listed.push({
        name: node.name,
        labels: { ...node.labels },
        build: catalogue.buildOf(node.name),
        silentMs: member.isConnected ? 0 : Math.max(1, Math.round(nowMs - member.silentSinceMs)),
      });
    }
  }
  return { builds: Array.from(catalogue.builds(), (frame) => ({ frame, names: catalogue.packedNames(frame.build) })), nodes: listed };
}
