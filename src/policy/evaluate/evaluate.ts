import { effectOf, isDenying } from '../effect.ts';
import type { Plan, PlanAction, PlanFilter, PlanHook, PlanSelector, PolicyMode } from '../plan.ts';
import type { HookCall } from './event.ts';
import { answer } from './filter.ts';
import { isInScope } from './scope.ts';

/** What one policy does with one call of one of its hooks. */
export type PolicyVerdict = {
  /** Position of the selector that matched; null: none did, and everything below is empty. */
  readonly selector: number | null;
  /** An event is due (before rate limits); where the return is watched, `evaluateReturn` says whether it is sent. */
  readonly post: boolean;
  /** What the call returns instead of running. */
  readonly errno: number | null;
  readonly kill: boolean;
  /** A signal other than SIGKILL. */
  readonly signal: number | null;
  /** Monitor mode: what would have been in enforce mode, which spares processes that are exempt. */
  readonly wouldDeny: boolean;
  readonly wouldKill: boolean;
  readonly wouldSignal: boolean;
  /** The selector matched only because an unknown value counts as a match. */
  readonly byUnknown: boolean;
  /** It denied, and would have killed (or sent a signal) too, but for an unknown value that it matched by (UnknownKillSuppressed). */
  readonly killSuppressed: boolean;
  /** Everything else that is done, in spec order. */
  readonly others: readonly SideAction[];
};

/** Actions besides events, denial and signals. */
export type SideAction = Exclude<PlanAction, { readonly type: 'post' | 'nopost' | 'sigkill' | 'signal' | 'override' }>;

export const NOTHING: PolicyVerdict = {
  selector: null,
  post: false,
  errno: null,
  kill: false,
  signal: null,
  wouldDeny: false,
  wouldKill: false,
  wouldSignal: false,
  byUnknown: false,
  killSuppressed: false,
  others: [],
};

/**
 * The reference: what a plan does with a call, in plain words (engine-spec 3.1). The kernel must say the same; tests compare.
 * The first selector that matches acts, later ones are not looked at.
 */
export function evaluate(plan: Plan, hook: PlanHook, mode: PolicyMode, call: HookCall): PolicyVerdict {
  for (const [position, selector] of hook.selectors.entries()) {
    if (isInScope(plan, selector, call.process.workload)) {
      const match = matchOf(selector.filters, hook, call, unknownMatches(plan, selector));
      if (match !== 'no') {
        return verdictOf(selector.actions, position, mode, call, match);
      }
    }
  }
  return NOTHING;
}

/**
 * What the same policy does when the call returns. Only for hooks that watch the return, with the verdict of the entry: a call that no
 * selector matched, or that was denied, does not come here. Nothing can be denied any more; `post` says whether the one event of both
 * is sent.
 */
export function evaluateReturn(plan: Plan, hook: PlanHook, mode: PolicyMode, call: HookCall, entry: PolicyVerdict): PolicyVerdict {
  const selector = entry.selector === null ? undefined : hook.selectors[entry.selector];
  if (selector === undefined || entry.selector === null || hook.returns === undefined) {
    return NOTHING;
  }
  const match = matchOf(selector.returnFilters ?? [], hook, call, plan.options.onUnknown === 'match');
  if (match === 'no') {
    return NOTHING;
  }
  const verdict = verdictOf(selector.returnActions ?? [], entry.selector, mode, call, match);
  const tracked = returnedSocket(hook);
  return { ...verdict, post: entry.post && verdict.post, others: [...tracked, ...verdict.others] };
}

function returnedSocket(hook: PlanHook): readonly SideAction[] {
  const arg = hook.args.findIndex((each) => each.from === 'return');
  switch (hook.returnSocket) {
    case 'track':
      return [{ type: 'track_sock', arg }];
    case 'untrack':
      return [{ type: 'untrack_sock', arg }];
    default:
      return [];
  }
}

