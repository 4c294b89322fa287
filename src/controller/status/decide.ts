import type { Reason } from '../../policy/reasons.ts';
import { isCompleted } from './completion.ts';
import { cannotEnforceMessage, failedMessage, loadedMessage, nodes, problemsMessage, waitingMessage } from './messages.ts';
import type { StatusInput } from './status-input.ts';
import type { Tally } from './tally.ts';

/** A condition without its times. `reason` may be a node's word where it names why something cannot be enforced. */
export type Fact = {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
};

export type ConditionFacts = {
  readonly Accepted: Fact;
  readonly Compiled: Fact;
  readonly Distributed: Fact;
  readonly Loaded: Fact;
  readonly Enforcing: Fact;
  readonly Degraded: Fact;
  readonly Ready: Fact;
  /** At most one of the two, and only while it is true. */
  readonly Reconciling?: Fact;
  readonly Stalled?: Fact;
};

/**
 * The table of control-plane 7.1: the first line that fits decides Ready. Row 4 (wait for coverage) is the caller's. Rows 8 and 12 belong
 * to staged rollouts, which do not exist yet.
 */
export function decideConditions(input: StatusInput): ConditionFacts {
  const { verdict } = input;
  switch (verdict.kind) {
    case 'invalid':
      return refused(input, 'Accepted', 'InvalidSpec', problemsMessage(verdict.problems));
    case 'foreign':
      return refused(input, 'Accepted', 'ForeignAgent', foreignMessage(verdict.pods));
    case 'uncompilable':
      return refused(input, 'Compiled', 'CompileFailed', problemsMessage(verdict.problems));
    case 'good':
      return accepted(input);
  }
}

const yes = (reason: Reason, message: string): Fact => ({ status: 'True', reason, message });
const no = (reason: string, message: string): Fact => ({ status: 'False', reason, message });
const unknown = (reason: Reason, message: string): Fact => ({ status: 'Unknown', reason, message });

const ACCEPTED = yes('Accepted', 'The policy is well formed');
const HEALTHY = no('Healthy', '');

function foreignMessage(pods: number): string {
  return `${pods} pods of another agent for these policies (app.kubernetes.io/name: tetragon) run in this cluster; nothing new is loaded beside them`;
}

/** Rows 2 and 3: nothing new is loaded; what ran before goes on. */
function refused(input: StatusInput, at: 'Accepted' | 'Compiled', reason: Reason, message: string): ConditionFacts {
  const { loaded, older } = input.tally.counts;
  const running = loaded + older;
  const goesOn = running > 0 ? `; the last good version goes on running on ${nodes(running)}` : '';
  const fault = no(reason, message);
  return {
    Accepted: at === 'Accepted' ? fault : ACCEPTED,
    Compiled: at === 'Accepted' ? unknown(reason, '') : fault,
    Distributed: no(reason, ''),
    Loaded: no(reason, goesOn === '' ? '' : goesOn.slice(2)),
    Enforcing: no(reason, ''),
    Degraded: degradedByAlarm(input) ?? HEALTHY,
    Ready: no(reason, message + goesOn),
    Stalled: yes(reason, message),
  };
}

type Course = { readonly ready: Fact; readonly loaded: Fact; readonly degraded?: Fact; readonly transient?: 'Reconciling' | 'Stalled' };

function accepted(input: StatusInput): ConditionFacts {
  const course = courseOf(input);
  const transient = course.transient === undefined ? {} : { [course.transient]: yesLike(course.ready) };
  return {
    Accepted: ACCEPTED,
    Compiled: yes('Compiled', `plan ${input.target?.digest?.slice(0, 16) ?? ''}`),
    Distributed: distributed(input.tally),
    Loaded: course.loaded,
    Enforcing: enforcing(input, course.loaded),
    Degraded: course.degraded ?? degradedByAlarm(input) ?? HEALTHY,
    Ready: course.ready,
    ...transient,
  };
}

function yesLike(fact: Fact): Fact {
  return { ...fact, status: 'True' };
}

