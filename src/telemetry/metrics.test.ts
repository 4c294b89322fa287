import { expect, test } from 'vitest';
import { createMetrics, createProcessMetrics } from './metrics.ts';

test('a counter appears with its prefix and labels', async () => {
  const metrics = createMetrics();
  metrics.counter('reads_total', 'Reads.', ['kind']).inc({ kind: 'file' }, 3);
  expect(await metrics.text()).toContain('palisade_reads_total{kind="file"} 3');
});

test('asking twice for a name gives the same metric', async () => {
  const metrics = createMetrics();
  metrics.gauge('depth', 'Depth.').set({}, 1);
  metrics.gauge('depth', 'Depth.').add({}, 2);
  expect(await metrics.text()).toContain('palisade_depth 3');
});

test('a name cannot change its kind', () => {
  const metrics = createMetrics();
  metrics.gauge('depth', 'Depth.');
  expect(() => metrics.counter('depth', 'Depth.')).toThrow('another kind');
});

test('gauges that are read are read at every scrape', async () => {
  const metrics = createMetrics();
  const age = metrics.gauge('age_seconds', 'Age.');
  let now = 1;
  metrics.onScrape(() => age.set({}, now));
  expect(await metrics.text()).toContain('palisade_age_seconds 1');
  now = 2;
  expect(await metrics.text()).toContain('palisade_age_seconds 2');
});

test('a removed set of labels is not shown any more', async () => {
  const metrics = createMetrics();
  const gauge = metrics.gauge('policy_ready', 'Ready.', ['policy']);
  gauge.set({ policy: 'a' }, 1);
  gauge.remove({ policy: 'a' });
  const counter = metrics.counter('policy_events_total', 'Events.', ['policy']);
  counter.inc({ policy: 'a' });
  counter.remove({ policy: 'a' });
  expect(await metrics.text()).not.toContain('policy="a"');
});

test('two sets of metrics share nothing', async () => {
  createMetrics().counter('reads_total', 'Reads.').inc({});
  expect(await createMetrics().text()).not.toContain('reads_total');
});

test('a process shows its memory beside its own metrics', async () => {
  const metrics = createProcessMetrics();
  metrics.histogram('wait_seconds', 'Waiting.', [1, 2]).observe({}, 1.5);
  const text = await metrics.text();
  expect(text).toContain('process_resident_memory_bytes');
  expect(text).toContain('palisade_wait_seconds_bucket{le="2"} 1');
});
