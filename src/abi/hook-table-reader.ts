/** Reads `struct pal_tbl` back, for the model of the engine and for people who debug. */
import { DENY_CLASSES, type PlaneMasks } from './hook-table.ts';
import { MASK_CLASS_LAYOUT, PAL_WORDS, PLANE_TBL_LAYOUT, SEL_LAYOUT, TBL_LAYOUT } from './layout.ts';
import { readMask, type SelectorMask } from './selector-mask.ts';

const MASK_BYTES = 8 * PAL_WORDS;

export type TableMask = 'all' | 'lsb' | 'msb' | 'kill' | 'post' | 'wkill' | 'wdeny';

export function tableMask(table: Buffer, name: TableMask): SelectorMask {
  return readMask(table, TBL_LAYOUT.at[name]);
}

/** Most severe first; classes without selectors are left out. */
export function denyClasses(table: Buffer): readonly { readonly errno: number; readonly selectors: SelectorMask }[] {
  const classes: { errno: number; selectors: SelectorMask }[] = [];
  for (let i = 0; i < DENY_CLASSES; i += 1) {
    const selectors = readMask(table, TBL_LAYOUT.at.deny + i * MASK_BYTES);
    if (selectors !== 0n) classes.push({ errno: table.readInt32LE(TBL_LAYOUT.at.err + 4 * i), selectors });
  }
  return classes;
}

export function planeMasks(table: Buffer, plane: number): PlaneMasks {
  const offset = TBL_LAYOUT.at.pl + plane * PLANE_TBL_LAYOUT.bytes;
  return {
    dontCare: readMask(table, offset + PLANE_TBL_LAYOUT.at.dc),
    invert: readMask(table, offset + PLANE_TBL_LAYOUT.at.inv),
    unknown: readMask(table, offset + PLANE_TBL_LAYOUT.at.unk),
  };
}

export function maskClass(table: Buffer, number: number): { readonly mask: bigint; readonly selectors: SelectorMask } {
  const offset = TBL_LAYOUT.at.cls + number * MASK_CLASS_LAYOUT.bytes;
  return { mask: table.readBigUInt64LE(offset + MASK_CLASS_LAYOUT.at.mask), selectors: readMask(table, offset + MASK_CLASS_LAYOUT.at.sel) };
}

export function selectorAt(
  table: Buffer,
  bit: number,
): { readonly policy: number; readonly selector: number; readonly captureSlots: number; readonly actions: number } {
  const offset = TBL_LAYOUT.at.sel + bit * SEL_LAYOUT.bytes;
  return {
    policy: table.readUInt16LE(offset + SEL_LAYOUT.at.pol),
    selector: table.readUInt16LE(offset + SEL_LAYOUT.at.sel),
    captureSlots: table.readUInt32LE(offset + SEL_LAYOUT.at.cap),
    actions: table.readUInt16LE(offset + SEL_LAYOUT.at.acts),
  };
}
