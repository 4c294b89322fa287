import { didYouMean } from '../nearest.ts';
import type { PlanAction } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { ACTION_NAMES, type CallResult, type HookResult } from './call-result.ts';
import type { TestedHook } from './hook-names.ts';
import type { Expectation } from './test-schema.ts';
import { type ExpectedVerdict, fits, formatVerdict, readVerdict } from './verdict.ts';

/** What a case expects, checked; what is absent is not compared. */
export type Expected = {
  readonly verdict?: ExpectedVerdict;
  readonly events?: readonly ExpectedEvent[] | 'none' | 'some';
  readonly does?: readonly string[];
  readonly unknown?: boolean;
};

export type ExpectedEvent = { readonly policy: string; readonly action?: string; readonly message?: string };

/** Names of actions in events, as plans have them. */
const EVENT_ACTIONS: readonly PlanAction['type'][] = [
  'post',
  'nopost',
  'sigkill',
  'signal',
  'override',
  'set_registers',
  'redirect',
  'track_sock',
  'untrack_sock',
  'notify_enforcer',
  'cleanup_enforcer',
  'get_url',
  'dns_lookup',
  'set',
];

export function readExpectation(sink: ProblemSink, path: string, words: Expectation, hooks: readonly TestedHook[]): Expected {
  if (typeof words === 'string') return readShort(sink, path, words.trim().replaceAll(/\s+/g, ' '));
  const { verdict, events, does, unknown } = words;
  if (verdict === undefined && events === undefined && does === undefined && unknown === undefined) {
    sink.error('BadExpectation', path, 'expects nothing that could fail', 'for example "verdict: allow" or "events: []"');
  }
  const names = Object.values(ACTION_NAMES).filter((name) => name !== 'NotifyEnforcer');
  for (const [index, name] of (does ?? []).entries()) {
    if (!names.includes(name)) {
      const hint =
        didYouMean(name, names) ?? `one of ${[...new Set(names)].join(', ')}; Post, Override and signals are told by verdict and events`;
      sink.error('BadExpectation', fieldPath(fieldPath(path, 'does'), index), `${quote(name)} is no such action`, hint);
    }
  }
  return {
    ...(verdict === undefined ? {} : readShort(sink, fieldPath(path, 'verdict'), verdict)),
    ...(events === undefined
      ? {}
      : { events: events.map((event, at) => readEvent(sink, fieldPath(fieldPath(path, 'events'), at), event, hooks)) }),
    ...(does === undefined ? {} : { does }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

const ALLOW: ExpectedVerdict = { isWould: false, errno: null, kill: false, signal: null };

function readShort(sink: ProblemSink, path: string, text: string): Expected {
  if (text === 'nothing') return { verdict: ALLOW, events: 'none' };
  if (text === 'event') return { verdict: ALLOW, events: 'some' };
  const read = readVerdict(text);
  if (read.ok) return { verdict: read.verdict };
  sink.error('BadExpectation', path, read.message, read.hint);
  return {};
}

type EventWords = NonNullable<Exclude<Expectation, string>['events']>[number];

function readEvent(sink: ProblemSink, path: string, words: EventWords, hooks: readonly TestedHook[]): ExpectedEvent {
  const event = typeof words === 'string' ? { policy: words } : words;
  const at = typeof words === 'string' ? path : fieldPath(path, 'policy');
  const { policy, action, message } = event;
  const names = [...new Set(hooks.map((one) => one.policy.name))];
  if (!names.includes(policy)) {
    const hint = didYouMean(policy, names) ?? `this hook is in ${names.join(', ')}`;
    sink.error('BadExpectation', at, `${quote(policy)} is no policy of this test with this hook: it can never send the event`, hint);
  }
  if (action !== undefined && !EVENT_ACTIONS.some((name) => name === action)) {
    const hint = didYouMean(action, EVENT_ACTIONS) ?? `one of ${EVENT_ACTIONS.join(', ')}`;
    sink.error('BadExpectation', fieldPath(path, 'action'), `${quote(action)} is no action of an event`, hint);
  }
  return { policy, ...(action === undefined ? {} : { action }), ...(message === undefined ? {} : { message }) };
}

/** One thing that is not as expected. */
export type Mismatch = { readonly what: 'verdict' | 'events' | 'does' | 'unknown'; readonly expected: string; readonly happened: string };

export function mismatches(expected: Expected, result: CallResult): readonly Mismatch[] {
  const found: Mismatch[] = [];
  const compare = (what: Mismatch['what'], isSame: boolean, wanted: string, actual: string): void => {
    if (!isSame) found.push({ what, expected: wanted, happened: actual });
  };
  if (expected.verdict !== undefined) {
    const actual = formatVerdict(result.happened);
    compare('verdict', fits(expected.verdict, result.happened), formatVerdict(expected.verdict), actual);
  }
  if (expected.events !== undefined) {
    const sent = result.hooks.filter(({ sendsEvent }) => sendsEvent);
    compare('events', sameEvents(expected.events, sent), expectedEventsText(expected.events), eventsText(sent.map(eventOf)));
  }
  if (expected.does !== undefined) {
    const done = result.hooks.flatMap(({ does }) => does).toSorted();
    compare(
      'does',
      String(expected.does.toSorted()) === String(done),
      expected.does.join(', ') || 'nothing else',
      done.join(', ') || 'nothing else',
    );
  }
  if (expected.unknown !== undefined) {
    const actual = result.hooks.some(({ entry, returned }) => entry.byUnknown || returned?.byUnknown === true);
    const text = (byUnknown: boolean): string => (byUnknown ? 'matched by something unknown' : 'nothing unknown decided');
    compare('unknown', expected.unknown === actual, text(expected.unknown), text(actual));
  }
  return found;
}

/** Each expected event is one that is sent, and each that is sent is expected; a wide expectation must not take what a narrow one needs. */
function sameEvents(expected: NonNullable<Expected['events']>, sent: readonly HookResult[]): boolean {
  if (expected === 'none') return sent.length === 0;
  if (expected === 'some') return sent.length > 0;
  if (expected.length !== sent.length) return false;
  const left = sent.map(eventOf);
  const narrowFirst = expected.toSorted((a, b) => Object.keys(b).length - Object.keys(a).length);
  return narrowFirst.every(({ policy, action, message }) => {
    const at = left.findIndex(
      (one) =>
        one.policy === policy && (action === undefined || one.action === action) && (message === undefined || one.message === message),
    );
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function eventOf({ policy, hook, action }: HookResult): Required<ExpectedEvent> {
  return { policy: policy.name, action: action ?? 'post', message: hook.message };
}

function expectedEventsText(expected: NonNullable<Expected['events']>): string {
  if (expected === 'none') return 'no event';
  return expected === 'some' ? 'an event' : eventsText(expected);
}

function eventsText(events: readonly ExpectedEvent[]): string {
  if (events.length === 0) return 'no event';
  return events
    .map(({ policy, action, message }) => {
      const more = [...(action === undefined ? [] : [action]), ...(message === undefined || message === '' ? [] : [quote(message)])];
      return `event of ${policy}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
    })
    .join(', ');
}
