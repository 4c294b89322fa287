import { type ProblemSink, fieldPath } from '../problem.ts';
import type { ACTIONS, ActionSpec } from '../schema/actions.ts';

export type ActionName = (typeof ACTIONS)[number];
type Parameter = Exclude<keyof ActionSpec, 'action'>;

const PARAMETERS: Readonly<Record<ActionName, readonly Parameter[]>> = {
  Post: ['rateLimit', 'rateLimitScope', 'kernelStackTrace', 'userStackTrace', 'imaHash'],
  NoPost: [],
  Sigkill: [],
  Signal: ['argSig'],
  Override: ['argError', 'argRegs', 'argNewSymbol', 'argNewAddr', 'argNewOffset'],
  GetUrl: ['argUrl'],
  DnsLookup: ['argFqdn'],
  TrackSock: ['argSock'],
  UntrackSock: ['argSock'],
  NotifyEnforcer: ['argError', 'argSig'],
  CleanupEnforcerNotification: [],
  Set: ['argIndex', 'argValue'],
};

const ALL: readonly Parameter[] = [...new Set(Object.values(PARAMETERS).flat())];

/** A parameter of another action would be ignored. */
export function checkParameters(sink: ProblemSink, path: string, spec: ActionSpec): void {
  for (const parameter of ALL) {
    if (PARAMETERS[spec.action].includes(parameter) || !isInUse(spec[parameter])) {
      continue;
    }
    const at = fieldPath(path, parameter);
    const message = `says nothing to ${spec.action}`;
    if (parameter === 'argError' && (spec.action === 'Sigkill' || spec.action === 'Signal')) {
      // Published policies have it; what they do is not changed by it.
      sink.warn('UselessField', at, message, 'to deny the call as well, add an action Override with argError');
    } else {
      const owners = Object.entries(PARAMETERS).flatMap(([action, names]) => (names.includes(parameter) ? [action] : []));
      sink.error('UselessField', at, message, `it belongs to ${owners.join(' and ')}`);
    }
  }
}

/** Absent, false, 0 and empty values say nothing. */
function isInUse(value: ActionSpec[Parameter]): boolean {
  return value !== undefined && value !== false && value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0);
}
