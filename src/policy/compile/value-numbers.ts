import { capabilityNumber } from '../capabilities.ts';
import { type IntRange, parseInteger } from '../integers.ts';
import { type NumberRange, covers, toPlanRanges } from '../number-ranges.ts';
import type { PlanArgType, PlanIntFilter, PlanMaskFilter, PlanRangeFilter } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { integerSet } from '../value-sets.ts';

/** What the values of a filter are compared with. */
export type NumberSubject = {
  readonly position: number;
  readonly type: PlanArgType;
  /** As the policy calls the type. */
  readonly typeName: string;
  readonly range: IntRange;
};

/** A number of the type; undefined after a problem. */
export function compileNumber(sink: ProblemSink, path: string, text: string, subject: NumberSubject): bigint | undefined {
  const value = numberOf(text, subject.type);
  const { min, max } = subject.range;
  if (value === undefined) {
    sink.error('NotANumber', path, `${quote(text)} is not a number, and the argument has type ${quote(subject.typeName)}`);
    return undefined;
  }
  if (value < min || value > max) {
    sink.error('NumberOutOfRange', path, `${quote(text)} never matches type ${quote(subject.typeName)}`, `from ${min} to ${max}`);
    return undefined;
  }
  return value;
}

function numberOf(text: string, type: PlanArgType): bigint | undefined {
  const named = type === 'capability' ? capabilityNumber(text.toUpperCase()) : undefined;
  return named === undefined ? parseInteger(text) : BigInt(named);
}

export function compileEquality(
  sink: ProblemSink,
  path: string,
  operator: PlanIntFilter['operator'],
  values: readonly string[],
  subject: NumberSubject,
): PlanIntFilter {
  const numbers = values.flatMap((text, index) => compileNumber(sink, fieldPath(path, index), text, subject) ?? []);
  return { on: 'int', arg: subject.position, operator, values: integerSet(numbers) };
}

/** One filter on the bits of all values: upstream ORs them too. */
export function compileMask(sink: ProblemSink, path: string, values: readonly string[], subject: NumberSubject): PlanMaskFilter {
  const bits = BigInt(subject.range.max.toString(2).length + (subject.range.min < 0n && subject.type !== 'auto' ? 1 : 0));
  // A mask is a pattern of bits: 0x80000000 is one for a signed number of 32 bits too.
  const range = { min: subject.range.min, max: (1n << bits) - 1n };
  let mask = 0n;
  for (const [index, text] of values.entries()) {
    const value = compileNumber(sink, fieldPath(path, index), text, { ...subject, range });
    if (value === 0n) {
      sink.error('BadValue', fieldPath(path, index), `${quote(text)} never matches: the mask has no bit`);
    }
    mask |= BigInt.asUintN(Number(bits), value ?? 0n);
  }
  return { on: 'mask', arg: subject.position, mask: String(mask) };
}

export type Comparison = 'greater' | 'less';

/** Several values are ORed, as upstream does: the widest wins. */
export function compileComparison(
  sink: ProblemSink,
  path: string,
  comparison: Comparison,
  values: readonly string[],
  subject: NumberSubject,
): PlanIntFilter | PlanRangeFilter {
  const { min, max } = subject.range;
  const ranges = values.flatMap((text, index): readonly NumberRange[] => {
    const value = compileNumber(sink, fieldPath(path, index), text, subject);
    if (value === undefined) {
      return [];
    }
    if (value === (comparison === 'greater' ? max : min)) {
      const message = `${quote(text)} never matches: no number of type ${quote(subject.typeName)} is ${comparison}`;
      sink.error('BadValue', fieldPath(path, index), message);
      return [];
    }
    return [comparison === 'greater' ? { min: value + 1n, max } : { min, max: value - 1n }];
  });
  return rangeFilter(sink, path, 'InRange', ranges, subject);
}

