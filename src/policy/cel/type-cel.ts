import { didYouMean } from '../nearest.ts';
import type { PlanCelNode, PlanCelType } from '../plan.ts';
import { CelError } from './cel-error.ts';
import type { BinarySymbol, CelSyntax } from './parse-cel.ts';
import { quote } from '../problem.ts';

/** What `arg0`, `arg1` … stand for, by position in args; a text says why an argument cannot be used. */
export type CelVariable = { readonly position: number; readonly type: PlanCelType } | string;

type Integer = Exclude<PlanCelType, 'bool'>;

const BOUNDS: Readonly<Record<Integer, { readonly min: bigint; readonly max: bigint }>> = {
  int32: { min: -(1n << 31n), max: (1n << 31n) - 1n },
  uint32: { min: 0n, max: (1n << 32n) - 1n },
  int64: { min: -(1n << 63n), max: (1n << 63n) - 1n },
  uint64: { min: 0n, max: (1n << 64n) - 1n },
};

/** The typed expression. Nothing is converted unless it is written: `42` is an int64, `42u` a uint64, `int32(42)` an int32. */
export function typeCel(syntax: CelSyntax, variables: readonly CelVariable[]): PlanCelNode {
  const root = typed(syntax, variables);
  if (root.type !== 'bool') {
    throw new CelError(syntax.column, `the expression is a number (${root.type}), not a condition`, 'compare it, for example "… != 0"');
  }
  return root;
}

function typed(syntax: CelSyntax, variables: readonly CelVariable[]): PlanCelNode {
  switch (syntax.kind) {
    case 'number':
      return literal(syntax.column, syntax.isUnsigned ? 'uint64' : 'int64', syntax.value);
    case 'bool':
      return { op: 'literal', type: 'bool', value: syntax.value ? '1' : '0' };
    case 'name':
      return variable(syntax.column, syntax.name, variables);
    case 'call':
      return call(syntax, variables);
    case 'unary':
      return unary(syntax, typed(syntax.of, variables));
    case 'binary':
      return binary(syntax, typed(syntax.left, variables), typed(syntax.right, variables));
  }
}

function literal(column: number, type: Integer, value: bigint): PlanCelNode {
  const { min, max } = BOUNDS[type];
  if (value < min || value > max) {
    const hint = type === 'int64' && value > 0n ? `write ${value}u for an unsigned number` : `from ${min} to ${max}`;
    throw new CelError(column, `${value} does not fit ${type}`, hint);
  }
  return { op: 'literal', type, value: String(value) };
}

function variable(column: number, name: string, variables: readonly CelVariable[]): PlanCelNode {
  const position = /^arg(0|[1-9][0-9]?)$/.exec(name)?.[1];
  if (position === undefined) {
    const known = [...variables.keys()].map((each) => `arg${each}`);
    throw new CelError(column, `there is no variable ${quote(name)}`, didYouMean(name, known) ?? 'arg0 is the first entry of args');
  }
  const found = variables[Number(position)];
  if (found === undefined) {
    const hint = variables.length === 0 ? 'the hook has no args' : `positions in args are 0 to ${variables.length - 1}`;
    throw new CelError(column, `args has no entry at position ${position}`, hint);
  }
  if (typeof found === 'string') {
    throw new CelError(column, `${name} ${found}`);
  }
  return { op: 'arg', type: found.type, arg: found.position };
}

const FUNCTIONS = ['int32', 'uint32', 'and', 'or', 'xor', 'not'] as const;

function call(syntax: Extract<CelSyntax, { readonly kind: 'call' }>, variables: readonly CelVariable[]): PlanCelNode {
  const { column, name } = syntax;
  const known = FUNCTIONS.find((each) => each === name);
  if (known === undefined) {
    const hint = didYouMean(name, FUNCTIONS) ?? `there are ${FUNCTIONS.join(', ')}`;
    throw new CelError(column, `there is no function ${quote(name)}`, hint);
  }
  const args = syntax.args.map((arg) => typed(arg, variables));
  const [first, second] = args;
  const wanted = known === 'and' || known === 'or' || known === 'xor' ? 2 : 1;
  if (first === undefined || args.length !== wanted) {
    throw new CelError(column, `${known}() takes ${wanted} arguments, not ${args.length}`);
  }
  refuseBool(column, known, first);
  if (second !== undefined && (known === 'and' || known === 'or' || known === 'xor')) {
    requireSame(column, `${known}()`, first, second);
    return { op: known, type: first.type, left: first, right: second };
  }
  return known === 'int32' || known === 'uint32' ? convert(column, known, first) : { op: 'invert', type: first.type, of: first };
}

