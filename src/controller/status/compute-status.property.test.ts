import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REASONS } from '../../policy/reasons.ts';
import { policyStatus, type PolicyStatus } from '../../policy/schema/status.ts';
import { POLICY_STATES } from '../../protocol/hub-frames.ts';
import { CALM, DIGEST_A, DIGEST_B, HOLD_MS, LIMITS } from '../testing/status-facts.ts';
import { classify } from './classify.ts';
import { computeStatus, type Now } from './compute-status.ts';
import type { NodeFact, Target } from './node-fact.ts';
import { MAX_STATUS_BYTES, sizeOf } from './shed.ts';
import type { PolicyVerdict, StatusInput } from './status-input.ts';
import { tallyNodes } from './tally.ts';

/** Whatever a hostile node may say: control characters, halves of pairs, and more bytes than letters among it. */
const nasty = (maxLength: number): fc.Arbitrary<string> => fc.oneof(fc.string({ maxLength }), fc.string({ unit: 'binary', maxLength }));
const reason = fc.oneof(fc.constantFrom('', ...REASONS.map((entry) => entry.name)), nasty(64));
const digest = fc.constantFrom(null, DIGEST_A, DIGEST_B);

const cell = fc.record({
  state: fc.constantFrom(...POLICY_STATES),
  reason,
  runs: digest,
  mode: fc.constantFrom('enforce', 'monitor', 'off'),
  hook: nasty(256),
  method: nasty(16),
  message: nasty(256),
  canEnforce: fc.boolean(),
  ageMs: fc.nat(2_000_000),
});

const nodeFact = fc.record({
  name: fc.string({ minLength: 1, maxLength: 253 }),
  kernel: nasty(128),
  reachable: fc.boolean(),
  fault: fc.option(reason, { freq: 5 }),
  notice: fc.option(reason, { freq: 5 }),
  isFailingMost: fc.boolean(),
  expectedForMs: fc.nat(1_000_000),
  isWithheld: fc.boolean(),
  isDelivered: fc.boolean(),
  cell: fc.option(cell, { freq: 5 }),
});

const nodes = fc.uniqueArray(nodeFact, { maxLength: 40, selector: (fact) => fact.name });
const outsiders = fc.record({ notSelected: fc.nat(10), withoutAgent: fc.nat(10) });
const target: fc.Arbitrary<Target> = fc.record({
  generation: fc.nat(5),
  digest,
  mode: fc.constantFrom('enforce', 'monitor'),
  hasEnforcement: fc.boolean(),
});
const problems = fc.array(
  fc.record({
    code: fc.constant('UnknownField' as const),
    path: nasty(200),
    message: nasty(600),
    severity: fc.constantFrom('error', 'warning'),
  }),
  { maxLength: 5 },
);
const verdict: fc.Arbitrary<PolicyVerdict> = fc.oneof(
  fc.constant({ kind: 'good' as const }),
  fc.record({ kind: fc.constantFrom('invalid', 'uncompilable'), problems }),
  fc.record({ kind: fc.constant('foreign' as const), pods: fc.nat(100) }),
);

type World = {
  nodes: NodeFact[];
  outsiders: { notSelected: number; withoutAgent: number };
  target: Target;
  verdict: PolicyVerdict;
  generation: number;
};
const world: fc.Arbitrary<World> = fc.record({ nodes, outsiders, target, verdict, generation: fc.nat(5) });

const now: Now = { wallMs: Date.UTC(2026, 10, 22), monotonicMs: 0 };
const later: Now = { wallMs: now.wallMs + 3_600_000, monotonicMs: 0 };

function inputOf(facts: World, previous: PolicyStatus | null): StatusInput {
  return {
    generation: facts.generation,
    verdict: facts.verdict,
    target: facts.target,
    mode: facts.target.mode,
    tally: tallyNodes(facts.nodes, facts.outsiders, facts.target, LIMITS),
    coverage: { isSettled: true },
    alarms: CALM,
    activity: null,
    previous,
  };
}

function statusOf(facts: World, previous: PolicyStatus | null = null, at = now): PolicyStatus {
  return computeStatus(inputOf(facts, previous), at, HOLD_MS).status;
}

describe('computeStatus, whatever the nodes say', () => {
  test('fits in 8 KiB and is what the CRD accepts', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const status = statusOf(facts);
        expect(sizeOf(status)).toBeLessThanOrEqual(MAX_STATUS_BYTES);
        expect(policyStatus.parse(status)).toEqual(status);
      }),
      { numRuns: 300 },
    );
  });

  test('adds up: matched is loaded, pending, joining, failed, unhealthy and unreachable', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const { counts, enforcing, cannotEnforce } = inputOf(facts, null).tally;
        expect(counts.matched).toBe(facts.nodes.length);
        expect(counts.loaded + counts.pending + counts.joining + counts.failed + counts.unhealthy + counts.unreachable).toBe(
          counts.matched,
        );
        expect(enforcing + cannotEnforce).toBeLessThanOrEqual(counts.loaded);
      }),
    );
  });

  test('does not depend on the order of the nodes', () => {
    const shuffled = world.chain((facts) =>
      fc.shuffledSubarray(facts.nodes, { minLength: facts.nodes.length }).map((order) => ({ facts, order })),
    );
    fc.assert(
      fc.property(shuffled, ({ facts, order }) => {
        expect(statusOf({ ...facts, nodes: order })).toEqual(statusOf(facts));
      }),
    );
  });

  test('settles: after at most one more step, the same facts change nothing, however much time passes', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const settled = statusOf(facts, statusOf(facts));
        const again = statusOf(facts, settled, later);
        expect(classify(settled, again)).toBe('none');
        expect(again).toEqual(settled);
      }),
    );
  });

  test('moves a transition time only together with its status', () => {
    fc.assert(
      fc.property(world, world, (before, after) => {
        const first = statusOf(before);
        for (const next of statusOf(after, first, later).conditions ?? []) {
          const old = first.conditions?.find((entry) => entry.type === next.type);
          if (old !== undefined) {
            expect(next.lastTransitionTime !== old.lastTransitionTime).toBe(next.status !== old.status);
          }
        }
      }),
    );
  });

  test('says the same after a change of the leader, before and after the new one has heard of the fleet', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const settled = statusOf(facts, statusOf(facts));
        const silent = { ...facts, nodes: facts.nodes.map((node) => ({ ...node, cell: null, isDelivered: false })) };
        const waiting = computeStatus({ ...inputOf(silent, settled), coverage: { isSettled: false, remainingMs: 1 } }, later, HOLD_MS);
        expect(waiting.status).toEqual(settled);
        expect(statusOf(facts, waiting.status, later)).toEqual(settled);
      }),
    );
  });

  test('never says both Reconciling and Stalled, and never Ready while one of them is true', () => {
    fc.assert(
      fc.property(world, (facts) => {
        const types = new Map((statusOf(facts).conditions ?? []).map((entry) => [entry.type, entry.status]));
        expect(types.has('Reconciling') && types.has('Stalled')).toBe(false);
        if (types.get('Ready') === 'True') {
          expect(types.has('Reconciling') || types.has('Stalled')).toBe(false);
        }
      }),
    );
  });
});
