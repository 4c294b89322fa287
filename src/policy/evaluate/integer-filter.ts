import type { PlanIntFilter, PlanMaskFilter, PlanRange, PlanRangeFilter } from '../plan.ts';
import { type Answer, hitOrMiss, isNegated } from './answer.ts';
import type { ArgValue } from './event.ts';

/** Calls of the system are compared by name too: which number a name has depends on the machine. */
export function integerAnswer(filter: PlanIntFilter, value: ArgValue | undefined): Answer {
  if (value?.kind !== 'int') {
    return 'unknown';
  }
  const names = value.syscall === undefined ? [] : [value.syscall];
  const hit = [String(value.value), ...names].some((text) => filter.values.includes(text));
  return hitOrMiss(hit, isNegated(filter.operator));
}

export function rangeAnswer(filter: PlanRangeFilter, value: ArgValue | undefined): Answer {
  return value?.kind === 'int' ? hitOrMiss(isInRanges(filter.ranges, value.value), isNegated(filter.operator)) : 'unknown';
}

/** Both ends of a range belong to it. */
export function isInRanges(ranges: readonly PlanRange[], value: bigint): boolean {
  return ranges.some(([min, max]) => BigInt(min) <= value && value <= BigInt(max));
}

/** One bit in common is enough. Of a negative number the bits are those of its two's complement in 64 bits. */
export function maskAnswer(filter: PlanMaskFilter, value: ArgValue | undefined): Answer {
  return value?.kind === 'int' ? hitOrMiss((BigInt.asUintN(64, value.value) & BigInt(filter.mask)) !== 0n, false) : 'unknown';
}

/** The new set has a capability that the old one has not. */
export function gainedAnswer(before: ArgValue | undefined, after: ArgValue | undefined): Answer {
  if (before?.kind === 'absent' || after?.kind === 'absent') {
    return 'no';
  }
  if (before?.kind !== 'int' || after?.kind !== 'int') {
    return 'unknown';
  }
  return hitOrMiss((after.value & ~before.value) !== 0n, false);
}
