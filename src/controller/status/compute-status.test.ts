import { describe, expect, test } from 'vitest';
import type { PolicyCondition, PolicyStatus } from '../../policy/schema/status.ts';
import { cell, DIGEST_A, DIGEST_B, HOLD_MS, nodeFact, statusInput, TARGET } from '../testing/status-facts.ts';
import { alarmFacts, alarmsFromStatus, updateAlarms } from './alarms.ts';
import { classify } from './classify.ts';
import { computeStatus, type Now } from './compute-status.ts';
import type { NodeFact } from './node-fact.ts';
import type { StatusInput } from './status-input.ts';

const now: Now = { wallMs: Date.UTC(2026, 10, 22, 8), monotonicMs: 1_000_000 };
const later: Now = { wallMs: now.wallMs + 60_000, monotonicMs: now.monotonicMs + 60_000 };

function compute(nodes: readonly NodeFact[], change: Partial<StatusInput> = {}, at = now): PolicyStatus {
  return computeStatus(statusInput(nodes, change), at, HOLD_MS).status;
}

function condition(status: PolicyStatus, type: string): PolicyCondition | undefined {
  return status.conditions?.find((entry) => entry.type === type);
}

/** `Ready=False/PartiallyLoaded Stalled` */
function summary(status: PolicyStatus): string {
  const ready = condition(status, 'Ready');
  const transient = ['Reconciling', 'Stalled'].filter((type) => condition(status, type)?.status === 'True');
  return [`${ready?.status}/${ready?.reason}`, ...transient].join(' ');
}

const problem = {
  code: 'UnknownField',
  path: 'spec.kprobes[0].cal',
  message: 'unknown field "cal"',
  hint: 'did you mean "call"?',
  severity: 'error',
} as const;

const failedCell = cell({ state: 'failed', reason: 'FunctionNotFound', runs: null, mode: 'off', hook: 'kprobe:foo' });