function courseOf(input: StatusInput): Course {
  const { tally, alarms } = input;
  const { counts } = tally;
  const completed = isCompleted(input.previous, input.generation);
  if (counts.matched === 0 && counts.withoutAgent === 0) {
    const fact = yes('NoMatchingNodes', '0 nodes fit the nodeSelector');
    return { ready: fact, loaded: fact };
  }
  if (counts.matched === 0) {
    const fact = no('NoAgents', `${nodes(counts.withoutAgent)} ${counts.withoutAgent === 1 ? 'fits' : 'fit'}, none has an agent`);
    return { ready: fact, loaded: fact, transient: 'Reconciling' };
  }
  const waiting = counts.pending + (completed ? 0 : counts.joining);
  if (alarms.mostlyOffline.isRaised) {
    const fact = unknown('AgentsOffline', `${counts.unreachable} of ${nodes(counts.matched)} are out of reach; ${loadedMessage(tally)}`);
    const course: Course = { ready: fact, loaded: fact, degraded: yesLike(fact) };
    return completed ? course : { ...course, transient: 'Reconciling' };
  }
  if (waiting > 0) {
    const fact = no('WaitingForNodes', waitingMessage(tally));
    return { ready: fact, loaded: fact, transient: 'Reconciling' };
  }
  if (counts.failed > 0) {
    const fact = no(counts.loaded === 0 ? 'LoadFailed' : 'PartiallyLoaded', failedMessage(tally));
    return { ready: fact, loaded: fact, degraded: yesLike(fact), transient: 'Stalled' };
  }
  if (counts.loaded === 0) {
    return nothingKnown(input, completed);
  }
  const loaded = yes('Loaded', loadedMessage(tally));
  if (tally.cannotEnforce > 0) {
    return { ready: no('EnforcementUnavailable', cannotEnforceMessage(tally)), loaded, transient: 'Stalled' };
  }
  return { ready: loaded, loaded };
}

/** Nobody failed, nobody is awaited, and nobody runs it: that is not known to be right, so it is not said to be. */
function nothingKnown(input: StatusInput, completed: boolean): Course {
  const { counts } = input.tally;
  const reason: Reason = counts.unhealthy > 0 ? 'NodesUnhealthy' : counts.unreachable > 0 ? 'AgentsOffline' : 'WaitingForNodes';
  const fact = unknown(reason, loadedMessage(input.tally));
  return completed ? { ready: fact, loaded: fact } : { ready: fact, loaded: fact, transient: 'Reconciling' };
}

function distributed(tally: Tally): Fact {
  if (tally.counts.matched === 0) {
    return tally.counts.withoutAgent === 0 ? yes('NoMatchingNodes', '') : no('NoAgents', '');
  }
  const reachable = tally.counts.matched - tally.counts.unreachable;
  return tally.undelivered === 0
    ? yes('Distributed', `${nodes(reachable)} ${reachable === 1 ? 'has' : 'have'} it`)
    : no('WaitingForNodes', `${tally.undelivered} of ${nodes(reachable)} have not confirmed it`);
}

function enforcing(input: StatusInput, loaded: Fact): Fact {
  const { tally, target } = input;
  if (target === null || !target.hasEnforcement) {
    return no('ObserveOnly', 'The policy neither denies nor kills');
  }
  if (target.mode === 'monitor') {
    return no('MonitorMode', 'policy-mode is monitor');
  }
  if (tally.cannotEnforce > 0) {
    const cause =
      tally.groups.find((group) => group.weight === 'limited' && group.hook !== '') ??
      tally.groups.find((group) => group.weight === 'limited');
    return no(cause?.reason ?? 'EnforcementUnavailable', cannotEnforceMessage(tally));
  }
  const refusal = tally.groups.find((group) => group.weight === 'failed' && CANNOT_DENY.has(group.reason));
  if (refusal !== undefined && loaded.status !== 'True') {
    return no(refusal.reason, loaded.message);
  }
  if (loaded.status !== 'True' || tally.counts.matched === 0) {
    return { ...loaded, status: loaded.status === 'Unknown' ? 'Unknown' : 'False' };
  }
  return yes('Enforcing', `${nodes(tally.enforcing)} can deny or kill`);
}

/** Reasons of a load that failed because the kernel could watch but not deny: they say best why nothing is enforced there. */
const CANNOT_DENY: ReadonlySet<string> = new Set<Reason>([
  'LSMNotEnabled',
  'FmodRetPreemptible',
  'OverrideHelperMissing',
  'NotErrorInjectable',
  'SubstituteNotAllowed',
  'ScratchUnsafe',
]);

function degradedByAlarm(input: StatusInput): Fact | undefined {
  const { alarms, tally } = input;
  const { counts } = tally;
  if (alarms.someOffline.isRaised) {
    return yes('AgentsOffline', `${counts.unreachable} of ${nodes(counts.matched)} are out of reach`);
  }
  if (alarms.someUnhealthy.isRaised) {
    const causes = tally.groups.filter((group) => group.weight === 'unhealthy').slice(0, 3);
    const why = causes.length === 0 ? '' : `: ${causes.map((group) => `${group.reason} on ${group.nodes}`).join(', ')}`;
    return yes('NodesUnhealthy', `${counts.unhealthy} of ${nodes(counts.matched)} have a fault of their own${why}`);
  }
  if (alarms.eventsLost.isRaised) {
    return yes('EventsLost', 'More than 5 % of the events of the policy are lost');
  }
  return undefined;
}
