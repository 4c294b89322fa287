/** Integers of one plane, each with the selectors that name it. */
import type { SelectorMask } from '../abi/selector-mask.ts';

export type IntValue = { readonly value: bigint; readonly selectors: SelectorMask };

/** One entry per distinct value, sorted. */
export function mergeInts(values: readonly IntValue[]): readonly IntValue[] {
  // Plans have their values in this order already; only those of several filters, and negative ones, have not.
  const isSorted = values.every(({ value }, i) => i === 0 || (values[i - 1]?.value ?? value) <= value);
  const sorted = isSorted ? values : values.toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  const merged: IntValue[] = [];
  for (const entry of sorted) {
    const last = merged.at(-1);
    if (last?.value !== entry.value) merged.push(entry);
    else merged[merged.length - 1] = { value: last.value, selectors: last.selectors | entry.selectors };
  }
  return merged;
}
