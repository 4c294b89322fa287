import type { PlanCelNode } from '../plan.ts';

const SIGNS = {
  add: '+',
  subtract: '-',
  and: '&',
  or: '|',
  xor: '^',
  all: 'and',
  any: 'or',
  equal: '==',
  unequal: '!=',
  less: '<',
  lessOrEqual: '<=',
} as const;

/** An expression as people read it; `nameOf` gives the names of arguments. */
export function celText(node: PlanCelNode, nameOf: (arg: number) => string): string {
  switch (node.op) {
    case 'arg':
      return nameOf(node.arg);
    case 'literal':
      return node.type === 'bool' ? String(node.value === '1') : node.value;
    case 'convert':
      return `${node.type}(${celText(node.of, nameOf)})`;
    case 'negate':
      return `-${inner(node.of, nameOf)}`;
    case 'invert':
      return `~${inner(node.of, nameOf)}`;
    case 'not':
      return `not ${inner(node.of, nameOf)}`;
    default:
      return `${inner(node.left, nameOf)} ${SIGNS[node.op]} ${inner(node.right, nameOf)}`;
  }
}

function inner(node: PlanCelNode, nameOf: (arg: number) => string): string {
  const text = celText(node, nameOf);
  return 'left' in node || node.op === 'not' ? `(${text})` : text;
}