/** `unknown`: every filter holds or is unknown, at least one is unknown, and unknown counts as a match here. */
type Match = 'yes' | 'no' | 'unknown';

function matchOf(filters: readonly PlanFilter[], hook: PlanHook, call: HookCall, ifUnknown: boolean): Match {
  let match: Match = 'yes';
  for (const filter of filters) {
    const said = answer(filter, hook.args, call);
    if (said === 'no' || (said === 'unknown' && !ifUnknown)) {
      return 'no';
    }
    match = said === 'unknown' ? said : match;
  }
  return match;
}

/** The option, or its default: a deny must not be evaded by an unreadable value, and a kill must not hit by accident. */
export function unknownMatches(plan: Plan, selector: PlanSelector): boolean {
  const { onUnknown } = plan.options;
  return onUnknown === null ? isDenying(effectOf(selector.actions)) : onUnknown === 'match';
}

function verdictOf(
  actions: readonly PlanAction[],
  position: number,
  mode: PolicyMode,
  call: HookCall,
  match: 'yes' | 'unknown',
): PolicyVerdict {
  const effect = effectOf(actions);
  const byUnknown = match === 'unknown';
  const spares = byUnknown && isDenying(effect);
  const kills = effect.kill && !spares;
  const signal = effect.kill || spares ? null : effect.signal;
  const { exempt, isRuntimeInit } = call.process;
  const isSpared = exempt || (byUnknown && isRuntimeInit === true);
  const acts = mode === 'enforce' && !isSpared;
  const would = mode === 'monitor' && !isSpared;
  const others = actions.filter(isSideAction).filter((action) => acts || !interferes(action));
  return {
    selector: position,
    post: effect.post,
    errno: acts ? effect.errno : null,
    kill: acts && kills,
    signal: acts ? signal : null,
    wouldDeny: would && effect.errno !== null,
    wouldKill: would && kills,
    wouldSignal: would && signal !== null,
    byUnknown,
    killSuppressed: acts && spares && (effect.kill || effect.signal !== null || (effect.notify !== null && effect.notify.signal !== 0)),
    others: spares ? others.map(withoutSignal) : others,
  };
}

/** The enforcer denies, and does not kill. */
function withoutSignal(action: SideAction): SideAction {
  return action.type === 'notify_enforcer' ? { ...action, signal: 0 } : action;
}

/** What monitor mode leaves out, and what exempt processes are spared. */
function interferes(action: SideAction): boolean {
  return action.type === 'notify_enforcer' || action.type === 'set' || action.type === 'set_registers' || action.type === 'redirect';
}

function isSideAction(action: PlanAction): action is SideAction {
  switch (action.type) {
    case 'post':
    case 'nopost':
    case 'sigkill':
    case 'signal':
    case 'override':
      return false;
    default:
      return true;
  }
}

/** What happens to a call: the union of what its policies do. */
export type CallVerdict = {
  readonly errno: number | null;
  readonly kill: boolean;
  /** Null if it is killed. */
  readonly signal: number | null;
};

/** What a call of all policies on a hook comes to: the strictest error, and a kill if one of them kills, else the smallest signal. */
export function combine(verdicts: readonly PolicyVerdict[]): CallVerdict {
  const kill = verdicts.some((verdict) => verdict.kill);
  const errors = verdicts.flatMap((verdict) => (verdict.errno === null ? [] : [verdict.errno]));
  const sent = verdicts.flatMap((verdict) => (verdict.signal === null ? [] : [verdict.signal]));
  return {
    errno: errors.toSorted((a, b) => severity(a) - severity(b))[0] ?? null,
    kill,
    signal: kill ? null : (sent.toSorted((a, b) => a - b)[0] ?? null),
  };
}

const EPERM = 1;
const EACCES = 13;

/** EPERM before EACCES before all others by number; small is strict. */
export function severity(errno: number): number {
  const number = -errno;
  return number === EPERM ? 0 : number === EACCES ? 1 : number + 1;
}
