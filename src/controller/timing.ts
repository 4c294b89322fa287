/**
 * Time constants of reconcile, status and hub (control-plane 2.4, 2.6, 3.4, 7), all in milliseconds. Each is a flag
 * (`--hub-heartbeat=2s`), so that tests run them at a tenth.
 */
export type Timing = {
  /** Between two writes of one policy's status because a condition changed. */
  readonly transitionGapMs: number;
  /** Between two writes because numbers changed, while nodes are still answering: small, middle, large fleets. */
  readonly rolloutGapMs: number;
  /** The same when nothing is going on. ± 20 %. */
  readonly countsGapMs: number;
  /** Between two writes for activity alone. */
  readonly activityGapMs: number;
  /** After a 409 the policy is looked at again with what the cache holds then. */
  readonly conflictRetryMs: number;
  /** After a 404 for an object that exists: the kind has no status. */
  readonly statusUnavailableRetryMs: number;
  /** Agents that have been known for less and have said nothing are `joining`. */
  readonly joiningMs: number;
  /** A node that has not been connected for so long is `unreachable`; also how long a new controller waits for reports. */
  readonly unreachableMs: number;
  /** How long a fact must hold before `Degraded` and `AgentsOffline` follow it, up and down. */
  readonly alarmHoldMs: number;
  /** An agent too old for a plan counts as pending so long, then as failed. */
  readonly unsupportedGraceMs: number;
  readonly heartbeatMs: number;
  /** Time within which agents spread what nobody waits for. */
  readonly reportJitterMs: number;
  readonly activityPeriodMs: number;
  /** Pod changes of a node are collected so long. */
  readonly podCoalesceMs: number;
  /** An agent that has not read what is queued for it within this time is closed. */
  readonly slowAgentMs: number;
  /** A token that was found good is asked about again after this time, for live connections too. */
  readonly reviewMs: number;
  /** Agents leave spread over this time when the controller ends. */
  readonly goawaySpreadMs: number;
  /** The fleet is looked at this often for what only time changes. */
  readonly tickMs: number;
};

export const DEFAULT_TIMING: Timing = {
  transitionGapMs: 2_000,
  rolloutGapMs: 2_000,
  countsGapMs: 300_000,
  activityGapMs: 600_000,
  conflictRetryMs: 500,
  statusUnavailableRetryMs: 60_000,
  joiningMs: 300_000,
  unreachableMs: 180_000,
  alarmHoldMs: 600_000,
  unsupportedGraceMs: 900_000,
  heartbeatMs: 20_000,
  reportJitterMs: 5_000,
  activityPeriodMs: 60_000,
  podCoalesceMs: 100,
  slowAgentMs: 30_000,
  reviewMs: 600_000,
  goawaySpreadMs: 10_000,
  tickMs: 10_000,
};
