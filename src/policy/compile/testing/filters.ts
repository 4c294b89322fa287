import { expect } from 'vitest';
import { createProblemSink, formatProblem } from '../../problem.ts';
import { type ArgTypeName, argument } from '../../schema/arguments.ts';
import type { ArgOperatorName } from '../../schema/selectors.ts';
import { compileArgFilter } from '../arg-filters.ts';
import { PLAN_TYPES } from '../argument-types.ts';
import type { DeclaredArg, FilterContext } from '../declared.ts';
import type { ListTable } from '../lists.ts';

/** A hook that reads one value of each type, in this order. */
export function declared(types: readonly ArgTypeName[]): readonly DeclaredArg[] {
  return types.map((type, position) => ({
    list: 'args',
    spec: argument.parse({ index: position, type }),
    position,
    plan: { index: position, type: PLAN_TYPES[type], label: '' },
  }));
}

const lists: ListTable = new Map([
  ['dups', { of: 'syscalls', names: ['i386/sys_dup', 'sys_dup'] }],
  ['functions', { of: 'functions', names: ['tcp_connect'] }],
]);

/** A filter as a policy has it. */
export type Given = { readonly operator: ArgOperatorName; readonly values?: string[]; readonly args?: number[]; readonly index?: number };

export function compileWith(types: readonly ArgTypeName[], given: Given, change: Partial<FilterContext> = {}) {
  const sink = createProblemSink();
  const context: FilterContext = { block: 'matchArgs', kind: 'kprobe', args: declared(types), lists, ...change };
  const filter = compileArgFilter(sink, 'f', given, context);
  return { filter, problems: sink.list(), lines: sink.list().map(formatProblem) };
}

/** The filter, for values that are right. */
export function filterOf(type: ArgTypeName, operator: ArgOperatorName, values?: string[]) {
  const { filter, lines } = compileWith([type], { operator, ...(values === undefined ? {} : { values }) });
  expect(lines).toEqual([]);
  return filter;
}

/** The problems, for values that are wrong. */
export function linesOf(type: ArgTypeName, operator: ArgOperatorName, values: string[] = []): string[] {
  return compileWith([type], { operator, values }).lines;
}
