import type { CallResult, HookResult } from '../policy-tests/call-result.ts';
import type { Expectation } from '../policy-tests/test-schema.ts';
import { formatVerdict } from '../policy-tests/verdict.ts';

/** What anybody can notice of a call, as one text: calls with the same text are treated the same. */
export function outcomeKey(result: CallResult): string {
  const events = result.hooks.filter(({ sendsEvent }) => sendsEvent).map(({ action, hook }) => [action, hook.message]);
  const does = result.hooks.flatMap((one) => one.does);
  const texts = events.map((event) => JSON.stringify(event));
  return JSON.stringify([formatVerdict(result.happened), texts.toSorted(), does.toSorted()]);
}

/** What a test must expect to pass with one of the two results and fail with the other. */
export function expectationOf(result: CallResult, other: CallResult): Expectation {
  const verdict = formatVerdict(result.happened);
  if (verdict !== formatVerdict(other.happened)) return verdict;
  const sent = result.hooks.filter(({ sendsEvent }) => sendsEvent);
  const otherSent = other.hooks.filter(({ sendsEvent }) => sendsEvent);
  const differs = eventsKey(sent) !== eventsKey(otherSent);
  if (differs && verdict === 'allow' && sent.length === 0) return 'nothing';
  if (differs && verdict === 'allow' && otherSent.length === 0) return 'event';
  const does = result.hooks.flatMap((one) => one.does);
  const events = sent.map(({ policy, action, hook }) => ({
    policy: policy.name,
    ...(action === null ? {} : { action }),
    ...(hook.message === '' ? {} : { message: hook.message }),
  }));
  return { verdict, ...(differs ? { events } : { does }) };
}

function eventsKey(results: readonly HookResult[]): string {
  return JSON.stringify(results.map(({ action, hook }) => [action, hook.message]));
}

/** `deny EPERM, event`, in a few words for people. */
export function outcomeWords(result: CallResult): string {
  const sent = result.hooks.filter(({ sendsEvent }) => sendsEvent);
  const events = sent.map(({ hook }) => [...(hook.message === '' ? [] : [JSON.stringify(hook.message)]), ...hook.tags].join(' '));
  const does = result.hooks.flatMap((one) => one.does);
  const told = sent.length === 0 ? 'no event' : sent.length === 1 ? `an event ${events[0] ?? ''}`.trim() : `${sent.length} events`;
  return [formatVerdict(result.happened), told, ...does].join(', ');
}
