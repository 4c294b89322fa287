import type { PlanEnforcer, PolicyMode } from '../plan.ts';
import type { ProcessFacts } from './event.ts';
import type { CallVerdict, SideAction } from './evaluate.ts';

/** What `notify_enforcer` left for the thread that made the call: one notification, the latest; null: none. */
export type Notification = { readonly errno: number; readonly signal: number };

/** The notification of a thread after the actions of a selector that matched in one of its calls. */
export function notificationAfter(before: Notification | null, actions: readonly SideAction[]): Notification | null {
  return actions.reduce<Notification | null>((pending, action) => {
    switch (action.type) {
      case 'notify_enforcer':
        return { errno: action.errno, signal: action.signal };
      case 'cleanup_enforcer':
        return null;
      default:
        return pending;
    }
  }, before);
}

const SIGKILL = 9;
const NOTHING: CallVerdict = { errno: null, kill: false, signal: null };

/**
 * What the enforcer does in one of its calls, in the thread that a notification is pending for; the notification is used up by it. In a
 * call that the policy's `enforcers` does not name, nothing happens and the notification stays.
 */
export function evaluateEnforcer(
  enforcer: PlanEnforcer,
  call: string,
  mode: PolicyMode,
  pending: Notification | null,
  process: ProcessFacts,
): { readonly verdict: CallVerdict; readonly pending: Notification | null } {
  if (pending === null || !enforcer.calls.includes(call)) {
    return { verdict: NOTHING, pending };
  }
  const acts = mode === 'enforce' && !process.exempt;
  const { errno, signal } = pending;
  return {
    verdict: acts
      ? { errno: errno === 0 ? null : errno, kill: signal === SIGKILL, signal: signal === 0 || signal === SIGKILL ? null : signal }
      : NOTHING,
    pending: null,
  };
}