/** The low 32 bits. A literal must fit: that it is cut would be seen by nobody. */
function convert(column: number, type: 'int32' | 'uint32', of: PlanCelNode): PlanCelNode {
  if (of.op === 'literal') {
    return literal(column, type, BigInt(of.value));
  }
  return of.type === type ? of : { op: 'convert', type, of };
}

function unary(syntax: Extract<CelSyntax, { readonly kind: 'unary' }>, of: PlanCelNode): PlanCelNode {
  if (syntax.symbol === '!') {
    if (of.type !== 'bool') {
      throw new CelError(syntax.column, `! is for conditions, and this is a number (${of.type})`, 'for bits use not(a)');
    }
    return { op: 'not', type: 'bool', of };
  }
  refuseBool(syntax.column, '-', of);
  if (of.type === 'uint32' || of.type === 'uint64') {
    throw new CelError(syntax.column, `- makes no sense for ${of.type}`);
  }
  return { op: 'negate', type: of.type, of };
}

function binary(syntax: Extract<CelSyntax, { readonly kind: 'binary' }>, left: PlanCelNode, right: PlanCelNode): PlanCelNode {
  const { column, symbol } = syntax;
  requireSame(column, symbol, left, right);
  if (symbol === '||' || symbol === '&&') {
    if (left.type !== 'bool') {
      throw new CelError(
        column,
        `${symbol} is for conditions, and these are numbers (${left.type})`,
        `for bits use ${symbol === '||' ? 'or' : 'and'}(a, b)`,
      );
    }
  } else if (symbol !== '==' && symbol !== '!=') {
    refuseBool(column, symbol, left);
  }
  return operation(symbol, left, right);
}

/** `a > b` is `b < a`. */
function operation(symbol: BinarySymbol, left: PlanCelNode, right: PlanCelNode): PlanCelNode {
  switch (symbol) {
    case '||':
      return { op: 'any', type: 'bool', left, right };
    case '&&':
      return { op: 'all', type: 'bool', left, right };
    case '==':
      return { op: 'equal', type: 'bool', left, right };
    case '!=':
      return { op: 'unequal', type: 'bool', left, right };
    case '<':
      return { op: 'less', type: 'bool', left, right };
    case '<=':
      return { op: 'lessOrEqual', type: 'bool', left, right };
    case '>':
      return { op: 'less', type: 'bool', left: right, right: left };
    case '>=':
      return { op: 'lessOrEqual', type: 'bool', left: right, right: left };
    case '+':
      return { op: 'add', type: left.type, left, right };
    case '-':
      return { op: 'subtract', type: left.type, left, right };
  }
}

function refuseBool(column: number, what: string, node: PlanCelNode): void {
  if (node.type === 'bool') {
    throw new CelError(column, `${what} is for numbers, and this is a condition`);
  }
}

function requireSame(column: number, what: string, left: PlanCelNode, right: PlanCelNode): void {
  if (left.type !== right.type) {
    throw new CelError(column, `${what} has ${left.type} on its left and ${right.type} on its right`, hintFor(left, right));
  }
}

/** Mostly it is a literal of the wrong type. */
function hintFor(left: PlanCelNode, right: PlanCelNode): string | undefined {
  const [number, other] = right.op === 'literal' ? [right, left] : left.op === 'literal' ? [left, right] : [];
  if (number === undefined || other === undefined || number.type === 'bool') {
    return left.type === 'bool' || right.type === 'bool' ? undefined : 'convert one of them with int32() or uint32()';
  }
  switch (other.type) {
    case 'int32':
      return `write int32(${number.value})`;
    case 'uint32':
      return `write uint32(${number.value}u)`;
    case 'int64':
      return `write ${number.value}`;
    case 'uint64':
      return `write ${number.value}u`;
    case 'bool':
      return undefined;
  }
}
