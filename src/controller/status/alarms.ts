import type { PolicyStatus } from '../../policy/schema/status.ts';
import type { Tally } from './tally.ts';

/** Something that is raised, and lowered, only after the fact behind it has held for a while. */
export type Alarm = {
  readonly isRaised: boolean;
  /** Since when the fact has been the opposite of `isRaised` (monotonic); null: it is not. */
  readonly opposedSinceMs: number | null;
};

export const ALARM_NAMES = ['mostlyOffline', 'someOffline', 'someUnhealthy', 'eventsLost'] as const;
export type AlarmName = (typeof ALARM_NAMES)[number];
export type Alarms = Readonly<Record<AlarmName, Alarm>>;

/** Alarms of a controller that has just started: as the stored status says, so that a restart neither raises nor lowers any. */
export function alarmsFromStatus(previous: PolicyStatus | null): Alarms {
  const ready = previous?.conditions?.find((condition) => condition.type === 'Ready');
  const degraded = previous?.conditions?.find((condition) => condition.type === 'Degraded' && condition.status === 'True');
  const quiet = (isRaised: boolean): Alarm => ({ isRaised, opposedSinceMs: null });
  return {
    mostlyOffline: quiet(ready?.status === 'Unknown' && ready.reason === 'AgentsOffline'),
    someOffline: quiet(degraded?.reason === 'AgentsOffline'),
    someUnhealthy: quiet(degraded?.reason === 'NodesUnhealthy'),
    eventsLost: quiet(degraded?.reason === 'EventsLost'),
  };
}

/** `nowMs` is monotonic. The same alarms come back when nothing changed. */
export function updateAlarms(alarms: Alarms, facts: Readonly<Record<AlarmName, boolean>>, nowMs: number, holdMs: number): Alarms {
  return {
    mostlyOffline: updateAlarm(alarms.mostlyOffline, facts.mostlyOffline, nowMs, holdMs),
    someOffline: updateAlarm(alarms.someOffline, facts.someOffline, nowMs, holdMs),
    someUnhealthy: updateAlarm(alarms.someUnhealthy, facts.someUnhealthy, nowMs, holdMs),
    eventsLost: updateAlarm(alarms.eventsLost, facts.eventsLost, nowMs, holdMs),
  };
}

function updateAlarm(alarm: Alarm, fact: boolean, nowMs: number, holdMs: number): Alarm {
  if (fact === alarm.isRaised) {
    return alarm.opposedSinceMs === null ? alarm : { isRaised: alarm.isRaised, opposedSinceMs: null };
  }
  const since = alarm.opposedSinceMs ?? nowMs;
  return nowMs - since >= holdMs ? { isRaised: fact, opposedSinceMs: null } : { isRaised: alarm.isRaised, opposedSinceMs: since };
}

/** Milliseconds until an alarm may change by time alone; undefined: none will. */
export function nextAlarmMs(alarms: Alarms, nowMs: number, holdMs: number): number | undefined {
  const due = ALARM_NAMES.flatMap((name) => {
    const since = alarms[name].opposedSinceMs;
    return since === null ? [] : [Math.max(0, since + holdMs - nowMs)];
  });
  return due.length === 0 ? undefined : Math.min(...due);
}

/** Share of a policy's events that were lost, of late. */
export type LossShare = number;

/** The facts behind the alarms (control-plane 7.1 row 7 and the last line). */
export function alarmFacts(tally: Tally, lossShare: LossShare): Readonly<Record<AlarmName, boolean>> {
  const { matched, unreachable, unhealthy } = tally.counts;
  const tolerated = Math.max(matched / 100, 3);
  return {
    mostlyOffline: matched > 0 && (matched - unreachable) * 2 < matched,
    someOffline: unreachable > tolerated,
    someUnhealthy: unhealthy > tolerated,
    eventsLost: lossShare > 0.05,
  };
}
