import { DEFAULT_TIMING, type Timing } from './timing.ts';

/** Every time constant as a flag: `heartbeatMs` is `--heartbeat`, and takes `2s`, `500ms`, `10m`. */
export type TimingFlag = { readonly name: string; readonly key: keyof Timing; readonly description: string };

export const TIMING_FLAGS: readonly TimingFlag[] = [
  { name: 'transition-gap', key: 'transitionGapMs', description: 'between two writes of a status because a condition changed' },
  { name: 'rollout-gap', key: 'rolloutGapMs', description: 'between two writes because of numbers, while nodes are answering' },
  { name: 'counts-gap', key: 'countsGapMs', description: 'the same while nothing is going on' },
  { name: 'activity-gap', key: 'activityGapMs', description: 'between two writes for activity alone' },
  { name: 'conflict-retry', key: 'conflictRetryMs', description: 'before a policy is looked at again after a conflict' },
  { name: 'status-unavailable-retry', key: 'statusUnavailableRetryMs', description: 'the same where the kind has no status' },
  { name: 'joining', key: 'joiningMs', description: 'agents younger than this are joining' },
  { name: 'unreachable', key: 'unreachableMs', description: 'silence after which a node is unreachable' },
  { name: 'alarm-hold', key: 'alarmHoldMs', description: 'how long a fact must hold before Degraded follows' },
  { name: 'unsupported-grace', key: 'unsupportedGraceMs', description: 'how long agents may be too old for a plan' },
  { name: 'heartbeat', key: 'heartbeatMs', description: 'between two pings of an agent' },
  { name: 'report-jitter', key: 'reportJitterMs', description: 'over which agents spread what nobody waits for' },
  { name: 'activity-period', key: 'activityPeriodMs', description: 'how often agents tell what they counted' },
  { name: 'pod-coalesce', key: 'podCoalesceMs', description: 'how long changes of pods are collected' },
  { name: 'slow-agent', key: 'slowAgentMs', description: 'after which an agent that does not read is cut off' },
  { name: 'token-review', key: 'reviewMs', description: 'how long a review of a token holds' },
  { name: 'goaway-spread', key: 'goawaySpreadMs', description: 'over which agents leave at the end' },
  { name: 'tick', key: 'tickMs', description: 'how often everything is looked at' },
];

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const MAX_DURATION_MS = 24 * 3_600_000;

/** `500ms`, `2s`, `10m`, `1.5h`; throws a RangeError that says what would be right. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const durationMs = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (match === null || !(durationMs >= 1) || durationMs > MAX_DURATION_MS) {
    throw new RangeError(`${JSON.stringify(text.slice(0, 50))} is no duration from 1ms to 24h; write 500ms, 2s or 10m`);
  }
  return Math.round(durationMs);
}

/** The timing after the values given for flags, by the flag's name; what is not given is the default. */
export function timingOf(values: Readonly<Record<string, string | undefined>>): Timing {
  const timing: { -readonly [Key in keyof Timing]: number } = { ...DEFAULT_TIMING };
  for (const { name, key } of TIMING_FLAGS) {
    const value = values[name];
    if (value !== undefined) {
      try {
        timing[key] = parseDurationMs(value);
      } catch (cause) {
        throw new RangeError(`--${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
  }
  return timing;
}

export function formatDuration(durationMs: number): string {
  const unit = (['h', 'm', 's'] as const).find((name) => durationMs % (UNITS[name] ?? 1) === 0) ?? 'ms';
  return `${durationMs / (UNITS[unit] ?? 1)}${unit}`;
}
