import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { policyStatus, type PolicyStatus } from '../../policy/schema/status.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import type { PolicyItem } from '../policy/policy-item.ts';
import { DEFAULT_TIMING } from '../timing.ts';
import { createStatusWriter } from './status-writer.ts';

const bodySchema = z.object({ metadata: z.object({ name: z.string(), resourceVersion: z.string() }), status: policyStatus });

const status = (change: PolicyStatus = {}): PolicyStatus => ({ observedGeneration: 1, loaded: '1/1', ...change });

function item(change: Partial<PolicyItem> = {}): PolicyItem {
  return {
    key: 'policy/TracingPolicy//p',
    kind: 'TracingPolicy',
    namespace: null,
    name: 'p',
    uid: 'u',
    generation: 1,
    createdMs: 0,
    resourceVersion: '10',
    isDeleting: false,
    object: {},
    status: null,
    ...change,
  };
}

function setUp(answer: (call: number) => KubeError | string = (call) => String(100 + call)) {
  const clock = createFakeClock();
  const calls: { readonly atMs: number; readonly body: z.infer<typeof bodySchema> }[] = [];
  const requeued: { readonly key: string; readonly delayMs: number }[] = [];
  const apply: KubeClient['apply'] = async (_type, ref, body) => {
    calls.push({ atMs: clock.monotonicMs(), body: bodySchema.parse(body) });
    const outcome = answer(calls.length);
    if (outcome instanceof KubeError) {
      throw outcome;
    }
    return { metadata: { name: ref.name, uid: 'u', resourceVersion: outcome } };
  };
  const metrics = createMetrics();
  const writer = createStatusWriter({
    client: { apply },
    timing: DEFAULT_TIMING,
    clock,
    log: silentLog,
    metrics,
    requeue: (key, delayMs) => requeued.push({ key, delayMs }),
    requeueAfterError: (key) => requeued.push({ key, delayMs: -1 }),
  });
  return { clock, calls, requeued, writer, metrics };
}

describe('the writer of statuses', () => {
  test('writes a transition at once, with the version it was computed from', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(1);
    expect(calls).toMatchObject([{ body: { metadata: { name: 'p', resourceVersion: '10' }, status: status() } }]);
  });

  test('keeps two seconds between two transitions of a policy, and writes only the newest', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(100);
    writer.submit(item({ resourceVersion: '101' }), status({ loaded: '2/2' }), 'transition');
    writer.submit(item({ resourceVersion: '101' }), status({ loaded: '3/3' }), 'transition');
    await clock.advance(1_800);
    expect(calls).toHaveLength(1);
    await clock.advance(200);
    expect(calls).toHaveLength(2);
    expect(calls[1]?.body.status.loaded).toBe('3/3');
  });

  test('numbers alone wait for minutes, and a transition does not wait with them', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(10_000);
    writer.submit(item({ resourceVersion: '101', status: status() }), status({ loaded: '2/2' }), 'counts');
    await clock.advance(60_000);
    expect(calls).toHaveLength(1);
    writer.submit(item({ resourceVersion: '101', status: status() }), status({ mode: 'Monitor' }), 'transition');
    await clock.advance(10);
    expect(calls).toHaveLength(2);
  });

  test('while nodes are answering, numbers are written every two seconds', async () => {
    const { clock, calls, writer } = setUp();
    const rolling = (loaded: string): PolicyStatus =>
      status({ loaded, conditions: [{ type: 'Reconciling', status: 'True', reason: 'x', message: '', lastTransitionTime: '' }] });
    writer.submit(item(), rolling('0/9'), 'transition');
    for (let at = 1; at <= 100; at += 1) {
      await clock.advance(100);
      writer.submit(item({ resourceVersion: 'x', status: rolling('0/9') }), rolling(`${at}/100`), 'counts');
    }
    expect(calls.length).toBeGreaterThanOrEqual(5);
    expect(calls.length).toBeLessThanOrEqual(6);
  });

  test('what was to be written and is not true any more is not written', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    writer.submit(item(), status({ mode: 'Monitor' }), 'transition');
    writer.submit(item(), status(), 'none');
    await clock.advance(60_000);
    expect(calls).toHaveLength(1);
  });

  test('until the cache has caught up, it knows the object as it was written', async () => {
    const { clock, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    expect(writer.refine(item())).toMatchObject({ resourceVersion: '101', status: status() });
    const newer = item({ resourceVersion: '200' });
    expect(writer.refine(newer)).toBe(newer);
    expect(writer.refine(item({ uid: 'another' })).status).toBeNull();
  });

  test('a conflict is no error: the policy is looked at again half a second later', async () => {
    const { clock, requeued, writer } = setUp(() => new KubeError('Conflict', 'changed', { status: 409 }));
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    expect(requeued).toEqual([{ key: item().key, delayMs: 500 }]);
  });

  test('a policy whose kind has no status is tried again every minute, and not more often', async () => {
    const { clock, calls, requeued, writer } = setUp((call) => (call < 3 ? new KubeError('NotFound', 'not found', { status: 404 }) : '9'));
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    expect(requeued).toEqual([{ key: item().key, delayMs: 60_000 }]);
    for (let second = 0; second < 59; second += 1) {
      writer.submit(item(), status({ loaded: `${second}` }), 'transition');
      await clock.advance(1_000);
    }
    expect(calls).toHaveLength(1);
    await clock.advance(2_000);
    expect(calls).toHaveLength(2);
  });

  test('a hundred policies at once go through, at most fifty a second after the burst', async () => {
    const { clock, calls, writer } = setUp();
    for (let at = 0; at < 300; at += 1) {
      writer.submit(item({ key: `policy/${at}`, name: `p${at}`, uid: `u${at}` }), status(), 'transition');
    }
    await clock.advance(1);
    expect(calls).toHaveLength(100);
    await clock.advance(1_000);
    expect(calls.length).toBeGreaterThanOrEqual(148);
    expect(calls.length).toBeLessThanOrEqual(152);
    await clock.advance(4_000);
    expect(calls).toHaveLength(300);
  });

  test('at the end, waiting transitions are written at once', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    writer.submit(item({ resourceVersion: '101' }), status({ mode: 'Monitor' }), 'transition');
    const flushed = writer.flush(2_000);
    await clock.advance(1);
    await flushed;
    expect(calls).toHaveLength(2);
  });

  test('a policy that is gone is forgotten with what waited for it', async () => {
    const { clock, calls, writer } = setUp();
    writer.submit(item(), status(), 'transition');
    writer.forget(item().key);
    await clock.advance(5_000);
    expect(calls).toHaveLength(0);
    expect(writer.waiting).toBe(0);
  });

  test('a policy that was gone before its status could be written is not counted as one without a status', async () => {
    const { clock, writer, metrics } = setUp(() => new KubeError('NotFound', 'not found', { status: 404 }));
    writer.submit(item(), status(), 'transition');
    await clock.advance(10);
    expect(await metrics.text()).toContain('palisade_status_unavailable 1');
    writer.forget(item().key);
    expect(await metrics.text()).toContain('palisade_status_unavailable 0');
  });
});
