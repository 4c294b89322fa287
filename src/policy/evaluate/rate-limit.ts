import type { PlanHook, PlanPost } from '../plan.ts';
import type { ArgValue, HookCall } from './event.ts';
import type { PolicyVerdict } from './evaluate.ts';

/** When equal events of one policy were last sent, in ms, by what makes them equal. */
export type RateState = ReadonlyMap<string, number>;

export type RateAnswer = {
  /** The event is sent. */
  readonly sends: boolean;
  readonly state: RateState;
};

/** Of every argument so much makes an event equal to another. */
const COMPARED_BYTES = 40;

/**
 * `rateLimit` of Post: an event that a policy has sent is not repeated by an equal one within the time of its selector. Equal: the same
 * hook and selector, the same thread (or process; with `global` any), the same beginnings of all arguments. Only events are limited:
 * what else a selector does, it does every time.
 */
export function limitEvents(state: RateState, hook: PlanHook, verdict: PolicyVerdict, call: HookCall): RateAnswer {
  const actions = verdict.selector === null ? undefined : hook.selectors[verdict.selector]?.actions;
  const post = actions?.find((action): action is PlanPost => action.type === 'post' && action.rateLimitMs !== undefined);
  if (!verdict.post || post?.rateLimitMs === undefined) {
    return { sends: verdict.post, state };
  }
  const now = call.timeMs ?? 0;
  const key = keyOf(hook, verdict, post, call);
  const last = state.get(key);
  if (last !== undefined && now - last < post.rateLimitMs) {
    return { sends: false, state };
  }
  return { sends: true, state: new Map([...state, [key, now]]) };
}

function keyOf(hook: PlanHook, verdict: PolicyVerdict, post: PlanPost, { process, args }: HookCall): string {
  // Functions of a list have one path.
  const whose = { thread: process.threadId ?? process.pid, process: process.pid, global: null }[post.rateLimitScope ?? 'thread'];
  return JSON.stringify([hook.path, hook.target, verdict.selector, whose ?? null, args.map(beginningOf)]);
}

function beginningOf(value: ArgValue): string {
  switch (value.kind) {
    case 'int':
      return String(value.value);
    case 'bytes':
      return Buffer.from(value.value.subarray(0, COMPARED_BYTES)).toString('hex');
    case 'socket': {
      const { source, destination, ...numbers } = value;
      return JSON.stringify([numbers, [...(source ?? [])], [...(destination ?? [])]]);
    }
    default:
      return value.kind;
  }
}
