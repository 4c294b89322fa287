import type { PolicyCondition, PolicyFailure, PolicyStatus } from '../../policy/schema/status.ts';
import { MAX_REASON_CHARS } from '../../policy/schema/status.ts';
import { nextAlarmMs } from './alarms.ts';
import { decideConditions, type ConditionFacts, type Fact } from './decide.ts';
import { bounded, conditionMessage } from './messages.ts';
import { shed } from './shed.ts';
import type { StatusInput } from './status-input.ts';
import type { FailureGroup } from './tally.ts';

/** Two clocks: durations are monotonic, what is stored is wall time. */
export type Now = { readonly wallMs: number; readonly monotonicMs: number };

export type StatusResult = {
  readonly status: PolicyStatus;
  /** Time alone will change the status then. */
  readonly recheckAfterMs?: number;
};

const CONDITION_ORDER = [
  'Ready',
  'Accepted',
  'Compiled',
  'Distributed',
  'Loaded',
  'Enforcing',
  'Degraded',
  'Reconciling',
  'Stalled',
] as const satisfies readonly (keyof ConditionFacts)[];

/**
 * What the policy object says about the cluster. Pure: the same facts give the same status, whatever order they came in, and without a changed
 * fact nothing changes. `previous` is a fact of the world: it holds the times of the last transitions and the latch of completion.
 */
export function computeStatus(input: StatusInput, now: Now, alarmHoldMs: number): StatusResult {
  const { previous, coverage } = input;
  const isNewGeneration = input.generation !== previous?.observedGeneration;
  if (!coverage.isSettled && previous !== null && !isNewGeneration) {
    return { status: previous, recheckAfterMs: coverage.remainingMs };
  }
  const facts = decideConditions(input);
  const { tally, target } = input;
  const status: PolicyStatus = {
    observedGeneration: input.generation,
    conditions: CONDITION_ORDER.flatMap((type) => {
      const fact = facts[type];
      return fact === undefined ? [] : [conditionOf(type, fact, input, now)];
    }),
    ...modeOf(input),
    loaded: `${tally.counts.loaded}/${tally.counts.matched}`,
    enforcing: isEnforcementWished(input) ? `${tally.enforcing}/${tally.counts.matched}` : '-',
    ...(target === null || target.digest === null ? {} : { digest: target.digest }),
    nodes: tally.counts,
    ...(tally.groups.length === 0 ? {} : { failures: tally.groups.map(failureOf) }),
    ...(input.activity === null ? {} : { activity: input.activity }),
  };
  const recheckAfterMs = recheckOf(input, now, alarmHoldMs);
  return recheckAfterMs === undefined ? { status: shed(status) } : { status: shed(status), recheckAfterMs };
}

function recheckOf(input: StatusInput, now: Now, alarmHoldMs: number): number | undefined {
  const alarmMs = nextAlarmMs(input.alarms, now.monotonicMs, alarmHoldMs);
  const coverageMs = input.coverage.isSettled ? undefined : input.coverage.remainingMs;
  return alarmMs === undefined ? coverageMs : coverageMs === undefined ? alarmMs : Math.min(alarmMs, coverageMs);
}

function isEnforcementWished(input: StatusInput): boolean {
  return input.target !== null && input.target.hasEnforcement && input.target.mode === 'enforce';
}

function modeOf(input: StatusInput): { mode?: NonNullable<PolicyStatus['mode']> } {
  const { target } = input;
  const mode = target?.mode ?? input.mode;
  if (mode === null) {
    return {};
  }
  if (mode === 'monitor') {
    return { mode: 'Monitor' };
  }
  return { mode: target === null || target.hasEnforcement ? 'Enforce' : 'MonitorOnly' };
}

/** `lastTransitionTime` moves with `status` alone, and never backwards. */
function conditionOf(type: string, fact: Fact, input: StatusInput, now: Now): PolicyCondition {
  const before = input.previous?.conditions?.find((condition) => condition.type === type);
  return {
    type,
    status: fact.status,
    observedGeneration: input.generation,
    lastTransitionTime: before?.status === fact.status ? before.lastTransitionTime : timestamp(now.wallMs, before?.lastTransitionTime),
    reason: safeReason(fact.reason),
    message: conditionMessage(fact.message),
  };
}

/** RFC 3339 in whole seconds, as the API server writes them; not before `notBefore`. */
export function timestamp(wallMs: number, notBefore?: string): string {
  const floor = notBefore === undefined ? Number.NaN : Date.parse(notBefore);
  const time = Number.isNaN(floor) ? wallMs : Math.max(wallMs, floor);
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

const REASON_PATTERN = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;

/** Reasons may come from nodes: what the API server would refuse is not shown as a reason. */
function safeReason(reason: string): string {
  return reason.length <= MAX_REASON_CHARS && REASON_PATTERN.test(reason) ? reason : 'Other';
}

function failureOf(group: FailureGroup): PolicyFailure {
  return {
    reason: safeReason(group.reason),
    nodes: group.nodes,
    ...(group.hook === '' ? {} : { hook: bounded(group.hook, 256) }),
    ...(group.kernels.length === 0 ? {} : { kernels: group.kernels.map((kernel) => bounded(kernel, 64)) }),
    ...(group.sampleNodes.length === 0 ? {} : { sampleNodes: [...group.sampleNodes] }),
    ...(group.message === '' ? {} : { message: bounded(group.message, 256) }),
  };
}
