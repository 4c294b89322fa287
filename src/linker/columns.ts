/**
 * From bits of the process record to selectors: column c is byte c of `pal_proc.sets`, and the row of (column, value of that byte) has
 * the selectors of all sets whose bits are set in it.
 */
import { indexRow } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

/** `selectorsOf`: by set number, the selectors that ask for the set. */
export function columnRows(selectorsOf: ReadonlyMap<number, SelectorMask>): { readonly rows: readonly Buffer[]; readonly columns: number } {
  const columns = selectorsOf.size === 0 ? 0 : Math.floor(Math.max(...selectorsOf.keys()) / 8) + 1;
  const rows: Buffer[] = [];
  for (let column = 0; column < columns; column += 1) {
    for (let value = 1; value < 256; value += 1) {
      let selectors = 0n;
      for (let bit = 0; bit < 8; bit += 1) {
        if ((value & (1 << bit)) !== 0) selectors |= selectorsOf.get(8 * column + bit) ?? 0n;
      }
      if (selectors !== 0n) rows.push(indexRow(256 * column + value, selectors));
    }
  }
  return { rows, columns };
}
