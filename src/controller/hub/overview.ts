import { fits } from '../desired/desired-state.ts';
import type { Fleet, FleetNode } from '../fleet/fleet.ts';
import type { NodeItem } from '../fleet/node-projection.ts';
import { cellOf, isDelivered } from '../fleet/node-report.ts';
import type { PolicyItem } from '../policy/policy-item.ts';
import type { PolicyRecord } from '../policy/policy-book.ts';
import { targetOf } from '../policy/policy-book.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { WITHHELD } from '../status/tally.ts';
import { methodText, type Predictor } from './prediction.ts';
import type { PolicyOnNode, PolicyOverview } from './read-api.ts';

export type OverviewInput = {
  readonly records: Iterable<PolicyRecord>;
  findPolicy(key: string): PolicyItem | undefined;
  readonly nodes: Iterable<NodeItem>;
  readonly fleet: Fleet;
  readonly desired: DesiredState;
  readonly predictor: Predictor;
  readonly nowMs: number;
};

/**
 * Every policy, by name, with what every selected node says about it. One at a time, as it is asked for: policies times nodes may be millions
 * of rows.
 */
export function* overviewOf(input: OverviewInput): Generator<PolicyOverview> {
  const nodes = [...input.nodes];
  const found = [...input.records].flatMap((record) => {
    const item = input.findPolicy(record.key);
    return item === undefined ? [] : [{ record, item }];
  });
  for (const { record, item } of found.toSorted((a, b) => (sortKey(a.item) < sortKey(b.item) ? -1 : 1))) {
    const selector = record.lastGood?.compiled.nodeSelector ?? null;
    const selected = nodes.filter((node) => fits(selector, node.labels)).flatMap((node) => input.fleet.get(node.name) ?? []);
    yield {
      kind: item.kind,
      namespace: item.namespace,
      name: item.name,
      uid: item.uid,
      generation: item.generation,
      digest: targetOf(record).digest,
      nodes: selected.filter((node) => node.agentSinceMs !== null).map((node) => onNode(node, item.uid, input)),
    };
  }
}

function onNode(node: FleetNode, uid: string, input: OverviewInput): PolicyOnNode {
  const entry = node.report?.applied?.entries.get(uid);
  const digest = entry?.digest ?? null;
  const hooks =
    node.kernel === null || entry === undefined || digest === null ? undefined : input.predictor.methods(digest, entry.mode, node.kernel);
  const cell = node.report === null ? null : cellOf(node.report, uid, methodText(hooks), input.nowMs);
  const delivered = isDelivered(node.report, input.desired.setOf(node.name), uid);
  const about = {
    node: node.name,
    kernel: node.kernel?.release ?? '',
    isConnected: node.isConnected,
    method: cell?.method ?? '',
    mode: cell?.mode ?? 'off',
    runs: cell?.runs ?? null,
  };
  if (input.desired.isWithheld(node.name, uid)) {
    return { ...about, ...WITHHELD, state: 'withheld' };
  }
  return {
    ...about,
    state: cell === null ? 'pending' : delivered ? cell.state : 'loading',
    reason: cell?.reason ?? '',
    hook: cell?.hook ?? '',
    message: cell?.message ?? '',
  };
}

function sortKey(item: PolicyItem): string {
  return `${item.kind}/${item.namespace ?? ''}/${item.name}`;
}
