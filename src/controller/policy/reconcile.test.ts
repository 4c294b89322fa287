import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { PolicyStatus } from '../../policy/schema/status.ts';
import type { Report, Row } from '../../protocol/hub-frames.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { createDesiredState } from '../desired/desired-state.ts';
import { createSetBook } from '../desired/set-book.ts';
import { createActivityLedger } from '../fleet/activity-ledger.ts';
import { createFleet } from '../fleet/fleet.ts';
import type { NodeItem } from '../fleet/node-projection.ts';
import { createFrameStore } from '../hub/frame-store.ts';
import type { StatusChange } from '../status/classify.ts';
import type { Coverage } from '../status/status-input.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import { DEFAULT_TIMING } from '../timing.ts';
import { type PolicyItem, projectPolicy } from './policy-item.ts';
import { createReconciler } from './reconcile.ts';

const denies = (file: string): object => ({
  lsmhooks: [
    {
      hook: 'file_open',
      args: [{ index: 0, type: 'file' }],
      selectors: [{ matchArgs: [{ index: 0, operator: 'Equal', values: [file] }], matchActions: [{ action: 'Override', argError: -1 }] }],
    },
  ],
});

/** Two nodes with agents, and a writer that keeps what it is given. */
function setUp() {
  const clock = createFakeClock();
  const policies = new Map<string, PolicyItem>();
  const nodes = new Map<string, NodeItem>();
  const book = createSetBook();
  const fleet = createFleet();
  const frames = createFrameStore();
  const ledger = createActivityLedger(DEFAULT_TIMING.alarmHoldMs);
  const desired = createDesiredState(book, () => {});
  const submitted: { readonly status: PolicyStatus; readonly change: StatusChange }[] = [];
  let foreignAgents = 0;
  let coverage: Coverage = { isSettled: true };
  const writer: StatusWriter = {
    submit: (item, status, change) => {
      submitted.push({ status, change });
      // As if it were written at once, and the cache knew.
      policies.set(item.key, { ...item, status });
    },
    refine: (item) => item,
    forget: () => {},
    flush: async () => {},
    waiting: 0,
  };
  const store = {
    get: (key: string) => nodes.get(key),
    has: (key: string) => nodes.has(key),
    values: () => nodes.values(),
    keys: () => nodes.keys(),
    get size() {
      return nodes.size;
    },
  };
  const reconciler = createReconciler({
    findPolicy: (key) => policies.get(key),
    nodes: store,
    fleet,
    desired,
    frames,
    ledger,
    writer,
    timing: DEFAULT_TIMING,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    coverage: () => coverage,
    foreignAgents: () => foreignAgents,
  });
  for (const name of ['a', 'b']) {
    nodes.set(name, { name, labels: { node: name } });
    fleet.agentSeen(name, clock.monotonicMs());
    desired.putNode(name, { node: name });
  }
  const put = (spec: object, change: { uid?: string; generation?: number } = {}): string => {
    const object: KubeObject = { metadata: { name: 'p', uid: 'u1', resourceVersion: '1', generation: 1, ...change }, spec };
    const item = projectPolicy('TracingPolicy', object);
    policies.set(item.key, { ...item, status: policies.get(item.key)?.status ?? null });
    return item.key;
  };
  /** The node applies what it should run. */
  const apply = (node: string, exceptions: Row[] = []): void => {
    const set = desired.setOf(node);
    const report: Report = { t: 'report', seq: 1, set: set.digest, state: 'applied', bound: '', exceptions };
    fleet.reported(node, report, set, clock.monotonicMs());
  };
  return {
    clock,
    policies,
    fleet,
    frames,
    desired,
    reconciler,
    put,
    apply,
    submitted,
    last: () => submitted.at(-1)?.status,
    ready: () => submitted.at(-1)?.status.conditions?.find((condition) => condition.type === 'Ready')?.reason,
    setCoverage: (value: Coverage) => {
      coverage = value;
    },
    setForeignAgents: (count: number) => {
      foreignAgents = count;
    },
  };
}