describe('the table that decides Ready', () => {
  test('a policy that every node runs is ready, and says on how many', () => {
    const status = compute([nodeFact('a'), nodeFact('b')]);
    expect(summary(status)).toBe('True/Loaded');
    expect(status).toMatchObject({ mode: 'Enforce', loaded: '2/2', enforcing: '2/2', digest: DIGEST_A, observedGeneration: 1 });
    expect(condition(status, 'Ready')?.message).toBe('2 of 2 nodes run it');
    expect(condition(status, 'Enforcing')).toMatchObject({ status: 'True', reason: 'Enforcing' });
    expect(status.failures).toBeUndefined();
  });

  test('all seven lasting conditions are always there, and each carries the generation', () => {
    const types = ['Accepted', 'Compiled', 'Distributed', 'Loaded', 'Enforcing', 'Degraded', 'Ready'];
    for (const status of [
      compute([]),
      compute([nodeFact('a')]),
      compute([], { verdict: { kind: 'invalid', problems: [problem] }, target: null }),
    ]) {
      for (const type of types) {
        expect(condition(status, type)?.observedGeneration).toBe(1);
      }
    }
  });

  test('a policy with a mistake is stalled and says where it is and what would be right', () => {
    const status = compute([nodeFact('a', { cell: null })], { verdict: { kind: 'invalid', problems: [problem] }, target: null });
    expect(summary(status)).toBe('False/InvalidSpec Stalled');
    expect(condition(status, 'Accepted')?.status).toBe('False');
    expect(condition(status, 'Ready')?.message).toBe('spec.kprobes[0].cal: unknown field "cal"; did you mean "call"?');
  });

  test('a bad edit says on how many nodes the last good version goes on', () => {
    const status = compute([nodeFact('a'), nodeFact('b')], { generation: 2, verdict: { kind: 'uncompilable', problems: [problem] } });
    expect(summary(status)).toBe('False/CompileFailed Stalled');
    expect(condition(status, 'Accepted')?.status).toBe('True');
    expect(condition(status, 'Ready')?.message).toContain('the last good version goes on running on 2 nodes');
  });

  test('a policy that never was good runs nowhere, and one that is held runs where nodes say so', () => {
    const change: Partial<StatusInput> = { verdict: { kind: 'invalid', problems: [problem] }, target: { ...TARGET, digest: null } };
    const never = compute([nodeFact('a', { cell: cell({ runs: null }) })], change);
    expect(never.loaded).toBe('0/1');
    expect(condition(never, 'Ready')?.message).not.toContain('goes on');
    const held = compute([nodeFact('a', { cell: cell({ state: 'loading', runs: DIGEST_B, mode: 'monitor' }) })], change);
    expect(held.loaded).toBe('1/1');
    expect(condition(held, 'Ready')?.message).toContain('the last good version goes on running on 1 node');
  });

  test('beside agents of upstream nothing new loads, and the policy says so', () => {
    const status = compute([nodeFact('a', { cell: null })], { verdict: { kind: 'foreign', pods: 3 }, target: null });
    expect(summary(status)).toBe('False/ForeignAgent Stalled');
  });

  test('a nodeSelector that fits no node is no failure', () => {
    expect(summary(compute([]))).toBe('True/NoMatchingNodes');
  });

  test('nodes without any agent are not success', () => {
    const input = statusInput([], {}, { notSelected: 0, withoutAgent: 3 });
    expect(summary(computeStatus(input, now, HOLD_MS).status)).toBe('False/NoAgents Reconciling');
  });

  test('a node that has too many policies already does not get it, and the status says why', () => {
    const status = compute([nodeFact('a'), nodeFact('b', { isWithheld: true, isDelivered: false, cell: null })]);
    expect(summary(status)).toBe('False/PartiallyLoaded Stalled');
    expect(condition(status, 'Ready')?.message).toBe('1 of 2 nodes cannot load it: TooManyPolicies on 1 (kernel 6.1.0-1)');
    expect(condition(status, 'Distributed')).toMatchObject({ status: 'True' });
    expect(status.failures).toMatchObject([
      {
        reason: 'TooManyPolicies',
        nodes: 1,
        message: expect.stringMatching(
          /^a node may have 4096 policies and 16 Mi .* a namespace 4 Mi of them: cluster-wide ones first, then the oldest$/,
        ),
      },
    ]);
  });

  test('while nodes have not answered, the policy waits and is reconciling', () => {
    const status = compute([nodeFact('a'), nodeFact('b', { cell: cell({ runs: DIGEST_B }), isDelivered: false })]);
    expect(summary(status)).toBe('False/WaitingForNodes Reconciling');
    expect(status.nodes).toMatchObject({ matched: 2, loaded: 1, pending: 1, older: 1 });
    expect(condition(status, 'Distributed')?.message).toBe('1 of 2 nodes have not confirmed it');
  });

  test('a function that one kernel lacks makes the policy partially loaded, and one sentence says why', () => {
    const status = compute([nodeFact('a'), nodeFact('b', { kernel: '5.10.0-28', cell: failedCell })]);
    expect(summary(status)).toBe('False/PartiallyLoaded Stalled');
    expect(condition(status, 'Ready')?.message).toBe('1 of 2 nodes cannot load it: FunctionNotFound at kprobe:foo on 1 (kernel 5.10.0-28)');
    expect(status).toMatchObject({ loaded: '1/2', enforcing: '1/2', nodes: { failed: 1 } });
    expect(status.failures).toEqual([
      { reason: 'FunctionNotFound', hook: 'kprobe:foo', nodes: 1, kernels: ['5.10.0-28'], sampleNodes: ['b'] },
    ]);
    expect(condition(status, 'Degraded')?.status).toBe('True');
  });

  test('when an update fails everywhere, the status says that the old version goes on', () => {
    const fallback = cell({ state: 'fallback', reason: 'VerifierRejected', runs: DIGEST_B });
    const status = compute([nodeFact('a', { cell: fallback }), nodeFact('b', { cell: fallback })]);
    expect(summary(status)).toBe('False/LoadFailed Stalled');
    expect(condition(status, 'Ready')?.message).toContain('an older version goes on running on 2');
    expect(status.nodes).toMatchObject({ failed: 2, older: 2 });
  });

  test('what a node said about the last target does not count against the new one', () => {
    const status = compute([nodeFact('a', { cell: failedCell, isDelivered: false })]);
    expect(summary(status)).toBe('False/WaitingForNodes Reconciling');
  });

  test('nodes that run a policy but cannot deny make it unavailable, with the reason in Enforcing', () => {
    const blunt = cell({ state: 'degraded', reason: 'LSMNotEnabled', hook: 'lsm:file_open', canEnforce: false });
    const status = compute([nodeFact('a'), nodeFact('b', { cell: blunt })]);
    expect(summary(status)).toBe('False/EnforcementUnavailable Stalled');
    expect(condition(status, 'Enforcing')).toMatchObject({ status: 'False', reason: 'LSMNotEnabled' });
    expect(status).toMatchObject({ loaded: '2/2', enforcing: '1/2' });
  });

  test('where a kernel cannot deny and so does not load it, Enforcing names the reason', () => {
    const refused = cell({ state: 'failed', reason: 'LSMNotEnabled', runs: null, mode: 'off', hook: 'lsm:file_open' });
    const status = compute([nodeFact('a'), nodeFact('b', { cell: refused })]);
    expect(summary(status)).toBe('False/PartiallyLoaded Stalled');
    expect(condition(status, 'Enforcing')).toMatchObject({ status: 'False', reason: 'LSMNotEnabled' });
  });

  test('monitor mode is ready and says that nothing is enforced', () => {
    const target = { ...TARGET, mode: 'monitor' } as const;
    const status = compute([nodeFact('a', { cell: cell({ mode: 'monitor' }) })], { target });
    expect(summary(status)).toBe('True/Loaded');
    expect(status).toMatchObject({ mode: 'Monitor', enforcing: '-' });
    expect(condition(status, 'Enforcing')).toMatchObject({ status: 'False', reason: 'MonitorMode' });
  });

  test('a flip of the mode is waited for, although the plan is the same', () => {
    const target = { ...TARGET, mode: 'monitor' } as const;
    expect(summary(compute([nodeFact('a')], { target }))).toBe('False/WaitingForNodes Reconciling');
  });

  test('a policy that only observes is ready', () => {
    const status = compute([nodeFact('a')], { target: { ...TARGET, hasEnforcement: false } });
    expect(summary(status)).toBe('True/Loaded');
    expect(status).toMatchObject({ mode: 'MonitorOnly', enforcing: '-' });
  });

  test('a degraded hook that still enforces is shown without holding Ready', () => {
    const status = compute([nodeFact('a', { cell: cell({ state: 'degraded', reason: 'NotPersistent' }) })]);
    expect(summary(status)).toBe('True/Loaded');
    expect(status.failures).toMatchObject([{ reason: 'NotPersistent', nodes: 1 }]);
  });

  test('if nobody failed and nobody runs it, nothing is claimed', () => {
    expect(summary(compute([nodeFact('a', { fault: 'LoaderUnavailable' })]))).toBe('Unknown/NodesUnhealthy Reconciling');
    expect(summary(compute([nodeFact('a', { reachable: false })]))).toBe('Unknown/AgentsOffline Reconciling');
  });
});

