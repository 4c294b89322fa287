import { errorName } from '../error-numbers.ts';
import type { PlanAction } from '../plan.ts';
import { signalName } from '../signal-names.ts';

/** `Override EPERM, Sigkill`, as policies call them. */
export function actionWords(actions: readonly PlanAction[]): string {
  return actions.map(actionText).join(', ');
}

function actionText(action: PlanAction): string {
  switch (action.type) {
    case 'post':
      return 'Post';
    case 'nopost':
      return 'NoPost';
    case 'sigkill':
      return 'Sigkill';
    case 'signal':
      return `Signal ${signalName(action.signal)}`;
    case 'override':
      return `Override ${errorName(action.errno)}`;
    case 'set_registers':
      return `Override of ${action.registers.join(' ')}`;
    case 'redirect':
      return `Override to ${action.target}`;
    case 'track_sock':
      return 'TrackSock';
    case 'untrack_sock':
      return 'UntrackSock';
    case 'notify_enforcer':
      return `NotifyEnforcer ${[action.errno === 0 ? [] : [errorName(action.errno)], action.signal === 0 ? [] : [signalName(action.signal)]].flat().join(' ')}`;
    case 'cleanup_enforcer':
      return 'CleanupEnforcerNotification';
    case 'get_url':
      return `GetUrl ${action.url}`;
    case 'dns_lookup':
      return `DnsLookup ${action.name}`;
    case 'set':
      return `Set argument ${action.arg} to ${action.value}`;
  }
}
