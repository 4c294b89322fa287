import type { Alarms } from '../status/alarms.ts';
import { alarmsFromStatus } from '../status/alarms.ts';
import type { Cell, NodeFact, Target } from '../status/node-fact.ts';
import type { StatusInput } from '../status/status-input.ts';
import { type Outsiders, tallyNodes } from '../status/tally.ts';

export const DIGEST_A = 'aa'.repeat(32);
export const DIGEST_B = 'bb'.repeat(32);
export const LIMITS = { joiningMs: 300_000, unsupportedGraceMs: 900_000 };
export const HOLD_MS = 600_000;

export const TARGET: Target = { generation: 1, digest: DIGEST_A, mode: 'enforce', hasEnforcement: true };

export function cell(change: Partial<Cell> = {}): Cell {
  return {
    state: 'loaded',
    reason: '',
    runs: DIGEST_A,
    mode: 'enforce',
    hook: '',
    method: 'lsm',
    message: '',
    canEnforce: true,
    ageMs: 0,
    ...change,
  };
}

export function nodeFact(name: string, change: Partial<NodeFact> = {}): NodeFact {
  return {
    name,
    kernel: '6.1.0-1',
    reachable: true,
    fault: null,
    notice: null,
    isFailingMost: false,
    expectedForMs: 3_600_000,
    isWithheld: false,
    isDelivered: true,
    cell: cell(),
    ...change,
  };
}

export const CALM: Alarms = alarmsFromStatus(null);

/** An accepted policy of generation 1 on these nodes. */
export function statusInput(
  nodes: readonly NodeFact[],
  change: Partial<StatusInput> = {},
  outsiders: Outsiders = { notSelected: 0, withoutAgent: 0 },
): StatusInput {
  const target = change.target === undefined ? TARGET : change.target;
  return {
    generation: 1,
    verdict: { kind: 'good' },
    target,
    mode: target?.mode ?? null,
    tally: tallyNodes(nodes, outsiders, target ?? TARGET, LIMITS),
    coverage: { isSettled: true },
    alarms: CALM,
    activity: null,
    previous: null,
    ...change,
  };
}
