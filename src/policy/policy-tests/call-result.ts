import { type CallVerdict, type PolicyVerdict, type SideAction, combine, evaluate, evaluateReturn } from '../evaluate/evaluate.ts';
import type { HookCall } from '../evaluate/event.ts';
import type { PlanAction, PlanSelector } from '../plan.ts';
import type { TestedHook } from './hook-names.ts';
import { type Happened, happened } from './verdict.ts';

/** One hook with the call as it reads it. */
export type HookAndCall = TestedHook & { readonly call: HookCall };

/** What one hook of a policy does with a call. */
export type HookResult = HookAndCall & {
  readonly entry: PolicyVerdict;
  /** Null: the return is not watched, or the call did not get that far. */
  readonly returned: PolicyVerdict | null;
  readonly sendsEvent: boolean;
  /** What the event reports; null: no selector matched. */
  readonly action: PlanAction['type'] | null;
  /** By the names of the language, without NotifyEnforcer, which is a verdict. */
  readonly does: readonly string[];
};

/** What happens to a call that goes through all these hooks. */
export type CallResult = { readonly happened: Happened; readonly hooks: readonly HookResult[] };

/** The reference evaluator over all hooks of a call, entry and return. */
export function resultOf(hooks: readonly HookAndCall[]): CallResult {
  const entries = hooks.map((one) => ({ one, entry: evaluate(one.policy.plan, one.hook, one.policy.mode, one.call) }));
  const isDenied = combine(entries.map(({ entry }) => entry)).errno !== null;
  const results = entries.map(({ one, entry }): HookResult => {
    const returned =
      isDenied || one.hook.returns === undefined ? null : evaluateReturn(one.policy.plan, one.hook, one.policy.mode, one.call, entry);
    const selector = entry.selector === null ? undefined : one.hook.selectors[entry.selector];
    const others = [...entry.others, ...(returned?.others ?? [])];
    return {
      ...one,
      entry,
      returned,
      sendsEvent: returned === null ? entry.post : returned.post,
      action: selector === undefined ? null : reportedAction(selector, [entry, ...(returned === null ? [] : [returned])]),
      does: others.flatMap((action) => (action.type === 'notify_enforcer' ? [] : [ACTION_NAMES[action.type]])),
    };
  });
  const done = combine(results.flatMap(verdictsOf));
  const would = combine(results.filter(({ policy }) => policy.mode === 'monitor').flatMap((result) => verdictsOf(enforced(result))));
  return { happened: happened(done, would), hooks: results };
}

/**
 * As agents report it: a kill before a denial, because it is what happened to the process; else the last action that was done. What monitor
 * mode leaves out is not done.
 */
function reportedAction({ actions, returnActions = [] }: PlanSelector, verdicts: readonly PolicyVerdict[]): PlanAction['type'] {
  if (verdicts.some(({ kill }) => kill)) return 'sigkill';
  if (verdicts.some(({ errno }) => errno !== null)) return 'override';
  const isSent = verdicts.some(({ signal }) => signal !== null);
  const others = new Set<string>(verdicts.flatMap((verdict) => verdict.others.map(({ type }) => type)));
  const done = [...actions, ...returnActions].filter(
    ({ type }) => type === 'post' || type === 'nopost' || (type === 'signal' ? isSent : others.has(type)),
  );
  return done.at(-1)?.type ?? 'post';
}

export function isMatched(result: HookResult): boolean {
  return result.entry.selector !== null;
}

/** The names of actions in policies. */
export const ACTION_NAMES: Readonly<Record<SideAction['type'], string>> = {
  set_registers: 'Override',
  redirect: 'Override',
  track_sock: 'TrackSock',
  untrack_sock: 'UntrackSock',
  notify_enforcer: 'NotifyEnforcer',
  cleanup_enforcer: 'CleanupEnforcerNotification',
  get_url: 'GetUrl',
  dns_lookup: 'DnsLookup',
  set: 'Set',
};

/** The same policy, if it were not in monitor mode. */
function enforced(result: HookResult): HookResult {
  const { policy, hook, call, returned } = result;
  const entry = evaluate(policy.plan, hook, 'enforce', call);
  return { ...result, entry, returned: returned === null ? null : evaluateReturn(policy.plan, hook, 'enforce', call, entry) };
}

function verdictsOf({ entry, returned }: HookResult): readonly PolicyVerdict[] {
  return [entry, ...(returned === null ? [] : [returned])].map(withEnforcer);
}

const SIGKILL = 9;

/** The enforcer acts in the system call that the process is in: to its caller it is one call. */
function withEnforcer(verdict: PolicyVerdict): PolicyVerdict {
  const notices = verdict.others.filter((action) => action.type === 'notify_enforcer');
  const all: CallVerdict = combine([
    verdict,
    ...notices.map(({ errno, signal }) => ({
      ...verdict,
      errno: errno === 0 ? null : errno,
      kill: signal === SIGKILL,
      signal: signal === 0 || signal === SIGKILL ? null : signal,
    })),
  ]);
  return { ...verdict, ...all };
}
