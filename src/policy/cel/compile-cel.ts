import { LIMITS } from '../limits.ts';
import type { PlanArgType, PlanCelFilter, PlanCelNode, PlanCelType } from '../plan.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { ArgFilterSpec } from '../schema/selectors.ts';
import type { DeclaredArg, FilterContext } from '../compile/declared.ts';
import { CelError } from './cel-error.ts';
import { parseCel } from './parse-cel.ts';
import { tokensOf } from './tokens.ts';
import { type CelVariable, typeCel } from './type-cel.ts';

/** The operator CelExpr; undefined after a problem. */
export function compileCelFilter(
  sink: ProblemSink,
  path: string,
  filter: ArgFilterSpec,
  context: FilterContext,
): PlanCelFilter | undefined {
  if (context.block !== 'matchArgs') {
    sink.error('OperatorTypeMismatch', fieldPath(path, 'operator'), `CelExpr is about args, and cannot stand in ${context.block}`);
    return undefined;
  }
  const values = filter.values ?? [];
  const [text] = values;
  const at = fieldPath(path, 'values');
  if (text === undefined || values.length > 1) {
    const code = text === undefined ? 'NoValues' : 'SetTooLarge';
    sink.error(code, at, `CelExpr has one value, not ${values.length}`, 'write one filter for each expression: all must hold');
    return undefined;
  }
  try {
    const syntax = parseCel(text);
    if (namesUnread(text, context.args)) {
      return undefined;
    }
    const expression = typeCel(syntax, variablesOf(context.args));
    const nodes = countNodes(expression);
    if (nodes > LIMITS.celNodes) {
      sink.error('CelTooLarge', fieldPath(at, 0), `the expression has ${nodes} operands and operators`, `at most ${LIMITS.celNodes}`);
      return undefined;
    }
    return { on: 'cel', expression };
  } catch (error) {
    if (!(error instanceof CelError)) {
      throw error;
    }
    sink.error('BadExpression', fieldPath(at, 0), `column ${error.column}: ${error.message}`, error.hint);
    return undefined;
  }
}

function countNodes(node: PlanCelNode): number {
  if ('left' in node) {
    return 1 + countNodes(node.left) + countNodes(node.right);
  }
  return 'of' in node ? 1 + countNodes(node.of) : 1;
}

/** Of an argument that does not compile there is a problem already. */
function namesUnread(text: string, args: readonly DeclaredArg[]): boolean {
  const unread = args.flatMap(({ list, plan }, position) => (list === 'args' && plan === null ? [`arg${position}`] : []));
  return unread.length > 0 && tokensOf(text).some((token) => token.kind === 'name' && unread.includes(token.text));
}

function variablesOf(args: readonly DeclaredArg[]): readonly CelVariable[] {
  return args.filter((arg) => arg.list === 'args').map(variableOf);
}

function variableOf({ spec, plan, position }: DeclaredArg): CelVariable {
  if (plan === null) {
    return 'is not read';
  }
  if (spec.returnCopy) {
    return 'is read when the function returns';
  }
  const type = CEL_TYPES[plan.type];
  return type === undefined ? `has type ${spec.type}, and expressions are about integers` : { position, type };
}

/** Small integers are extended to 32 bits with their sign. */
const CEL_TYPES: Readonly<Partial<Record<PlanArgType, PlanCelType>>> = {
  int8: 'int32',
  int16: 'int32',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint32',
  uint16: 'uint32',
  uint32: 'uint32',
  uint64: 'uint64',
  capability: 'uint32',
  bpf_cmd: 'uint32',
  syscall64: 'uint64',
};
