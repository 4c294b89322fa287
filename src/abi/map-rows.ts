/** Rows of the set maps, key and value packed as DATA, NODE and SCOPE carry them. */
import { INT_KEY_LAYOUT, MASK_LAYOUT, PAL_STR_MAX, STR_KEY_LAYOUT, STR_LAYOUT } from './layout.ts';
import { createMaskWriter, type SelectorMask, writeMask } from './selector-mask.ts';

export const INT_ROW_BYTES = INT_KEY_LAYOUT.bytes + MASK_LAYOUT.bytes;
export const STRING_ROW_BYTES = STR_KEY_LAYOUT.bytes + STR_LAYOUT.bytes;
/** Rows whose key is one u32: scope classes and columns. */
export const INDEX_ROW_BYTES = 4 + MASK_LAYOUT.bytes;

export type IntNode = {
  readonly plane: number;
  /** What the engine compares: sign- or zero-extended to 64 bits. */
  readonly value: bigint;
  readonly selectors: SelectorMask;
};

/** One buffer for all: there may be tens of thousands. */
export function intRows(nodes: readonly IntNode[]): Buffer {
  const rows = Buffer.alloc(nodes.length * INT_ROW_BYTES);
  const writeSelectors = createMaskWriter(rows);
  let row = 0;
  for (const node of nodes) {
    rows.writeUInt32LE(node.plane, row + INT_KEY_LAYOUT.at.plane);
    rows.writeBigUInt64LE(BigInt.asUintN(64, node.value), row + INT_KEY_LAYOUT.at.v);
    writeSelectors(row + INT_KEY_LAYOUT.bytes, node.selectors);
    row += INT_ROW_BYTES;
  }
  return rows;
}

export type StringNode = {
  readonly plane: number;
  /** Bytes in the order in which they are compared: suffixes are reversed. */
  readonly data: Buffer;
  readonly prefix: SelectorMask;
  readonly equal: SelectorMask;
};

export function stringRows(nodes: readonly StringNode[]): Buffer {
  const rows = Buffer.alloc(nodes.length * STRING_ROW_BYTES);
  const writePrefix = createMaskWriter(rows);
  const writeEqual = createMaskWriter(rows);
  let row = 0;
  for (const { plane, data, prefix, equal } of nodes) {
    if (data.length > PAL_STR_MAX) throw new RangeError(`a string key has at most ${PAL_STR_MAX} bytes`);
    rows.writeUInt32LE(8 + 8 * data.length, row + STR_KEY_LAYOUT.at.plen);
    rows.writeUInt8(plane, row + STR_KEY_LAYOUT.at.plane);
    rows.set(data, row + STR_KEY_LAYOUT.at.data);
    const value = row + STR_KEY_LAYOUT.bytes;
    rows.writeUInt32LE(data.length, value + STR_LAYOUT.at.klen);
    writePrefix(value + STR_LAYOUT.at.pfx, prefix);
    writeEqual(value + STR_LAYOUT.at.eq, equal);
    row += STRING_ROW_BYTES;
  }
  return rows;
}

export function indexRow(index: number, selectors: SelectorMask): Buffer {
  const row = Buffer.alloc(INDEX_ROW_BYTES);
  row.writeUInt32LE(index, 0);
  writeMask(row, 4, selectors);
  return row;
}
