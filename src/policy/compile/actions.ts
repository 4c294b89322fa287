import { isDomainName } from '../names.ts';
import { LIMITS } from '../limits.ts';
import type { PlanAction, PlanPost } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionSpec } from '../schema/actions.ts';
import { type ActionContext, checkActionPlace, imaHashProblem, stackProblem } from './action-places.ts';
import { checkParameters } from './action-parameters.ts';
import { compileDeny, compileUserOverride, isErrno } from './override.ts';
import { compileRateLimit } from './rate-limit.ts';
import { findSocket, findSettable } from './action-arguments.ts';

/** In spec order; empty if the spec has none, or none that compiles. */
export function compileActions(
  sink: ProblemSink,
  path: string,
  context: ActionContext,
  specs: readonly ActionSpec[],
): readonly PlanAction[] {
  if (specs.length > LIMITS.actionsPerSelector) {
    sink.error('TooManyActions', path, `${specs.length} actions`, `at most ${LIMITS.actionsPerSelector}`);
  }
  const actions: PlanAction[] = [];
  for (const [index, spec] of specs.entries()) {
    const at = fieldPath(path, index);
    checkParameters(sink, at, spec);
    const action = checkActionPlace(sink, at, context, spec.action) ? compileAction(sink, at, context, spec) : undefined;
    if (action !== undefined) {
      refuseContradiction(sink, at, spec, action, actions);
      actions.push(action);
    }
  }
  return actions;
}

function compileAction(sink: ProblemSink, at: string, context: ActionContext, spec: ActionSpec): PlanAction | undefined {
  switch (spec.action) {
    case 'Post':
      return compilePost(sink, at, context, spec);
    case 'NoPost':
      return { type: 'nopost' };
    case 'Sigkill':
      return { type: 'sigkill' };
    case 'Signal':
      return compileSignal(sink, at, spec);
    case 'Override':
      return context.kind === 'uprobe' ? compileUserOverride(sink, at, spec) : compileDeny(sink, at, spec);
    case 'NotifyEnforcer':
      return compileNotification(sink, at, spec);
    case 'CleanupEnforcerNotification':
      return { type: 'cleanup_enforcer' };
    case 'TrackSock':
    case 'UntrackSock': {
      const arg = findSocket(sink, at, context.args, spec);
      return arg === undefined ? undefined : { type: spec.action === 'TrackSock' ? 'track_sock' : 'untrack_sock', arg };
    }
    case 'GetUrl':
      return compileUrl(sink, fieldPath(at, 'argUrl'), spec.argUrl ?? '');
    case 'DnsLookup':
      return compileLookup(sink, fieldPath(at, 'argFqdn'), spec.argFqdn ?? '');
    case 'Set': {
      const arg = findSettable(sink, at, context.args, spec);
      if (spec.argValue === undefined) {
        sink.error('MissingField', fieldPath(at, 'argValue'), 'Set needs the value to write');
      }
      return arg === undefined ? undefined : { type: 'set', arg, value: spec.argValue ?? 0 };
    }
  }
}

function compilePost(sink: ProblemSink, at: string, context: ActionContext, spec: ActionSpec): PlanPost {
  const stack = spec.kernelStackTrace ? 'kernelStackTrace' : 'userStackTrace';
  const noStack = spec.kernelStackTrace || spec.userStackTrace ? stackProblem(context) : null;
  if (noStack !== null) {
    sink.error('ActionNotPossible', fieldPath(at, stack), noStack.message);
  }
  const noHash = spec.imaHash ? imaHashProblem(context) : null;
  if (noHash !== null) {
    sink.error('ActionNotPossible', fieldPath(at, 'imaHash'), noHash.message, noHash.hint);
  }
  return {
    type: 'post',
    ...compileRateLimit(sink, at, spec),
    ...(spec.kernelStackTrace ? { kernelStack: true as const } : {}),
    ...(spec.userStackTrace ? { userStack: true as const } : {}),
    ...(spec.imaHash ? { imaHash: true as const } : {}),
  };
}

const SIGKILL = 9;

function compileSignal(sink: ProblemSink, at: string, spec: ActionSpec): PlanAction | undefined {
  const signal = spec.argSig ?? 0;
  if (signal < 1 || signal > LIMITS.maxSignal) {
    const message = spec.argSig === undefined ? 'Signal needs the number of a signal' : `${signal} is no signal`;
    sink.error('BadSignal', fieldPath(at, 'argSig'), message, `from 1 to ${LIMITS.maxSignal}, for example 15 (SIGTERM)`);
    return undefined;
  }
  return signal === SIGKILL ? { type: 'sigkill' } : { type: 'signal', signal };
}

/** Absent and 0 mean: not this one of the two. */
function compileNotification(sink: ProblemSink, at: string, spec: ActionSpec): PlanAction | undefined {
  const errno = spec.argError ?? 0;
  const signal = spec.argSig ?? 0;
  if (errno === 0 && signal === 0) {
    const hint = 'for example "argError: -1" (EPERM) or "argSig: 9" (SIGKILL)';
    sink.error('MissingField', fieldPath(at, 'argError'), 'NotifyEnforcer needs argError or argSig', hint);
    return undefined;
  }
  if (signal > LIMITS.maxSignal) {
    sink.error('BadSignal', fieldPath(at, 'argSig'), `${signal} is no signal`, `from 1 to ${LIMITS.maxSignal}`);
    return undefined;
  }
  return errno === 0 || isErrno(sink, fieldPath(at, 'argError'), errno) ? { type: 'notify_enforcer', errno, signal } : undefined;
}

function compileUrl(sink: ProblemSink, path: string, text: string): PlanAction | undefined {
  const url = text.length <= LIMITS.urlBytes && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.href.length > LIMITS.urlBytes) {
    sink.error('BadUrl', path, `${quote(text)} is no address to fetch`, 'http://… or https://…');
    return undefined;
  }
  return { type: 'get_url', url: url.href };
}

function compileLookup(sink: ProblemSink, path: string, text: string): PlanAction | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (!isDomainName(name)) {
    sink.error('BadDomainName', path, `${quote(text)} is no domain name`);
    return undefined;
  }
  return { type: 'dns_lookup', name };
}

/** Actions of which a second one could not be told from the first, or would undo it. */
const ONCE: readonly (readonly PlanAction['type'][])[] = [
  ['override', 'set_registers', 'redirect'],
  ['signal'],
  ['notify_enforcer'],
  ['track_sock', 'untrack_sock'],
];

function refuseContradiction(sink: ProblemSink, at: string, spec: ActionSpec, action: PlanAction, earlier: readonly PlanAction[]): void {
  const group = ONCE.find((types) => types.includes(action.type)) ?? [];
  const isPostAgain = action.type === 'post' && earlier.some((other) => other.type === 'post' && !isSamePost(other, action));
  if (isPostAgain || earlier.some((other) => group.includes(other.type))) {
    sink.error('RepeatedAction', at, `a selector has one ${spec.action}`);
  }
}

function isSamePost(a: PlanPost, b: PlanPost): boolean {
  return (['rateLimitMs', 'rateLimitScope', 'kernelStack', 'userStack', 'imaHash'] as const).every((key) => a[key] === b[key]);
}
