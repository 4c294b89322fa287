import type { PlanRange } from './plan.ts';

/** Both ends belong to it. */
export type NumberRange = { readonly min: bigint; readonly max: bigint };

/** The same numbers as disjoint ranges that do not touch, sorted. */
export function mergeRanges(ranges: readonly NumberRange[]): readonly NumberRange[] {
  const merged: NumberRange[] = [];
  for (const range of ranges.toSorted((a, b) => (a.min < b.min ? -1 : a.min > b.min ? 1 : 0))) {
    const last = merged.at(-1);
    if (last !== undefined && range.min <= last.max + 1n) {
      merged[merged.length - 1] = { min: last.min, max: range.max > last.max ? range.max : last.max };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

export function toPlanRanges(ranges: readonly NumberRange[]): readonly PlanRange[] {
  return mergeRanges(ranges).map(({ min, max }) => [String(min), String(max)] as const);
}

/** Every number between the bounds is in one of the ranges. */
export function covers(ranges: readonly NumberRange[], bounds: NumberRange): boolean {
  return mergeRanges(ranges).some((range) => range.min <= bounds.min && bounds.max <= range.max);
}
