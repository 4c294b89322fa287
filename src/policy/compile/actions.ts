import { LIMITS } from '../limits.ts';
import type { PlanAction, PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionSpec } from '../schema/actions.ts';
import { SUPPORTED_ACTIONS, UNSUPPORTED_ACTION_FIELDS, notSupported, refuseFields } from './unsupported.ts';

/** What of its hook decides which actions are possible. */
export type ActionContext = {
  readonly kind: PlanHookKind;
  /** The function can be made to return an error: a system call, a security_* function, an LSM hook. */
  readonly canDeny: boolean;
};

/** Never empty: without actions a match sends an event. */
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
    refuseFields(sink, at, spec, UNSUPPORTED_ACTION_FIELDS);
    const action = compileAction(sink, at, context, spec);
    if (action?.type === 'override' && actions.some((earlier) => earlier.type === 'override')) {
      sink.error('RepeatedAction', at, 'a selector has one Override');
    }
    if (action !== undefined) {
      actions.push(action);
    }
  }
  return actions.length === 0 ? [{ type: 'post' }] : actions;
}

function compileAction(sink: ProblemSink, at: string, context: ActionContext, spec: ActionSpec): PlanAction | undefined {
  switch (spec.action) {
    case 'Post':
      return { type: 'post' };
    case 'NoPost':
      return { type: 'nopost' };
    case 'Sigkill':
      return { type: 'sigkill' };
    case 'Override':
      return compileOverride(sink, at, context, spec.argError);
    default:
      notSupported(
        sink,
        fieldPath(at, 'action'),
        `action ${quote(spec.action)} is not supported yet`,
        `works: ${SUPPORTED_ACTIONS.join(', ')}`,
      );
      return undefined;
  }
}

function compileOverride(sink: ProblemSink, at: string, context: ActionContext, argError: number | undefined): PlanAction | undefined {
  if (context.kind === 'tracepoint') {
    sink.error(
      'OverrideOnTracepoint',
      fieldPath(at, 'action'),
      'Override does nothing on a tracepoint',
      'use an lsmhook or a kprobe on the system call, or Sigkill',
    );
    return undefined;
  }
  if (!context.canDeny) {
    sink.error(
      'OverrideNotPossible',
      fieldPath(at, 'action'),
      'Override works on system calls, security_* functions and lsmhooks only',
      'use one of these, or Sigkill',
    );
  }
  if (argError === undefined) {
    sink.error('OverrideWithoutError', fieldPath(at, 'argError'), 'Override needs argError', 'for example "argError: -1" (EPERM)');
    return undefined;
  }
  if (argError >= 0 || argError < -LIMITS.maxErrno) {
    sink.error(
      'OverrideErrorOutOfRange',
      fieldPath(at, 'argError'),
      `${argError} is no error number`,
      `from -${LIMITS.maxErrno} to -1, for example -1 (EPERM)`,
    );
    return undefined;
  }
  return { type: 'override', errno: argError };
}
