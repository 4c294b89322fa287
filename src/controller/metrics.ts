import type { Metrics } from '../telemetry/metrics.ts';
import type { FleetCatalogue } from './catalogue/fleet-catalogue.ts';
import type { DesiredState } from './desired/desired-state.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Hub } from './hub/hub.ts';
import type { HubMetrics } from './hub/hub-metrics.ts';
import type { PolicyCache } from './policy/policy-cache.ts';
import { displayName } from './policy/policy-item.ts';

/** Policies beyond this many share the name `other`, so that tenants cannot make numbers without end. */
const MAX_NAMED_POLICIES = 1_000;
const NODE_STATES = ['loaded', 'pending', 'joining', 'failed', 'unhealthy', 'unreachable'] as const;

export type MetricSources = {
  readonly fleet: Fleet;
  readonly hub: Hub;
  readonly hubMetrics: HubMetrics;
  readonly policies: PolicyCache;
  readonly desired: DesiredState;
  readonly catalogue: FleetCatalogue;
  coverage(): number;
};

/** Gauges that are read at every scrape rather than kept up to date. */
export function exportMetrics(metrics: Metrics, sources: MetricSources): void {
  const coverage = metrics.gauge('coverage_ratio', 'Share of the agents that have reported to this controller.');
  const builds = metrics.gauge('catalogue_builds', 'Distinct kernels in the fleet.');
  const disputed = metrics.gauge('catalogue_disputed', 'Kernels whose nodes tell different names; not used for admission.');
  const nodes = metrics.gauge('policy_nodes', 'Nodes of a policy by state.', ['policy', 'state']);
  const ready = metrics.gauge('policy_ready', 'Whether a policy is ready.', ['policy']);
  const events = metrics.gauge('policy_events', 'Events of a policy by what was done, since the account was opened.', [
    'policy',
    'verdict',
  ]);
  metrics.onScrape(() => {
    coverage.set({}, sources.coverage());
    builds.set({}, [...sources.catalogue.builds()].length);
    disputed.set({}, sources.catalogue.disputed());
    sources.hubMetrics.cohorts.set({}, sources.desired.cohorts());
    sources.hubMetrics.agents.reset();
    for (const session of sources.hub.sessions()) {
      const state = sources.fleet.get(session.identity.node)?.health?.loader ?? 'greeting';
      sources.hubMetrics.agents.add({ state }, 1);
    }
    nodes.reset();
    ready.reset();
    events.reset();
    let named = 0;
    for (const key of sources.policies.keys()) {
      const item = sources.policies.find(key);
      if (item === undefined || item.status === null) {
        continue;
      }
      named += 1;
      const policy = named <= MAX_NAMED_POLICIES ? displayName(item) : 'other';
      const { nodes: counts, activity, conditions } = item.status;
      for (const state of NODE_STATES) {
        nodes.add({ policy, state }, counts?.[state] ?? 0);
      }
      ready.add({ policy }, conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true ? 1 : 0);
      events.add({ policy, verdict: 'seen' }, activity?.events ?? 0);
      events.add({ policy, verdict: 'would-enforce' }, activity?.wouldEnforce ?? 0);
      events.add({ policy, verdict: 'enforced' }, activity?.enforced ?? 0);
      events.add({ policy, verdict: 'lost' }, activity?.lost ?? 0);
    }
  });
}
