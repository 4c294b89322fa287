import type { PlanHook, PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgumentSpec } from '../schema/arguments.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { compileValues } from './arguments.ts';
import type { DeclaredArg } from './declared.ts';
import type { PolicyContext } from './hook-context.ts';
import { compileSelectors } from './selectors.ts';
import { compileTexts } from './texts.ts';

/** What all sections of a spec have in common. */
export type BodySpec = {
  readonly message?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly args?: readonly ArgumentSpec[] | undefined;
  readonly data?: readonly ArgumentSpec[] | undefined;
  readonly selectors?: readonly SelectorSpec[] | undefined;
  readonly return?: boolean;
  readonly returnArg?: ArgumentSpec | undefined;
  readonly returnArgAction?: string | undefined;
};

export type BodyHead = {
  readonly path: string;
  readonly kind: PlanHookKind;
  readonly target: string;
  readonly canDeny: boolean;
  readonly hasBtfFile: boolean;
};

export type HookBody = Pick<PlanHook, 'returns' | 'returnSocket' | 'message' | 'tags' | 'args' | 'selectors'>;

/** Everything of a hook that does not depend on which function it is. */
export function compileBody(sink: ProblemSink, policy: PolicyContext, head: BodyHead, spec: BodySpec): HookBody {
  const returns = spec.return === true;
  if (!returns && spec.returnArg !== undefined) {
    sink.error('ReturnNotWatched', fieldPath(head.path, 'returnArg'), 'says nothing without "return: true"');
  }
  const { kind, target, canDeny, hasBtfFile } = head;
  const args = compileValues(sink, head.path, { kind, hasBtfFile }, { ...spec, returnArg: returns ? spec.returnArg : undefined });
  return {
    ...(returns ? { returns } : {}),
    ...compileReturnSocket(sink, head, spec.returnArgAction ?? '', args),
    ...compileTexts(sink, head.path, spec),
    args: args.flatMap((arg) => arg.plan ?? []),
    selectors: compileSelectors(sink, head.path, { policy, kind, target, canDeny, returns, args }, spec.selectors ?? []),
  };
}

function compileReturnSocket(
  sink: ProblemSink,
  { path, kind }: BodyHead,
  action: string,
  args: readonly DeclaredArg[],
): Pick<PlanHook, 'returnSocket'> {
  if (action === '') {
    return {};
  }
  const at = fieldPath(path, 'returnArgAction');
  const returned = args.find((arg) => arg.list === 'returnArg');
  if (action !== 'TrackSock' && action !== 'UntrackSock') {
    sink.error('WrongValue', at, `${quote(action)} is no action on a returned socket`, 'use "TrackSock" or "UntrackSock"');
  } else if (kind !== 'kprobe' && kind !== 'fentry') {
    sink.error('ActionNotPossible', at, 'functions of programs return no socket of the kernel', 'use a kprobe or a fentry');
  } else if (returned === undefined) {
    sink.error('ReturnNotWatched', at, 'the return is not watched', 'set "return: true" and returnArg');
  } else if (returned.spec.type !== 'sock' && returned.spec.type !== 'socket') {
    const message = `the function returns type ${quote(returned.spec.type)}, and ${action} is about a socket`;
    sink.error('BadActionArgument', at, message, 'set "type: sock" in returnArg');
  }
  return { returnSocket: action === 'UntrackSock' ? 'untrack' : 'track' };
}
