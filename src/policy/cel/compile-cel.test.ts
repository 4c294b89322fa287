import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeclaredArg } from '../compile/declared.ts';
import { PLAN_TYPES } from '../compile/argument-types.ts';
import { evaluateCel } from '../evaluate/cel.ts';
import type { ArgValue } from '../evaluate/event.ts';
import { createProblemSink, formatProblem } from '../problem.ts';
import { type ArgTypeName, argument } from '../schema/arguments.ts';
import { codesOf, kprobePolicy } from '../testing/policies.ts';
import { compileCelFilter } from './compile-cel.ts';

function compileWith(expression: string, types: readonly ArgTypeName[]) {
  const sink = createProblemSink();
  const args = types.map((type, position): DeclaredArg => {
    const spec = argument.parse({ index: position, type });
    return { list: 'args', spec, position, plan: { index: position, type: PLAN_TYPES[type], label: '' } };
  });
  const context = { block: 'matchArgs', kind: 'kprobe', args, lists: new Map() } as const;
  const filter = compileCelFilter(sink, 'f', { operator: 'CelExpr', values: [expression] }, context);
  return { filter, lines: sink.list().map(formatProblem) };
}

function holds(expression: string, ...args: readonly (readonly [ArgTypeName, bigint])[]): boolean {
  const { filter, lines } = compileWith(
    expression,
    args.map(([type]) => type),
  );
  expect(lines).toEqual([]);
  if (filter === undefined) {
    throw new Error('the expression does not compile');
  }
  return (
    evaluateCel(
      filter.expression,
      args.map(([, value]): ArgValue => ({ kind: 'int', value })),
    ) === 'yes'
  );
}

