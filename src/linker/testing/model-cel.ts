/** Walks the nodes of an expression, as the engine does it: in order, each from the values of nodes before it. */
import {
  PAL_CEL_ADD,
  PAL_CEL_ALL,
  PAL_CEL_AND,
  PAL_CEL_ANY,
  PAL_CEL_ARG,
  PAL_CEL_BOOL,
  PAL_CEL_CONVERT,
  PAL_CEL_EQUAL,
  PAL_CEL_INT32,
  PAL_CEL_INT64,
  PAL_CEL_INVERT,
  PAL_CEL_LESS,
  PAL_CEL_LESS_OR_EQUAL,
  PAL_CEL_LITERAL,
  PAL_CEL_NEGATE,
  PAL_CEL_NOT,
  PAL_CEL_OR,
  PAL_CEL_SUBTRACT,
  PAL_CEL_UINT32,
  PAL_CEL_UNEQUAL,
  PAL_CEL_XOR,
} from '../../abi/layout.ts';
import type { CelNode } from './model-tables.ts';

/** Values are numbers as their types show them; a literal is stored as 64 bits. */
export function evaluateNodes(nodes: readonly CelNode[], slotValue: (slot: number) => bigint): boolean {
  const values: bigint[] = [];
  for (const node of nodes) values.push(wrap(node.type, valueOf(node, values, slotValue)));
  return values.at(-1) === 1n;
}

function valueOf(node: CelNode, values: readonly bigint[], slotValue: (slot: number) => bigint): bigint {
  const left = values[node.left] ?? 0n;
  const right = values[node.right] ?? 0n;
  switch (node.op) {
    case PAL_CEL_ARG:
      return slotValue(node.left);
    case PAL_CEL_LITERAL:
      return node.value;
    case PAL_CEL_CONVERT:
      return left;
    case PAL_CEL_NEGATE:
      return -left;
    case PAL_CEL_INVERT:
      return ~left;
    case PAL_CEL_NOT:
      return truth(left === 0n);
    case PAL_CEL_ADD:
      return left + right;
    case PAL_CEL_SUBTRACT:
      return left - right;
    case PAL_CEL_AND:
    case PAL_CEL_ALL:
      return left & right;
    case PAL_CEL_OR:
    case PAL_CEL_ANY:
      return left | right;
    case PAL_CEL_XOR:
      return left ^ right;
    case PAL_CEL_EQUAL:
      return truth(left === right);
    case PAL_CEL_UNEQUAL:
      return truth(left !== right);
    case PAL_CEL_LESS:
      return truth(left < right);
    case PAL_CEL_LESS_OR_EQUAL:
      return truth(left <= right);
    default:
      throw new Error(`operation ${node.op} is unknown`);
  }
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}

function wrap(type: number, value: bigint): bigint {
  switch (type) {
    case PAL_CEL_BOOL:
      return value & 1n;
    case PAL_CEL_INT32:
      return BigInt.asIntN(32, value);
    case PAL_CEL_UINT32:
      return BigInt.asUintN(32, value);
    case PAL_CEL_INT64:
      return BigInt.asIntN(64, value);
    default:
      return BigInt.asUintN(64, value);
  }
}