describe('blame', () => {
  test('a fault of the node never holds Ready', () => {
    const busy = cell({ state: 'failed', reason: 'MemoryLimit', runs: null, mode: 'off' });
    const status = compute([nodeFact('a'), nodeFact('b', { cell: busy })]);
    expect(summary(status)).toBe('True/Loaded');
    expect(status.nodes).toMatchObject({ unhealthy: 1, failed: 0 });
    expect(status.failures).toMatchObject([{ reason: 'MemoryLimit', nodes: 1 }]);
  });

  test('a refusal that has no name is no fault of the node: a policy that does not run is not ready', () => {
    const refused = cell({ state: 'failed', reason: 'LoadError', hook: 'lsm:file_open', runs: null, mode: 'off' });
    expect(summary(compute([nodeFact('a', { cell: refused }), nodeFact('b', { cell: refused })]))).toBe('False/LoadFailed Stalled');
    expect(summary(compute([nodeFact('a'), nodeFact('b', { cell: refused })]))).toBe('False/PartiallyLoaded Stalled');
  });

  test('where most policies fail, failing is the fault of the node', () => {
    const status = compute([nodeFact('a'), nodeFact('b', { cell: failedCell, isFailingMost: true })]);
    expect(summary(status)).toBe('True/Loaded');
  });

  test('a reason that this version does not know is blamed on the node', () => {
    const strange = cell({ state: 'failed', reason: 'NotInventedYet', runs: null });
    expect(compute([nodeFact('a'), nodeFact('b', { cell: strange })]).nodes).toMatchObject({ unhealthy: 1 });
  });

  test('an agent too old for the plan is waited for, and failed after the grace', () => {
    const old = cell({ state: 'unsupported', reason: 'NotSupportedByAgent', runs: null });
    expect(summary(compute([nodeFact('a', { cell: old })]))).toBe('False/WaitingForNodes Reconciling');
    expect(summary(compute([nodeFact('a', { cell: { ...old, ageMs: 900_000 } })]))).toBe('False/LoadFailed Stalled');
  });
});

