import type { PlanAction, PlanHook, PlanSelector } from './plan.ts';

/** What a selector's actions add up to when it matches. */
export type Effect = {
  /** An event is sent. True unless NoPost is among the actions. */
  readonly post: boolean;
  readonly kill: boolean;
  /** A signal other than SIGKILL; null: none. Where both are due, SIGKILL is sent. */
  readonly signal: number | null;
  /** What the call returns instead of running; null: it runs. */
  readonly errno: number | null;
  /** What the enforcer does in the system call that the process is in; null: nothing. 0: none of the two. */
  readonly notify: { readonly errno: number; readonly signal: number } | null;
  /** Registers or arguments of the process are changed, or its call goes elsewhere. */
  readonly alters: boolean;
};

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

export function effectOf(actions: readonly PlanAction[]): Effect {
  const effect: Mutable<Effect> = { post: true, kill: false, signal: null, errno: null, notify: null, alters: false };
  for (const action of actions) {
    add(effect, action);
  }
  return effect;
}

function add(effect: Mutable<Effect>, action: PlanAction): void {
  switch (action.type) {
    case 'nopost':
      effect.post = false;
      break;
    case 'sigkill':
      effect.kill = true;
      break;
    case 'signal':
      effect.signal = action.signal;
      break;
    case 'override':
      effect.errno = action.errno;
      break;
    case 'notify_enforcer':
      effect.notify = { errno: action.errno, signal: action.signal };
      break;
    case 'set_registers':
    case 'redirect':
    case 'set':
      effect.alters = true;
      break;
    case 'post':
    case 'track_sock':
    case 'untrack_sock':
    case 'cleanup_enforcer':
    case 'get_url':
    case 'dns_lookup':
      break;
  }
}

/** The call is denied, here or by the enforcer: an unreadable value counts as a match then. */
export function isDenying(effect: Effect): boolean {
  return effect.errno !== null || (effect.notify !== null && effect.notify.errno !== 0);
}

/** Something happens to the process: monitor mode does not do it. */
export function isEnforcing(effect: Effect): boolean {
  return effect.kill || effect.signal !== null || effect.errno !== null || effect.notify !== null || effect.alters;
}

/** Whether the selector enforces, when the function is entered or when it returns. */
export function isEnforcingSelector(selector: PlanSelector): boolean {
  return isEnforcing(effectOf(selector.actions)) || isEnforcing(effectOf(selector.returnActions ?? []));
}

export function isEnforcingHook(hook: PlanHook): boolean {
  return hook.selectors.some(isEnforcingSelector);
}
