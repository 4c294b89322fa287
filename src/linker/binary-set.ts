/** A selector's filters on the process's binary, merged into one set: values are exact paths, so sets can be intersected at link time. */
import { stringRows } from '../abi/map-rows.ts';
import type { PlanBinaryFilter } from '../policy/plan.ts';
import { digestKey } from './allocation.ts';

export type BinarySet = {
  readonly operator: 'In' | 'NotIn';
  /** Sorted. Empty with In: nothing matches. */
  readonly values: readonly string[];
};

/** Null: no filter on the binary. */
export function mergeBinaryFilters(filters: readonly PlanBinaryFilter[]): BinarySet | null {
  let allowed: Set<string> | null = null;
  const denied = new Set<string>();
  for (const filter of filters) {
    const values = new Set(filter.values);
    if (filter.operator === 'NotIn') for (const value of values) denied.add(value);
    else allowed = allowed === null ? values : allowed.intersection(values);
  }
  if (allowed !== null) return { operator: 'In', values: [...allowed.difference(denied)].toSorted() };
  return denied.size === 0 ? null : { operator: 'NotIn', values: [...denied].toSorted() };
}

/** In and NotIn of the same paths are one set. */
export function binarySetKey(set: BinarySet): string {
  return digestKey(JSON.stringify(set.values));
}

/** Rows of the node-wide map: a path and the sets it is in. `sets` is by set number. */
export function binarySetRows(sets: ReadonlyMap<number, readonly string[]>): Buffer {
  const byPath = new Map<string, bigint>();
  for (const [number, values] of sets) {
    for (const value of values) byPath.set(value, (byPath.get(value) ?? 0n) | (1n << BigInt(number)));
  }
  const nodes = [...byPath].map(([path, equal]) => ({ plane: 0, data: Buffer.from(path, 'utf8'), prefix: 0n, equal }));
  return stringRows(nodes.toSorted((a, b) => Buffer.compare(a.data, b.data)));
}
