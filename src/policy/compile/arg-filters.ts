import { isTextType, numberRangeOf } from '../arg-types.ts';
import { compileCelFilter } from '../cel/compile-cel.ts';
import { parseInteger } from '../integers.ts';
import { LIMITS } from '../limits.ts';
import type { PlanArgType, PlanBytesOperator, PlanFilter, PlanIntFilter } from '../plan.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { ArgFilterSpec, ArgOperatorName } from '../schema/selectors.ts';
import { textSet } from '../value-sets.ts';
import { isOperatorUsable } from './arg-operators.ts';
import { type DeclaredArg, type FilterContext, findArguments, findList } from './declared.ts';
import { compileCapabilityMask, compileCapabilitySets } from './value-capabilities.ts';
import {
  type IndexedValue,
  type NumberSubject,
  compileComparison,
  compileEquality,
  compileMap,
  compileMask,
  compileRanges,
} from './value-numbers.ts';
import { compileAddresses, compileSocketNumbers, privilegedPorts } from './value-sockets.ts';
import { compileBytes, compileFileTypes, compileSubstrings } from './value-texts.ts';

/** One entry of matchArgs, matchData or matchReturnArgs; undefined after a problem. */
export function compileArgFilter(sink: ProblemSink, path: string, filter: ArgFilterSpec, context: FilterContext): PlanFilter | undefined {
  if (filter.operator === 'CelExpr') {
    return compileCelFilter(sink, path, filter, context);
  }
  const found = findArguments(sink, path, filter, context);
  const [declared, other, ...more] = found ?? [];
  if (found === undefined || declared === undefined || declared.plan === null || other?.plan === null) {
    return undefined;
  }
  const at = fieldPath(path, 'operator');
  const usable = found.filter((arg) =>
    arg.plan === null ? false : isOperatorUsable(sink, at, filter.operator, arg.plan.type, arg.spec.type),
  );
  if (usable.length < found.length) {
    return undefined;
  }
  if (filter.operator === 'CapabilitiesGained') {
    if (other === undefined || more.length > 0) {
      sink.error('WrongArgumentCount', fieldPath(path, 'args'), 'CapabilitiesGained compares two arguments', 'args: [OLD, NEW]');
      return undefined;
    }
    if (other === declared) {
      sink.error('BadValue', fieldPath(path, 'args'), 'never matches: a set gains nothing over itself', 'args: [OLD, NEW]');
    }
    refuseValues(sink, path, filter);
    return { on: 'gained', before: declared.position, after: other.position };
  }
  if (other !== undefined) {
    const message = `${filter.operator} compares one argument, not ${found.length}`;
    sink.error('WrongArgumentCount', fieldPath(path, 'args'), message, 'write one filter for each');
    return undefined;
  }
  return compileOneArgument(sink, path, filter, declared, declared.plan.type, context);
}

function compileOneArgument(
  sink: ProblemSink,
  path: string,
  filter: ArgFilterSpec,
  declared: DeclaredArg,
  type: PlanArgType,
  context: FilterContext,
): PlanFilter | undefined {
  const { operator } = filter;
  const arg = declared.position;
  switch (operator) {
    case 'SPortPriv':
    case 'NotSportPriv':
      refuseValues(sink, path, filter);
      return privilegedPorts({ arg, field: 'sourcePort', operator: membership(operator) });
    case 'DPortPriv':
    case 'NotDPortPriv':
      refuseValues(sink, path, filter);
      return privilegedPorts({ arg, field: 'destinationPort', operator: membership(operator) });
    default:
      break;
  }
  const values = filter.values ?? [];
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, values)) {
    return undefined;
  }
  switch (operator) {
    case 'SAddr':
    case 'NotSAddr':
      return compileAddresses(sink, at, { arg, end: 'source', operator: membership(operator) }, values);
    case 'DAddr':
    case 'NotDAddr':
      return compileAddresses(sink, at, { arg, end: 'destination', operator: membership(operator) }, values);
    case 'SPort':
    case 'NotSPort':
      return compileSocketNumbers(sink, at, { arg, field: 'sourcePort', operator: membership(operator) }, values);
    case 'DPort':
    case 'NotDPort':
      return compileSocketNumbers(sink, at, { arg, field: 'destinationPort', operator: membership(operator) }, values);
    case 'Protocol':
      return compileSocketNumbers(sink, at, { arg, field: 'protocol', operator: 'In' }, values);
    case 'Family':
      return compileSocketNumbers(sink, at, { arg, field: 'family', operator: 'In' }, values);
    case 'State':
      return compileSocketNumbers(sink, at, { arg, field: 'state', operator: 'In' }, values);
    case 'FileType':
    case 'NotFileType':
      return compileFileTypes(sink, at, arg, membership(operator), values);
    case 'SubString':
      return compileSubstrings(sink, at, arg, type, 'exactly', values);
    case 'SubStringIgnCase':
      return compileSubstrings(sink, at, arg, type, 'ignoring case', values);
    case 'Prefix':
    case 'NotPrefix':
    case 'Postfix':
    case 'NotPostfix':
      return compileBytes(sink, at, arg, type, operator, values);
    default:
      return isText(type, operator, values)
        ? compileBytes(sink, at, arg, type, equality(operator), values)
        : compileNumbers(sink, at, operator, values, declared, type, context);
  }
}

