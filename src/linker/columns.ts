/**
 * From bits of the process record to selectors: column c is byte c of the record's sets, and the row of (column, value of that byte) has
 * the selectors of all sets whose bits are set in it.
 */
import type { SelectorMask } from '../abi/selector-mask.ts';

/** By set number, the selectors that ask for the set. */
export type SetSelectors = ReadonlyMap<number, SelectorMask>;

export function firstColumn(sets: SetSelectors): number {
  return sets.size === 0 ? 0 : Math.floor(Math.min(...sets.keys()) / 8);
}

/** -1 without sets. */
export function lastColumn(sets: SetSelectors): number {
  return sets.size === 0 ? -1 : Math.floor(Math.max(...sets.keys()) / 8);
}

/** Index and mask of every row that is not empty. `shift`: what is added to the number of each column. */
export function columnEntries(sets: SetSelectors, shift: number): readonly (readonly [index: number, selectors: SelectorMask])[] {
  const rows: (readonly [number, SelectorMask])[] = [];
  for (let column = firstColumn(sets); column <= lastColumn(sets); column += 1) {
    for (let value = 1; value < 256; value += 1) {
      let selectors = 0n;
      for (let bit = 0; bit < 8; bit += 1) {
        if ((value & (1 << bit)) !== 0) selectors |= sets.get(8 * column + bit) ?? 0n;
      }
      if (selectors !== 0n) rows.push([256 * (column + shift) + value, selectors]);
    }
  }
  return rows;
}