test('what a node says moves no cursor of whoever reads the status', () => {
  const words = '\u001b[2J\u202egood\nnews';
  const status = compute([
    nodeFact('a', { kernel: words, cell: cell({ state: 'failed', reason: 'LoadError', hook: words, message: words, runs: null }) }),
  ]);
  expect(JSON.stringify(status)).not.toMatch(/\\u001b|\\n|\u202e/);
  expect(status.failures).toMatchObject([{ hook: '?[2J?good?news', message: '?[2J?good?news' }]);
});

describe('completion is latched', () => {
  const joining = nodeFact('new', { cell: null, expectedForMs: 1_000, isDelivered: false });

  test('before all nodes have answered once, a joining node is waited for', () => {
    expect(summary(compute([nodeFact('a'), joining]))).toBe('False/WaitingForNodes Reconciling');
  });

  test('afterwards a joining node never moves Ready', () => {
    const previous = compute([nodeFact('a')]);
    const status = compute([nodeFact('a'), joining], { previous }, later);
    expect(summary(status)).toBe('True/Loaded');
    expect(status.nodes).toMatchObject({ joining: 1, matched: 2 });
  });

  test('a failure after completion keeps the latch', () => {
    const first = compute([nodeFact('a')]);
    const second = compute([nodeFact('a', { cell: failedCell })], { previous: first }, later);
    expect(summary(compute([nodeFact('a', { cell: failedCell }), joining], { previous: second }, later))).toBe('False/LoadFailed Stalled');
  });

  test('a new generation opens it again', () => {
    const previous = compute([nodeFact('a')]);
    expect(summary(compute([nodeFact('a'), joining], { previous, generation: 2 }, later))).toBe('False/WaitingForNodes Reconciling');
  });
});

