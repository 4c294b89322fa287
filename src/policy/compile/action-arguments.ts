import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionSpec } from '../schema/actions.ts';
import { PLAN_TYPES } from './argument-types.ts';
import type { DeclaredArg } from './declared.ts';

/** Position in the plan of the socket that TrackSock and UntrackSock are about. */
export function findSocket(sink: ProblemSink, path: string, args: readonly DeclaredArg[], spec: ActionSpec): number | undefined {
  const found = findArgument(sink, fieldPath(path, 'argSock'), args, spec.argSock, spec.action);
  if (found !== undefined && found.spec.type !== 'sock' && found.spec.type !== 'socket') {
    const message = `argument ${spec.argSock} has type ${quote(found.spec.type)}, and ${spec.action} is about a socket`;
    sink.error('BadActionArgument', fieldPath(path, 'argSock'), message, 'name an argument of type "sock"');
    return undefined;
  }
  return found?.position;
}

/** Position in the plan of the argument that Set writes: four bytes. */
export function findSettable(sink: ProblemSink, path: string, args: readonly DeclaredArg[], spec: ActionSpec): number | undefined {
  const found = findArgument(sink, fieldPath(path, 'argIndex'), args, spec.argIndex, spec.action);
  if (found !== undefined && !/^u?int32$/.test(PLAN_TYPES[found.spec.type])) {
    const message = `argument ${spec.argIndex} has type ${quote(found.spec.type)}, and Set writes four bytes`;
    sink.error('BadActionArgument', fieldPath(path, 'argIndex'), message, 'name an argument of type "int32" or "uint32"');
    return undefined;
  }
  return found?.position;
}

/** By the argument's own index; also by its position in args, as long as both do not mean different ones. */
function findArgument(
  sink: ProblemSink,
  path: string,
  all: readonly DeclaredArg[],
  number: number | undefined,
  action: string,
): DeclaredArg | undefined {
  const args = all.filter((arg) => arg.list === 'args');
  if (number === undefined) {
    sink.error('MissingField', path, `${action} needs the number of an argument`);
    return undefined;
  }
  const byIndex = args.find((arg) => arg.spec.index === number);
  const byPosition = args[number];
  if (byIndex !== undefined && byPosition !== undefined && byIndex !== byPosition) {
    const message = `${number} is the index of one entry of args and the position of another`;
    sink.error('BadActionArgument', path, message, 'list args in the order of their indices, from 0');
    return undefined;
  }
  const found = byIndex ?? byPosition;
  if (found === undefined) {
    sink.error('UndeclaredArgument', path, `argument ${number} is not among the args of this hook`, 'declare it in args');
  }
  return found;
}
