import { effectOf } from '../effect.ts';
import type { Plan, PlanHook, PlanSelector, PolicyMode } from '../plan.ts';
import type { HookCall } from './event.ts';
import { answer } from './filter.ts';
import { isInScope } from './scope.ts';

/** What one policy does with one call of one of its hooks. */
export type PolicyVerdict = {
  /** Position of the selector that matched; null: none did, and everything below is empty. */
  readonly selector: number | null;
  /** An event is due (before rate limits). */
  readonly post: boolean;
  /** What the call returns instead of running. */
  readonly errno: number | null;
  readonly kill: boolean;
  /** Monitor mode: what would have been. */
  readonly wouldDeny: boolean;
  readonly wouldKill: boolean;
  /** The selector matched only because an unknown value counts as a match. */
  readonly byUnknown: boolean;
  /** It would have killed too, and did not because it matched by an unknown value (UnknownKillSuppressed). */
  readonly killSuppressed: boolean;
};

const NOTHING: PolicyVerdict = {
  selector: null,
  post: false,
  errno: null,
  kill: false,
  wouldDeny: false,
  wouldKill: false,
  byUnknown: false,
  killSuppressed: false,
};

/**
 * The reference: what a plan does with a call, in plain words (engine-spec 3.1). The kernel must say the same; tests compare.
 * The first selector that matches acts, later ones are not looked at.
 */
export function evaluate(plan: Plan, hook: PlanHook, mode: PolicyMode, call: HookCall): PolicyVerdict {
  for (const [position, selector] of hook.selectors.entries()) {
    const match = matchOf(plan, hook, selector, call);
    if (match !== 'no') {
      return verdictOf(selector, position, mode, call, match);
    }
  }
  return NOTHING;
}

/** `unknown`: every filter holds or is unknown, at least one is unknown, and unknown counts as a match here. */
function matchOf(plan: Plan, hook: PlanHook, selector: PlanSelector, call: HookCall): 'yes' | 'no' | 'unknown' {
  if (!isInScope(plan, selector, call.process.workload)) {
    return 'no';
  }
  const answers = new Set(selector.filters.map((filter) => answer(filter, hook.args, call)));
  if (answers.has('no')) {
    return 'no';
  }
  if (!answers.has('unknown')) {
    return 'yes';
  }
  return unknownMatches(plan, selector) ? 'unknown' : 'no';
}

/** The option, or its default: a deny must not be evaded by an unreadable value, and a kill must not hit by accident. */
export function unknownMatches(plan: Plan, selector: PlanSelector): boolean {
  const { onUnknown } = plan.options;
  return onUnknown === null ? effectOf(selector.actions).errno !== null : onUnknown === 'match';
}

function verdictOf(selector: PlanSelector, position: number, mode: PolicyMode, call: HookCall, match: 'yes' | 'unknown'): PolicyVerdict {
  const effect = effectOf(selector.actions);
  const byUnknown = match === 'unknown';
  const killSuppressed = byUnknown && effect.kill && effect.errno !== null;
  const denies = effect.errno !== null;
  const kills = effect.kill && !killSuppressed;
  const acts = mode === 'enforce' && !call.process.exempt;
  return {
    selector: position,
    post: effect.post,
    errno: acts ? effect.errno : null,
    kill: acts && kills,
    wouldDeny: mode === 'monitor' && denies,
    wouldKill: mode === 'monitor' && kills,
    byUnknown,
    killSuppressed,
  };
}

/** What a call of all policies on a hook comes to: the strictest error, and a kill if one of them kills. */
export function combine(verdicts: readonly PolicyVerdict[]): { readonly errno: number | null; readonly kill: boolean } {
  const errors = verdicts.flatMap((verdict) => (verdict.errno === null ? [] : [verdict.errno]));
  return {
    errno: errors.toSorted((a, b) => severity(a) - severity(b))[0] ?? null,
    kill: verdicts.some((verdict) => verdict.kill),
  };
}

const EPERM = 1;
const EACCES = 13;

/** EPERM before EACCES before all others by number; small is strict. */
export function severity(errno: number): number {
  const number = -errno;
  return number === EPERM ? 0 : number === EACCES ? 1 : number + 1;
}
