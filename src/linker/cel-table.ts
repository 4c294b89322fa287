/** Expressions of a hook as nodes in postfix order. */
import {
  PAL_CEL_ADD,
  PAL_CEL_ALL,
  PAL_CEL_AND,
  PAL_CEL_ANY,
  PAL_CEL_ARG,
  PAL_CEL_BOOL,
  PAL_CEL_CONVERT,
  PAL_CEL_EQUAL,
  PAL_CEL_EXPRESSIONS,
  PAL_CEL_INT32,
  PAL_CEL_INT64,
  PAL_CEL_INVERT,
  PAL_CEL_LESS,
  PAL_CEL_LESS_OR_EQUAL,
  PAL_CEL_LITERAL,
  PAL_CEL_NEGATE,
  PAL_CEL_NODES,
  PAL_CEL_NOT,
  PAL_CEL_OR,
  PAL_CEL_SUBTRACT,
  PAL_CEL_UINT32,
  PAL_CEL_UINT64,
  PAL_CEL_UNEQUAL,
  PAL_CEL_XOR,
} from '../abi/layout.ts';
import { type CelRow, celRows } from '../abi/map-rows.ts';
import type { PlanCelNode, PlanCelType } from '../policy/plan.ts';

type Node = Omit<CelRow, 'index'>;

export type CelTable = {
  /** The number of an expression and of its nodes; equal ones share it. Null: its arguments are no slots here, or it has too many nodes. */
  add(expression: PlanCelNode, slotOf: (arg: number) => number | null): { readonly number: number; readonly nodes: number } | null;
  /** More than PAL_CEL_EXPRESSIONS are too many. */
  count(): number;
  rows(): Buffer;
};

const TYPES: Readonly<Record<PlanCelType, number>> = {
  bool: PAL_CEL_BOOL,
  int32: PAL_CEL_INT32,
  uint32: PAL_CEL_UINT32,
  int64: PAL_CEL_INT64,
  uint64: PAL_CEL_UINT64,
};

const OPERATIONS: Readonly<Record<PlanCelNode['op'], number>> = {
  arg: PAL_CEL_ARG,
  literal: PAL_CEL_LITERAL,
  convert: PAL_CEL_CONVERT,
  negate: PAL_CEL_NEGATE,
  invert: PAL_CEL_INVERT,
  not: PAL_CEL_NOT,
  add: PAL_CEL_ADD,
  subtract: PAL_CEL_SUBTRACT,
  and: PAL_CEL_AND,
  or: PAL_CEL_OR,
  xor: PAL_CEL_XOR,
  all: PAL_CEL_ALL,
  any: PAL_CEL_ANY,
  equal: PAL_CEL_EQUAL,
  unequal: PAL_CEL_UNEQUAL,
  less: PAL_CEL_LESS,
  lessOrEqual: PAL_CEL_LESS_OR_EQUAL,
};

export function createCelTable(): CelTable {
  const expressions = new Map<string, { readonly number: number; readonly list: readonly Node[] }>();
  return {
    add(expression, slotOf) {
      const list: Node[] = [];
      if (flatten(expression, slotOf, list) === null || list.length > PAL_CEL_NODES) return null;
      const key = list.map((node) => [node.op, node.type, node.left, node.right, node.value].join()).join(';');
      const entry = expressions.get(key) ?? { number: expressions.size, list };
      expressions.set(key, entry);
      return { number: entry.number, nodes: list.length };
    },
    count: () => expressions.size,
    rows: () =>
      celRows(
        [...expressions.values()].flatMap(({ number, list }) => list.map((node, i) => ({ ...node, index: number * PAL_CEL_NODES + i }))),
      ),
  };
}

/** For messages: what bounds an expression. */
export const CEL_BOUNDS = `${PAL_CEL_EXPRESSIONS} expressions of ${PAL_CEL_NODES} nodes`;

/** Position of the node, which is the last of the list; null: an argument that is no slot. */
function flatten(node: PlanCelNode, slotOf: (arg: number) => number | null, list: Node[]): number | null {
  const fields = { op: OPERATIONS[node.op], type: TYPES[node.type], left: 0, right: 0, value: 0n };
  switch (node.op) {
    case 'arg': {
      const slot = slotOf(node.arg);
      return slot === null ? null : list.push({ ...fields, left: slot }) - 1;
    }
    case 'literal':
      return list.push({ ...fields, value: BigInt(node.value) }) - 1;
    case 'convert':
    case 'negate':
    case 'invert':
    case 'not': {
      const left = flatten(node.of, slotOf, list);
      return left === null ? null : list.push({ ...fields, left }) - 1;
    }
    default: {
      const left = flatten(node.left, slotOf, list);
      const right = flatten(node.right, slotOf, list);
      return left === null || right === null ? null : list.push({ ...fields, left, right }) - 1;
    }
  }
}