describe('CelExpr', () => {
  it('compares arguments with each other and with literals', () => {
    expect(holds('arg0 == 42u', ['uint64', 42n])).toBe(true);
    expect(holds('arg0 == 0xaaaaaaaaaaaaaaaau', ['uint64', 0xbaaaaaaaaaaaaaaan])).toBe(false);
    expect(holds('arg1 == arg0 && !(arg0 >= int32(7))', ['int', -1n], ['int', -1n])).toBe(true);
    expect(holds('arg0 != arg1 || arg0 > arg1', ['int64', 1n], ['int64', 1n])).toBe(false);
    expect(holds('true', ['int', 1n])).toBe(true);
  });

  it('binds as CEL does: unary, sums, comparisons, &&, ||', () => {
    expect(holds('arg0 + 1 == 3 && false || true', ['int64', 0n])).toBe(true);
    expect(holds('arg0 - 1 - 1 == 0', ['int64', 2n])).toBe(true);
    expect(holds('arg0 - (1 - 1) == 2', ['int64', 2n])).toBe(true);
    expect(holds('!false && -arg0 == -2', ['int64', 2n])).toBe(true);
    expect(holds('- -arg0 == 2', ['int64', 2n])).toBe(true);
  });

  it('wraps around in the width of its type', () => {
    expect(holds('arg0 + int32(1) == int32(-2147483648)', ['int', 2_147_483_647n])).toBe(true);
    expect(holds('arg0 - uint32(1u) == uint32(4294967295u)', ['uint32', 0n])).toBe(true);
    expect(holds('arg0 + arg1 == -9223372036854775808', ['int64', 9_223_372_036_854_775_807n], ['int64', 1n])).toBe(true);
    expect(holds('int32(arg0) == int32(-1)', ['int64', 0xffff_ffffn])).toBe(true);
    expect(holds('uint32(arg0) == uint32(1u)', ['uint64', 0x1_0000_0001n])).toBe(true);
  });

  it('has functions on bits', () => {
    expect(holds('and(arg0, 0xf0u) == 0x30u', ['size_t', 0x3fn])).toBe(true);
    expect(holds('or(arg0, 1u) == xor(arg0, 1u)', ['size_t', 2n])).toBe(true);
    expect(holds('not(arg0) == int32(-1)', ['int', 0n])).toBe(true);
  });

  it('extends small integers with their sign', () => {
    expect(holds('arg0 == int32(-5)', ['int8', -5n])).toBe(true);
    expect(holds('arg0 == uint32(251u)', ['uint8', 251n])).toBe(true);
  });

  it('is unknown as soon as one of its arguments is, and holds for none that is absent', () => {
    const { filter } = compileWith('true || arg0 == arg1', ['int', 'int']);
    if (filter === undefined) {
      throw new Error('the expression does not compile');
    }
    const one: ArgValue = { kind: 'int', value: 1n };
    expect(evaluateCel(filter.expression, [one, { kind: 'unknown' }])).toBe('unknown');
    expect(evaluateCel(filter.expression, [one])).toBe('unknown');
    expect(evaluateCel(filter.expression, [{ kind: 'absent' }, { kind: 'unknown' }])).toBe('no');
    expect(evaluateCel(filter.expression, [one, one])).toBe('yes');
  });

  it.each([
    ['arg0 == 42', 'column 6: == has int32 on its left and int64 on its right; write int32(42)'],
    ['arg1 == 42', 'column 6: == has uint64 on its left and int64 on its right; write 42u'],
    ['arg0 == arg1', 'column 6: == has int32 on its left and uint64 on its right; convert one of them with int32() or uint32()'],
    ['arg0', 'column 1: the expression is a number (int32), not a condition; compare it, for example "… != 0"'],
    ['arg0 == int32(2147483648)', 'column 9: 2147483648 does not fit int32; from -2147483648 to 2147483647'],
    [
      'arg1 == 18446744073709551615',
      'column 9: 18446744073709551615 does not fit int64; write 18446744073709551615u for an unsigned number',
    ],
    ['arg7 == arg0', 'column 1: args has no entry at position 7; positions in args are 0 to 2'],
    ['agr0 == arg0', 'column 1: there is no variable "agr0"; did you mean "arg0"?'],
    ['ant(arg0, arg0) == arg0', 'column 1: there is no function "ant"; did you mean "and"?'],
    ['and(arg0) == arg0', 'column 1: and() takes 2 arguments, not 1'],
    ['arg2 == arg0', 'column 1: arg2 has type string, and expressions are about integers'],
    ['arg0 & arg0', 'column 6: "&" is no part of an expression; for bits use and(a, b); for conditions use &&'],
    ['arg0 = arg0', 'column 6: "=" is no part of an expression; use =='],
    ['arg0 == arg0 arg0', 'column 14: "arg0" cannot stand here'],
    ['(arg0 == arg0', 'column 14: the expression ends too early: ")" is missing'],
    ['', 'column 1: the expression ends too early'],
    ['arg0 && arg0', 'column 6: && is for conditions, and these are numbers (int32); for bits use and(a, b)'],
    ['!arg0', 'column 1: ! is for conditions, and this is a number (int32); for bits use not(a)'],
    ['-arg1 == 1u', 'column 1: - makes no sense for uint64'],
    ['true < false', 'column 6: < is for numbers, and this is a condition'],
    ['arg0 == 4.2', 'column 9: "4.2" is no integer of 64 bits; for example 42, 0x2a or 42u'],
    ['arg0 == "x"', 'column 9: "\\"" is no part of an expression'],
  ])('%s is told where and what is wrong', (expression, message) => {
    expect(compileWith(expression, ['int', 'uint64', 'string']).lines).toEqual([`f.values[0]: ${message}`]);
  });

  it('says nothing of an argument that does not compile: that is said already', () => {
    const selectors = [{ matchArgs: [{ operator: 'CelExpr', values: ['arg1 == int32(1) && arg0 == 1'] }] }];
    const args = [
      { index: 0, type: 'const_buf' },
      { index: 1, type: 'int' },
    ];
    expect(codesOf(kprobePolicy({ args, selectors }))).toEqual(['TypeNotUsable']);
  });

  it('has at most 32 operands and operators, and is not nested without end', () => {
    const sum = (count: number): string => `${Array(count).fill('arg0').join(' + ')} == arg0`;
    expect(compileWith(sum(15), ['int']).filter).toBeDefined();
    expect(compileWith(sum(16), ['int']).lines[0]).toMatch(/has 33 operands and operators; at most 32/);
    expect(compileWith(`${'('.repeat(1000)}true${')'.repeat(1000)}`, []).lines[0]).toMatch(/nested too deeply/);
    expect(compileWith(`${'!'.repeat(1000)}true`, []).lines[0]).toMatch(/nested too deeply/);
    expect(compileWith('x'.repeat(3000), []).lines[0]).toMatch(/has 3000 characters/);
  });

  it('answers every text with a filter or with one located problem, never with an exception', () => {
    const word = fc.constantFrom(
      'arg0',
      'arg1',
      '1',
      '1u',
      '0x',
      'int32',
      'not',
      '(',
      ')',
      ',',
      '&&',
      '||',
      '!',
      '-',
      '+',
      '==',
      '<',
      ' ',
      '"',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(word, { maxLength: 24 }).map((words) => words.join('')),
        ),
        (text) => {
          const { filter, lines } = compileWith(text, ['int', 'uint64']);
          expect(filter === undefined ? lines.length : 1 - lines.length).toBe(1);
        },
      ),
    );
  }, 60_000);
});
