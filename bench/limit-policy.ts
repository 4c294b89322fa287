import { LIMITS } from '../src/policy/limits.ts';

const integers = 'abcdef';

/**
 * A policy that is at every limit of the language at once, as far as one plan holds that much: hooks, arguments, selectors, filters,
 * actions, values of one filter, lengths of values, substrings, expressions and their nodes, tags.
 */
export function limitPolicy(): Record<string, unknown> {
  const kprobes = [selectorsHook(), valuesHook(), textsHook(), expressionsHook()];
  while (kprobes.length < LIMITS.hooksPerPolicy) kprobes.push({ call: `function_${kprobes.length}`, syscall: false });
  return { apiVersion: 'cilium.io/v1alpha1', kind: 'TracingPolicy', metadata: { name: 'limits' }, spec: { kprobes } };
}

function argsOf(types: readonly string[]): readonly Record<string, unknown>[] {
  return types.map((type, index) => ({ index, type }));
}

/** All selectors with all filters and actions, over as many arguments as a hook may read. */
function selectorsHook(): Record<string, unknown> {
  const args = argsOf(Array.from(integers, () => 'int'));
  const data = Array.from({ length: LIMITS.argsPerHook - args.length }, (_, i) => ({
    index: i,
    type: 'int',
    source: 'current_task',
    resolve: `member_${i}`,
  }));
  const selectors = Array.from({ length: LIMITS.selectorsPerHook }, (_, selector) => ({
    matchArgs: Array.from({ length: LIMITS.filtersPerSelector }, (_unused, filter) => ({
      index: filter % args.length,
      operator: 'NotEqual',
      values: [String(selector * 100 + filter)],
    })),
    matchActions: Array.from({ length: LIMITS.actionsPerSelector }, () => ({ action: 'Post' })),
  }));
  const tags = Array.from({ length: LIMITS.tagsPerHook }, (_, i) => `tag-${i}`);
  return { call: 'function_0', syscall: false, args, data, selectors, tags, message: 'm'.repeat(LIMITS.messageBytes) };
}

function valuesHook(): Record<string, unknown> {
  const values = Array.from({ length: LIMITS.valuesPerFilter }, (_, i) => String(7 * i));
  return {
    call: 'function_1',
    syscall: false,
    args: argsOf(['int']),
    selectors: [{ matchArgs: [{ index: 0, operator: 'InMap', values }] }],
  };
}

function textsHook(): Record<string, unknown> {
  const bytes = (length: number): string => '/'.padEnd(length, 'x');
  const parts = Array.from({ length: LIMITS.substringsPerFilter }, (_, i) => `part-${i}-of-many`);
  return {
    call: 'function_2',
    syscall: false,
    args: argsOf(['string', 'string']),
    selectors: [
      { matchArgs: [{ index: 0, operator: 'Equal', values: [bytes(LIMITS.equalBytes)] }] },
      { matchArgs: [{ index: 0, operator: 'Prefix', values: [bytes(LIMITS.prefixBytes)] }] },
      { matchArgs: [{ index: 0, operator: 'Postfix', values: [bytes(LIMITS.postfixBytes)] }] },
      { matchArgs: [{ index: 1, operator: 'SubString', values: parts }] },
      { matchBinaries: [{ operator: 'Prefix', values: [bytes(LIMITS.binaryBytes)] }] },
    ],
  };
}

/** Two nodes for each comparison with a literal and the argument, one for the operator that joins it. */
function expressionsHook(): Record<string, unknown> {
  const terms = Math.floor((LIMITS.celNodes + 1) / 4);
  const selectors = Array.from({ length: LIMITS.celPerHook }, (_, i) => ({
    matchArgs: [
      {
        index: 0,
        operator: 'CelExpr',
        values: [Array.from({ length: terms }, (_unused, term) => `arg0 != int32(${10 * i + term})`).join(' && ')],
      },
    ],
  }));
  return { call: 'function_3', syscall: false, args: argsOf(['int']), selectors };
}
