import type { PlanCelNode, PlanFilter } from './plan.ts';

/** Positions in the hook's args of what a filter looks at; none for filters on the process. */
export function argumentsOf(filter: PlanFilter): readonly number[] {
  switch (filter.on) {
    case 'gained':
      return [filter.before, filter.after];
    case 'cel':
      return argumentsIn(filter.expression);
    default:
      return 'arg' in filter ? [filter.arg] : [];
  }
}

/** The same of an expression, in its order. */
export function argumentsIn(node: PlanCelNode): readonly number[] {
  if ('left' in node) return [...argumentsIn(node.left), ...argumentsIn(node.right)];
  if ('of' in node) return argumentsIn(node.of);
  return node.op === 'arg' ? [node.arg] : [];
}