describe('one look at one policy', () => {
  test('distributes a good one before it speaks of it, and is content when both nodes run it', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a').entries.get('u1')).toMatchObject({ generation: 1, mode: 'enforce', name: 'p' });
    expect(world.frames.plan(world.desired.setOf('a').entries.get('u1')?.digest ?? '')).toBeDefined();
    expect(world.ready()).toBe('WaitingForNodes');
    world.apply('a');
    world.apply('b');
    world.reconciler.reconcile(key);
    expect(world.ready()).toBe('Loaded');
    expect(world.last()).toMatchObject({ loaded: '2/2', enforcing: '2/2' });
  });

  test('says nothing twice', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.apply('a');
    world.reconciler.reconcile(key);
    world.reconciler.reconcile(key);
    expect(world.submitted.map((entry) => entry.change)).toEqual(['transition', 'none']);
  });

  test('keeps the last good version of one that was edited badly', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    const before = world.desired.setOf('a');
    world.put({ lsmhooks: [] }, { generation: 2 });
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a')).toBe(before);
    expect(world.ready()).toBe('CompileFailed');
  });

  test('tells nodes to hold what they run where no version is known to be good', () => {
    const world = setUp();
    world.reconciler.reconcile(world.put({ lsmhooks: [] }));
    expect(world.desired.setOf('a').entries.get('u1')).toMatchObject({ digest: null });
  });

  test('recovers from a bad edit with the next good one', () => {
    const world = setUp();
    const key = world.put({ lsmhooks: [] });
    world.reconciler.reconcile(key);
    world.put(denies('/b'), { generation: 2 });
    world.reconciler.reconcile(key);
    world.apply('a');
    world.apply('b');
    world.reconciler.reconcile(key);
    expect(world.ready()).toBe('Loaded');
    expect(world.last()?.observedGeneration).toBe(2);
  });

  test('takes a deleted one from the nodes, forgets its plan, and says nothing of it any more', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    const digest = world.desired.setOf('a').entries.get('u1')?.digest ?? '';
    world.policies.delete(key);
    const count = world.submitted.length;
    expect(world.reconciler.reconcile(key)).toEqual({ kind: 'done' });
    expect(world.desired.setOf('a').entries.size).toBe(0);
    expect(world.frames.plan(digest)).toBeUndefined();
    expect(world.submitted).toHaveLength(count);
  });

  test('replaces one that was made again under its name', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    world.put(denies('/a'), { uid: 'u2' });
    world.reconciler.reconcile(key);
    expect([...world.desired.setOf('a').entries.keys()]).toEqual(['u2']);
  });

  test('follows its nodeSelector', () => {
    const world = setUp();
    const key = world.put({ ...denies('/a'), nodeSelector: { matchLabels: { node: 'b' } } });
    world.reconciler.reconcile(key);
    world.apply('b');
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a').entries.size).toBe(0);
    expect(world.last()).toMatchObject({ loaded: '1/1', nodes: { notSelected: 1 } });
    expect(world.ready()).toBe('Loaded');
  });

  test('loads nothing new beside agents of upstream, keeps what is loaded, and goes on when they are gone', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    const before = world.desired.setOf('a');
    world.setForeignAgents(1);
    world.put(denies('/b'), { generation: 2 });
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a')).toBe(before);
    expect(world.ready()).toBe('ForeignAgent');
    world.setForeignAgents(0);
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a').entries.get('u1')?.generation).toBe(2);
  });

  test('a node that joins after completion never moves Ready', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    world.apply('a');
    world.apply('b');
    world.reconciler.reconcile(key);
    world.fleet.agentGone('b');
    world.fleet.agentSeen('b', world.clock.monotonicMs());
    world.reconciler.reconcile(key);
    expect(world.last()?.nodes).toMatchObject({ loaded: 1, joining: 1 });
    expect(world.ready()).toBe('Loaded');
  });

  test('after a restart, a policy whose nodes have all reported does not wait for nodes that it does not select', () => {
    const world = setUp();
    world.setCoverage({ isSettled: false, remainingMs: 180_000 });
    const key = world.put({ ...denies('/a'), nodeSelector: { matchLabels: { node: 'a' } } });
    world.reconciler.reconcile(key);
    expect(world.ready()).toBe('WaitingForNodes');
    world.apply('a');
    expect(world.reconciler.reconcile(key)).toEqual({ kind: 'done' });
    expect(world.ready()).toBe('Loaded');
  });

  test('after a restart, a policy that one of its nodes has not spoken of keeps the status it had', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.apply('a');
    world.apply('b');
    world.reconciler.reconcile(key);
    world.apply('a');
    world.apply('b');
    world.reconciler.reconcile(key);
    const before = world.last();
    world.fleet.agentGone('b');
    world.fleet.agentSeen('b', world.clock.monotonicMs());
    world.setCoverage({ isSettled: false, remainingMs: 180_000 });
    expect(world.reconciler.reconcile(key)).toEqual({ kind: 'wait', delayMs: 180_000 });
    expect(world.last()).toEqual(before);
  });

  test('a mode flip moves no plan, only the mode beside it', () => {
    const world = setUp();
    const key = world.put(denies('/a'));
    world.reconciler.reconcile(key);
    const enforced = world.desired.setOf('a').entries.get('u1');
    world.put({ ...denies('/a'), options: [{ name: 'policy-mode', value: 'monitor' }] }, { generation: 2 });
    world.reconciler.reconcile(key);
    expect(world.desired.setOf('a').entries.get('u1')).toMatchObject({ digest: enforced?.digest, mode: 'monitor' });
  });
});
