import type { PolicyActivity } from '../policy/schema/status.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { FleetCatalogue } from './catalogue/fleet-catalogue.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { ActivityLedger } from './fleet/activity-ledger.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { PodIndex } from './fleet/pod-index.ts';
import type { Hub } from './hub/hub.ts';
import type { HubMetrics } from './hub/hub-metrics.ts';
import type { PolicyCache } from './policy/policy-cache.ts';
import { displayName } from './policy/policy-item.ts';

/** Policies beyond this many share the name `other`, so that tenants cannot make numbers without end. */
const MAX_NAMED_POLICIES = 1_000;
const NODE_STATES = ['loaded', 'pending', 'joining', 'failed', 'unhealthy', 'unreachable'] as const;

export type MetricSources = {
  readonly fleet: Fleet;
  readonly hub: Pick<Hub, 'sessions' | 'bufferedBytes'>;
  readonly hubMetrics: HubMetrics;
  readonly policies: Pick<PolicyCache, 'keys' | 'find'>;
  readonly podsByNode: PodIndex;
  readonly desired: DesiredState;
  readonly catalogue: FleetCatalogue;
  readonly ledger: ActivityLedger;
  coverageRatio(): number;
};

/** Gauges that are read at every scrape rather than kept up to date. */
export function exportMetrics(metrics: Metrics, sources: MetricSources): void {
  const coverage = metrics.gauge('coverage_ratio', 'Share of the agents that have reported to this controller.');
  const withheld = metrics.gauge('desired_withheld', 'Policies that fit a node and are beyond what one node may have, over all nodes.');
  const disputedPods = metrics.gauge(
    'pods_disputed',
    'Pods that say they are a static pod which an older pod of their node is already; somebody may be trying to pass for it.',
  );
  const builds = metrics.gauge('catalogue_builds', 'Distinct kernels in the fleet.');
  const disputed = metrics.gauge('catalogue_disputed', 'Kernels whose nodes tell different names; not used for admission.');
  const nodes = metrics.gauge('policy_nodes', 'Nodes of a policy by state.', ['policy', 'state']);
  const ready = metrics.gauge('policy_ready', 'Whether a policy is ready.', ['policy']);
  const events = metrics.counter('policy_events_total', 'Events of a policy by what was done.', ['policy', 'verdict']);
  const lost = metrics.counter('policy_events_lost_total', 'Events of a policy that were lost.', ['policy']);
  const counted = new Map<string, Counted>();
  /** Names under which something was counted. */
  let shown: ReadonlySet<string> = new Set();
  metrics.onScrape(() => {
    coverage.set({}, sources.coverageRatio());
    withheld.set({}, sources.desired.withheld());
    disputedPods.set({}, sources.podsByNode.disputed);
    builds.set({}, [...sources.catalogue.builds()].length);
    disputed.set({}, sources.catalogue.disputed());
    sources.hubMetrics.cohorts.set({}, sources.desired.cohorts());
    sources.hubMetrics.buffered.set({}, sources.hub.bufferedBytes);
    sources.hubMetrics.agents.reset();
    for (const session of sources.hub.sessions()) {
      const state = sources.fleet.get(session.identity.node)?.health?.loader ?? 'greeting';
      sources.hubMetrics.agents.add({ state }, 1);
    }
    nodes.reset();
    ready.reset();
    let named = 0;
    const present = new Set<string>();
    const names = new Set<string>();
    for (const key of sources.policies.keys()) {
      const item = sources.policies.find(key);
      if (item === undefined || item.status === null) {
        continue;
      }
      named += 1;
      const policy = named <= MAX_NAMED_POLICIES ? displayName(item) : 'other';
      names.add(policy);
      const { nodes: counts, conditions } = item.status;
      for (const state of NODE_STATES) {
        nodes.add({ policy, state }, counts?.[state] ?? 0);
      }
      ready.add({ policy }, conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true ? 1 : 0);
      const now = sources.ledger.of(item.uid) ?? {};
      const before = counted.get(item.uid) ?? {};
      counted.set(item.uid, now);
      for (const [verdict, of] of VERDICTS) {
        events.inc({ policy, verdict }, increase(before[of], now[of]));
      }
      lost.inc({ policy }, increase(before.lost, now.lost));
      present.add(item.uid);
    }
    for (const uid of counted.keys()) {
      if (!present.has(uid)) {
        counted.delete(uid);
      }
    }
    for (const policy of shown) {
      if (!names.has(policy)) {
        for (const [verdict] of VERDICTS) {
          events.remove({ policy, verdict });
        }
        lost.remove({ policy });
      }
    }
    shown = names;
  });
}

/** Values of the label `verdict`, and what of an account they show. */
const VERDICTS = [
  ['seen', 'events'],
  ['would-enforce', 'wouldEnforce'],
  ['enforced', 'enforced'],
] as const;

type Counted = Pick<PolicyActivity, 'events' | 'wouldEnforce' | 'enforced' | 'lost'>;

/** Accounts only grow, and begin anew with a new policy of the same name. */
function increase(before = 0, now = 0): number {
  return Math.max(0, now - before);
}
