import { argumentsIn } from '../filter-arguments.ts';
import type { PlanCelNode, PlanCelType } from '../plan.ts';
import { type Answer, hitOrMiss } from './answer.ts';
import type { ArgValue } from './event.ts';

/** An expression is unknown as soon as one of its arguments is, also where the other side of `&&` or `||` would decide. */
export function evaluateCel(expression: PlanCelNode, args: readonly ArgValue[]): Answer {
  const kinds = argumentsIn(expression).map((position) => args[position]?.kind);
  if (kinds.includes('absent')) {
    return 'no';
  }
  return kinds.every((kind) => kind === 'int') ? hitOrMiss(valueOf(expression, args) !== 0n, false) : 'unknown';
}

/** Numbers of a fixed width: what does not fit wraps around, as in C and in BPF. False is 0, true is 1. */
function valueOf(node: PlanCelNode, args: readonly ArgValue[]): bigint {
  switch (node.op) {
    case 'arg': {
      const value = args[node.arg];
      return value?.kind === 'int' ? value.value : 0n;
    }
    case 'literal':
      return BigInt(node.value);
    case 'convert':
      return wrap(node.type, valueOf(node.of, args));
    case 'negate':
      return wrap(node.type, -valueOf(node.of, args));
    case 'invert':
      return wrap(node.type, ~valueOf(node.of, args));
    case 'not':
      return truth(valueOf(node.of, args) === 0n);
    default:
      return wrap(node.type, applied(node.op, valueOf(node.left, args), valueOf(node.right, args)));
  }
}

type BinaryOp = Extract<PlanCelNode, { readonly left: PlanCelNode }>['op'];

function applied(op: BinaryOp, left: bigint, right: bigint): bigint {
  switch (op) {
    case 'add':
      return left + right;
    case 'subtract':
      return left - right;
    case 'and':
    case 'all':
      return left & right;
    case 'or':
    case 'any':
      return left | right;
    case 'xor':
      return left ^ right;
    case 'equal':
      return truth(left === right);
    case 'unequal':
      return truth(left !== right);
    case 'less':
      return truth(left < right);
    case 'lessOrEqual':
      return truth(left <= right);
  }
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}

function wrap(type: PlanCelType, value: bigint): bigint {
  switch (type) {
    case 'bool':
      return value;
    case 'int32':
      return BigInt.asIntN(32, value);
    case 'uint32':
      return BigInt.asUintN(32, value);
    case 'int64':
      return BigInt.asIntN(64, value);
    case 'uint64':
      return BigInt.asUintN(64, value);
  }
}
