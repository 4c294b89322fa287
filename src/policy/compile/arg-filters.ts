import { parseInteger, rangeOf } from '../integers.ts';
import { LIMITS } from '../limits.ts';
import type { PlanArg, PlanArgType, PlanBytesFilter, PlanBytesOperator, PlanFilter, PlanIntType } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ArgFilterSpec, ArgOperatorName } from '../schema/selectors.ts';
import { integerSet, textSet } from '../value-sets.ts';
import { type FilterContext, findArguments } from './declared.ts';
import {
  BYTES_OPERATORS,
  INT_OPERATORS,
  UNSUPPORTED_BYTES_OPERATORS,
  UNSUPPORTED_FILE_OPERATORS,
  UNSUPPORTED_INT_OPERATORS,
  notSupported,
} from './unsupported.ts';

export function compileArgFilter(sink: ProblemSink, path: string, filter: ArgFilterSpec, context: FilterContext): PlanFilter | undefined {
  const found = findArguments(sink, path, filter, context);
  if (found !== undefined && found.length > 1) {
    notSupported(sink, fieldPath(path, 'args'), 'a filter on several arguments is not supported yet');
    return undefined;
  }
  const declared = found?.[0];
  if (declared === undefined || declared.plan === null) {
    return undefined;
  }
  const { position } = declared;
  if (!isOperatorUsable(sink, fieldPath(path, 'operator'), filter.operator, declared.spec.type, declared.plan)) {
    return undefined;
  }
  const values = filter.values ?? [];
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, values)) {
    return undefined;
  }
  const type = declared.plan.type;
  if (isIntType(type)) {
    const operator = filter.operator === 'Equal' || filter.operator === 'In' ? 'Equal' : 'NotEqual';
    return { on: 'int', arg: position, operator, values: compileIntegers(sink, at, declared.spec.type, type, values) };
  }
  return compileBytes(sink, at, position, type, bytesOperatorOf(filter.operator), values);
}

function isOperatorUsable(sink: ProblemSink, path: string, operator: ArgOperatorName, typeName: string, arg: PlanArg): boolean {
  const usable: readonly ArgOperatorName[] = isIntType(arg.type) ? INT_OPERATORS : BYTES_OPERATORS;
  if (usable.includes(operator)) {
    return true;
  }
  if (operatorsOfLanguage(arg.type).includes(operator)) {
    notSupported(sink, path, `operator ${operator} is not supported yet`, `works: ${usable.join(', ')}`);
  } else {
    const hint = `use ${usable.slice(0, -1).join(', ')} or ${usable.at(-1) ?? ''}`;
    sink.error('OperatorTypeMismatch', path, `${operator} never matches type ${quote(typeName)}`, hint);
  }
  return false;
}

function operatorsOfLanguage(type: PlanArgType): readonly ArgOperatorName[] {
  if (isIntType(type)) {
    return UNSUPPORTED_INT_OPERATORS;
  }
  return type === 'string' ? UNSUPPORTED_BYTES_OPERATORS : [...UNSUPPORTED_BYTES_OPERATORS, ...UNSUPPORTED_FILE_OPERATORS];
}

export function isCountUsable(sink: ProblemSink, path: string, values: readonly string[]): boolean {
  if (values.length === 0) {
    sink.error('NoValues', path, 'has no values');
    return false;
  }
  if (values.length > LIMITS.valuesPerFilter) {
    sink.error('SetTooLarge', path, `${values.length} values`, `at most ${LIMITS.valuesPerFilter}`);
    return false;
  }
  return true;
}

function compileIntegers(sink: ProblemSink, path: string, typeName: string, type: PlanIntType, values: readonly string[]): string[] {
  const range = rangeOf(type);
  const numbers: bigint[] = [];
  for (const [index, text] of values.entries()) {
    const value = parseInteger(text);
    if (value === undefined) {
      sink.error('NotANumber', fieldPath(path, index), `${quote(text)} is not a number, and the argument has type ${quote(typeName)}`);
    } else if (value < range.min || value > range.max) {
      const hint = `from ${range.min} to ${range.max}`;
      sink.error('NumberOutOfRange', fieldPath(path, index), `${quote(text)} never matches type ${quote(typeName)}`, hint);
    } else {
      numbers.push(value);
    }
  }
  return integerSet(numbers);
}

function compileBytes(
  sink: ProblemSink,
  path: string,
  arg: number,
  type: PlanArgType,
  operator: PlanBytesOperator,
  values: readonly string[],
): PlanBytesFilter {
  const max = maxBytesOf(operator);
  const texts: string[] = [];
  for (const [index, value] of values.entries()) {
    // Strings of the kernel end at their NUL, so one at the end of a value says nothing (as upstream).
    const text = type === 'string' ? value.replace(/\0+$/, '') : value;
    checkText(sink, fieldPath(path, index), text, max, operator);
    texts.push(text);
  }
  return { on: 'bytes', arg, operator, values: textSet(texts) };
}

/** A value that can be compared: not empty, no NUL inside, Unicode that has bytes, short enough. */
export function checkText(sink: ProblemSink, path: string, text: string, maxBytes: number, operator: string): void {
  const bytes = Buffer.byteLength(text);
  if (text === '') {
    sink.error('BadValue', path, 'is empty');
  } else if (text.includes('\0') || !text.isWellFormed()) {
    sink.error('BadValue', path, `${quote(text)} never matches: it has characters that no such value can have`);
  } else if (bytes > maxBytes) {
    sink.error('ValueTooLong', path, `${bytes} bytes is too long for ${operator}`, `at most ${maxBytes}`);
  }
}

function maxBytesOf(operator: PlanBytesOperator): number {
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
      return LIMITS.equalBytes;
    case 'Prefix':
    case 'NotPrefix':
      return LIMITS.prefixBytes;
    case 'Postfix':
    case 'NotPostfix':
      return LIMITS.postfixBytes;
  }
}

function bytesOperatorOf(operator: ArgOperatorName): PlanBytesOperator {
  switch (operator) {
    case 'Prefix':
    case 'NotPrefix':
    case 'Postfix':
    case 'NotPostfix':
    case 'NotEqual':
      return operator;
    case 'NotIn':
      return 'NotEqual';
    default:
      return 'Equal';
  }
}

function isIntType(type: PlanArgType): type is PlanIntType {
  return /^u?int(8|16|32|64)$/.test(type);
}