/** What equality means for `auto` is seen in the values; `bind` refuses it where the kernel's type is another. */
function isText(type: PlanArgType, operator: ArgOperatorName, values: readonly string[]): boolean {
  const isEquality = operator === 'Equal' || operator === 'NotEqual' || operator === 'In' || operator === 'NotIn';
  return isTextType(type) || (type === 'auto' && isEquality && values.some((value) => parseInteger(value) === undefined));
}

function compileNumbers(
  sink: ProblemSink,
  at: string,
  operator: ArgOperatorName,
  values: readonly string[],
  declared: DeclaredArg,
  type: PlanArgType,
  context: FilterContext,
): PlanFilter | undefined {
  const arg = declared.position;
  const range = numberRangeOf(type);
  if (range === undefined) {
    return undefined;
  }
  const subject: NumberSubject = { position: arg, type, typeName: declared.spec.type, range };
  const isSet = type === 'kernel_cap_t' || type === 'cap_effective' || type === 'cap_permitted' || type === 'cap_inheritable';
  switch (operator) {
    case 'Mask':
      return isSet ? compileCapabilityMask(sink, at, arg, values) : compileMask(sink, at, values, subject);
    case 'GT':
    case 'GreaterThan':
      return compileComparison(sink, at, 'greater', values, subject);
    case 'LT':
    case 'LessThan':
      return compileComparison(sink, at, 'less', values, subject);
    case 'InRange':
    case 'NotInRange':
      return compileRanges(sink, at, operator, values, subject);
    case 'InMap':
    case 'NotInMap':
      return compileMembers(sink, at, operator === 'InMap' ? 'InRange' : 'NotInRange', values, subject, context);
    default: {
      const kind = equality(operator);
      return isSet ? compileCapabilitySets(sink, at, arg, kind, values) : compileEquality(sink, at, kind, values, subject);
    }
  }
}

/** InMap and NotInMap: numbers, ranges, and for ids of system calls the names of a list. */
function compileMembers(
  sink: ProblemSink,
  path: string,
  operator: 'InRange' | 'NotInRange',
  values: readonly string[],
  subject: NumberSubject,
  context: FilterContext,
): PlanFilter {
  const plain: IndexedValue[] = [];
  const names: string[] = [];
  const listed = new Set<string>();
  for (const [index, text] of values.entries()) {
    if (listed.has(text)) {
      continue;
    }
    if (text.startsWith('list:')) {
      listed.add(text);
      names.push(...syscallsOf(sink, fieldPath(path, index), text, subject, context));
    } else {
      plain.push({ index, text });
    }
  }
  const filter = compileMap(sink, path, operator, plain, subject);
  if (names.length === 0) {
    return filter;
  }
  if (filter.on === 'range') {
    sink.error('BadValue', path, 'a list of system calls and ranges of numbers cannot be in one filter', 'write the numbers one by one');
    return filter;
  }
  const members = [...filter.values, ...textSet(names)];
  if (members.length > LIMITS.valuesPerFilter) {
    sink.error('SetTooLarge', path, `${members.length} values, with those of lists`, `at most ${LIMITS.valuesPerFilter}`);
  }
  return { ...filter, values: members };
}

function syscallsOf(sink: ProblemSink, path: string, text: string, subject: NumberSubject, context: FilterContext): readonly string[] {
  if (subject.type !== 'syscall64') {
    const message = `a list of system calls never matches type "${subject.typeName}"`;
    sink.error('BadList', path, message, 'declare the argument as "type: syscall64"');
    return [];
  }
  const list = findList(sink, path, text, context.lists);
  if (list === undefined || list.of === 'syscalls') {
    return list?.names ?? [];
  }
  sink.error('BadList', path, 'only a list of type syscalls can be compared with the id of a system call', 'set "type: syscalls"');
  return [];
}

/** Negated operators are those whose name says so; their lists are the ones of the others. */
function membership(operator: ArgOperatorName): 'In' | 'NotIn' {
  return operator.startsWith('Not') ? 'NotIn' : 'In';
}

function equality(operator: ArgOperatorName): PlanIntFilter['operator'] & PlanBytesOperator {
  return operator.startsWith('Not') ? 'NotEqual' : 'Equal';
}

/** Upstream ignores them; someone who writes them expects something. */
function refuseValues(sink: ProblemSink, path: string, filter: ArgFilterSpec): void {
  if ((filter.values ?? []).length > 0) {
    sink.warn('UselessField', fieldPath(path, 'values'), `${filter.operator} takes no values: these say nothing`, 'remove them');
  }
}

export function isCountUsable(sink: ProblemSink, path: string, values: readonly unknown[], max: number = LIMITS.valuesPerFilter): boolean {
  if (values.length === 0) {
    sink.error('NoValues', path, 'has no values');
    return false;
  }
  if (values.length > max) {
    sink.error('SetTooLarge', path, `${values.length} values`, `at most ${max}`);
    return false;
  }
  return true;
}
