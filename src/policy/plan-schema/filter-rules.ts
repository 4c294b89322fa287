import { type ArgTypeClass, classOf, isRawBuffer, numberRangeOf } from '../arg-types.ts';
import { argumentsOf } from '../filter-arguments.ts';
import type { PlanArgType, PlanFilter, PlanHook } from '../plan.ts';
import { SYSCALL_NAME } from './values.ts';

/** How a filter does not fit the arguments that it names, or undefined. */
export function filterProblem(filter: PlanFilter, hook: PlanHook): string | undefined {
  for (const index of argumentsOf(filter)) {
    const type = hook.args[index]?.type;
    if (type === undefined) {
      return 'a filter names an argument that the hook does not read';
    }
    if (!fits(filter, type)) {
      return `a filter on ${filter.on} names an argument of another type`;
    }
    if (!areValuesPossible(filter, type)) {
      return `a filter on ${filter.on} has a value that its argument never has`;
    }
  }
  return undefined;
}

const CLASSES: Readonly<Partial<Record<PlanFilter['on'], readonly ArgTypeClass[]>>> = {
  int: ['integer', 'capabilities', 'auto'],
  range: ['integer', 'auto'],
  mask: ['integer', 'capabilities', 'auto'],
  bytes: ['text', 'auto'],
  substring: ['text', 'auto'],
  address: ['socket'],
  gained: ['capabilities'],
  cel: ['integer'],
};

function fits(filter: PlanFilter, type: PlanArgType): boolean {
  switch (filter.on) {
    case 'fileType':
      return type === 'file' || type === 'path';
    case 'socket':
      return classOf(type) === 'socket' || (type === 'sockaddr_un' && filter.field === 'family');
    default:
      return CLASSES[filter.on]?.includes(classOf(type)) ?? true;
  }
}

function areValuesPossible(filter: PlanFilter, type: PlanArgType): boolean {
  switch (filter.on) {
    case 'int':
      return filter.values.every((value) => (SYSCALL_NAME.test(value) ? type === 'syscall64' : isInRange(value, type)));
    case 'range':
      return filter.ranges.flat().every((value) => isInRange(value, type));
    case 'bytes':
    case 'substring':
      return isRawBuffer(type) || !filter.values.some((value) => value.includes('\0'));
    default:
      return true;
  }
}

function isInRange(value: string, type: PlanArgType): boolean {
  const range = numberRangeOf(type);
  return range !== undefined && BigInt(value) >= range.min && BigInt(value) <= range.max;
}
