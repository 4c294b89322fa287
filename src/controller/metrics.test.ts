import { expect, test } from 'vitest';
import { createMetrics } from '../telemetry/metrics.ts';
import { createFleetCatalogue } from './catalogue/fleet-catalogue.ts';
import { createDesiredState } from './desired/desired-state.ts';
import { createSetBook } from './desired/set-book.ts';
import { createActivityLedger } from './fleet/activity-ledger.ts';
import { createFleet } from './fleet/fleet.ts';
import { createPodIndex } from './fleet/pod-index.ts';
import { createHubMetrics } from './hub/hub-metrics.ts';
import { exportMetrics } from './metrics.ts';
import { type PolicyItem, projectPolicy } from './policy/policy-item.ts';

test('a policy that is gone leaves no series behind: names come and go without end', async () => {
  const metrics = createMetrics();
  const policies = new Map<string, PolicyItem>();
  const ledger = createActivityLedger(600_000);
  exportMetrics(metrics, {
    fleet: createFleet(),
    hub: { sessions: () => [], bufferedBytes: 0 },
    hubMetrics: createHubMetrics(metrics),
    policies: { keys: () => policies.keys(), find: (key) => policies.get(key) },
    podsByNode: createPodIndex(),
    desired: createDesiredState(createSetBook(), () => {}),
    catalogue: createFleetCatalogue(),
    ledger,
    coverageRatio: () => 1,
  });
  const metadata = { name: 'shells', namespace: 'team-a', uid: 'u', resourceVersion: '1', generation: 1 };
  const item = projectPolicy('TracingPolicyNamespaced', { metadata, spec: {}, status: {} });
  policies.set(item.key, item);
  ledger.open('u', undefined, 0);
  ledger.add([['u', 7, 0, 2, 1, 0]], 0);
  const text = await metrics.text();
  expect(text).toContain('palisade_policy_events_total{policy="team-a/shells",verdict="seen"} 7');
  expect(text).toContain('palisade_policy_events_total{policy="team-a/shells",verdict="enforced"} 2');
  expect(text).toContain('palisade_policy_events_lost_total{policy="team-a/shells"} 1');
  policies.clear();
  expect(await metrics.text()).not.toContain('team-a/shells');
});