/** `min:max`, both needed. */
export function compileRanges(
  sink: ProblemSink,
  path: string,
  operator: PlanRangeFilter['operator'],
  values: readonly string[],
  subject: NumberSubject,
): PlanIntFilter | PlanRangeFilter {
  const ranges = values.flatMap((text, index): readonly NumberRange[] => {
    const at = fieldPath(path, index);
    if (!text.includes(':')) {
      const hint = parseInteger(text) === undefined ? 'write "min:max"' : `write "${text}:${text}"`;
      sink.error('BadValue', at, `${quote(text)} is no range`, hint);
      return [];
    }
    return compileRange(sink, at, text, subject);
  });
  return rangeFilter(sink, path, operator, ranges, subject);
}

/** `5`, `min:max`; what `list:NAME` says is not among the values any more. */
export function compileMap(
  sink: ProblemSink,
  path: string,
  operator: PlanRangeFilter['operator'],
  values: readonly IndexedValue[],
  subject: NumberSubject,
): PlanIntFilter | PlanRangeFilter {
  const ranges = values.flatMap(({ index, text }): readonly NumberRange[] => {
    const at = fieldPath(path, index);
    refuseOctal(sink, at, text);
    if (text.includes(':')) {
      return compileRange(sink, at, text, subject);
    }
    const value = compileNumber(sink, at, text, subject);
    return value === undefined ? [] : [{ min: value, max: value }];
  });
  return rangeFilter(sink, path, operator, ranges, subject);
}

/** A value with its place in the policy. */
export type IndexedValue = { readonly index: number; readonly text: string };

/** `010` is 10 to upstream's InMap and ports, and 8 to its other operators. */
export function refuseOctal(sink: ProblemSink, path: string, text: string): void {
  if (text.split(':').some((part) => /^[+-]?0[0-9]/.test(part))) {
    sink.error('BadValue', path, `${quote(text)} begins with 0, which is read in two ways`, 'write it without the 0, or as 0o…');
  }
}

function compileRange(sink: ProblemSink, path: string, text: string, subject: NumberSubject): readonly NumberRange[] {
  const [from = '', to = '', ...rest] = text.split(':');
  if (rest.length > 0 || from === '' || to === '') {
    sink.error('BadValue', path, `${quote(text)} is no range`, 'write "min:max"');
    return [];
  }
  const min = compileNumber(sink, path, from, subject);
  const max = compileNumber(sink, path, to, subject);
  if (min === undefined || max === undefined) {
    return [];
  }
  if (min > max) {
    sink.error('BadValue', path, `${quote(text)} never matches: its end is less than its beginning`, `write "${to}:${from}"`);
    return [];
  }
  return [{ min, max }];
}

/** Single numbers are a set, everything else is ranges: one meaning has one spelling in a plan. */
function rangeFilter(
  sink: ProblemSink,
  path: string,
  operator: PlanRangeFilter['operator'],
  ranges: readonly NumberRange[],
  subject: NumberSubject,
): PlanIntFilter | PlanRangeFilter {
  checkCoverage(sink, path, operator === 'NotInRange', ranges, subject.range);
  return ranges.every(({ min, max }) => min === max)
    ? {
        on: 'int',
        arg: subject.position,
        operator: operator === 'InRange' ? 'Equal' : 'NotEqual',
        values: integerSet(ranges.map(({ min }) => min)),
      }
    : { on: 'range', arg: subject.position, operator, ranges: toPlanRanges(ranges) };
}

/** A range of everything says nothing, and its negation never matches. */
export function checkCoverage(
  sink: ProblemSink,
  path: string,
  isNegated: boolean,
  ranges: readonly NumberRange[],
  bounds: NumberRange,
): void {
  if (!covers(ranges, bounds)) {
    return;
  }
  if (isNegated) {
    sink.error('BadValue', path, 'never matches: the ranges cover every value');
  } else {
    sink.warn('AlwaysMatches', path, 'always matches: the ranges cover every value', 'remove the filter');
  }
}