describe('time', () => {
  test('lastTransitionTime moves with the status alone', () => {
    const first = compute([nodeFact('a')]);
    const second = compute([nodeFact('a'), nodeFact('b')], { previous: first }, later);
    expect(condition(second, 'Ready')?.message).not.toBe(condition(first, 'Ready')?.message);
    expect(condition(second, 'Ready')?.lastTransitionTime).toBe(condition(first, 'Ready')?.lastTransitionTime);
    const third = compute([nodeFact('a', { cell: failedCell })], { previous: second }, later);
    expect(condition(third, 'Ready')?.lastTransitionTime).toBe('2026-11-22T08:01:00Z');
  });

  test('a clock that jumped back does not take transitions with it', () => {
    const first = compute([nodeFact('a')], {}, later);
    const second = compute([nodeFact('a', { cell: failedCell })], { previous: first }, now);
    expect(condition(second, 'Ready')?.lastTransitionTime).toBe('2026-11-22T08:01:00Z');
  });

  test('a controller that has just started keeps the stored status until it has heard of the fleet', () => {
    const previous = compute([nodeFact('a')]);
    const coverage = { isSettled: false, remainingMs: 180_000 } as const;
    const result = computeStatus(statusInput([nodeFact('a', { cell: null })], { previous, coverage }), later, HOLD_MS);
    expect(result).toEqual({ status: previous, recheckAfterMs: 180_000 });
    expect(classify(previous, result.status)).toBe('none');
  });

  test('a new generation is looked at even then', () => {
    const previous = compute([nodeFact('a')]);
    const coverage = { isSettled: false, remainingMs: 180_000 } as const;
    const status = compute([nodeFact('a', { cell: null })], { previous, coverage, generation: 2 }, later);
    expect(status.observedGeneration).toBe(2);
  });

  test('agents that are away degrade the policy after ten minutes, and stop to ten minutes after they are back', () => {
    const away = Array.from({ length: 10 }, (_, index) => nodeFact(`n${index}`, { reachable: index >= 4 }));
    const back = away.map((node) => ({ ...node, reachable: true }));
    let alarms = alarmsFromStatus(null);
    const step = (nodes: NodeFact[], atMs: number): PolicyStatus => {
      const input = statusInput(nodes);
      alarms = updateAlarms(alarms, alarmFacts(input.tally, 0), atMs, HOLD_MS);
      return computeStatus({ ...input, alarms }, { wallMs: now.wallMs + atMs, monotonicMs: atMs }, HOLD_MS).status;
    };
    expect(condition(step(away, 0), 'Degraded')?.status).toBe('False');
    expect(condition(step(away, HOLD_MS - 1), 'Degraded')?.status).toBe('False');
    expect(condition(step(away, HOLD_MS), 'Degraded')).toMatchObject({ status: 'True', reason: 'AgentsOffline' });
    expect(condition(step(back, HOLD_MS + 1), 'Degraded')?.status).toBe('True');
    const calm = step(back, 2 * HOLD_MS + 1);
    expect(condition(calm, 'Degraded')?.status).toBe('False');
    expect(summary(calm)).toBe('True/Loaded');
  });

  test('most agents away for ten minutes makes Ready unknown', () => {
    const away = ['a', 'b', 'c'].map((name) => nodeFact(name, { reachable: name === 'a' }));
    const alarms = updateAlarms(
      updateAlarms(alarmsFromStatus(null), alarmFacts(statusInput(away).tally, 0), 0, HOLD_MS),
      alarmFacts(statusInput(away).tally, 0),
      HOLD_MS,
      HOLD_MS,
    );
    expect(summary(compute(away, { alarms }))).toBe('Unknown/AgentsOffline Reconciling');
  });
});

describe('what a change is worth', () => {
  test('changed numbers are counts, a changed condition is a transition, and equal is nothing', () => {
    const first = compute([nodeFact('a')]);
    expect(classify(null, first)).toBe('transition');
    expect(classify(first, compute([nodeFact('a')], { previous: first }, later))).toBe('none');
    expect(classify(first, compute([nodeFact('a'), nodeFact('b')], { previous: first }))).toBe('counts');
    expect(classify(first, compute([nodeFact('a', { cell: failedCell })], { previous: first }))).toBe('transition');
    expect(classify(first, { ...first, activity: { events: 3 } })).toBe('activity');
  });
});
