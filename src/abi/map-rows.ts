/** Rows of the set maps, key and value packed as DATA, NODE and SCOPE carry them. */
import { INT_KEY_LAYOUT, MASK_LAYOUT, PAL_STR_MAX, STR_KEY_LAYOUT, STR_LAYOUT } from './layout.ts';
import { type SelectorMask, writeMask } from './selector-mask.ts';

export const INT_ROW_BYTES = INT_KEY_LAYOUT.bytes + MASK_LAYOUT.bytes;
export const STRING_ROW_BYTES = STR_KEY_LAYOUT.bytes + STR_LAYOUT.bytes;
/** Rows whose key is one u32: scope classes and columns. */
export const INDEX_ROW_BYTES = 4 + MASK_LAYOUT.bytes;

/** `value` is what the engine compares: sign- or zero-extended to 64 bits. */
export function intRow(plane: number, value: bigint, selectors: SelectorMask): Buffer {
  const row = Buffer.alloc(INT_ROW_BYTES);
  row.writeUInt32LE(plane, INT_KEY_LAYOUT.at.plane);
  row.writeBigUInt64LE(BigInt.asUintN(64, value), INT_KEY_LAYOUT.at.v);
  writeMask(row, INT_KEY_LAYOUT.bytes, selectors);
  return row;
}

export type StringNode = {
  readonly plane: number;
  /** Bytes in the order in which they are compared: suffixes are reversed. */
  readonly data: Buffer;
  readonly prefix: SelectorMask;
  readonly equal: SelectorMask;
};

export function stringRow(node: StringNode): Buffer {
  if (node.data.length > PAL_STR_MAX) throw new RangeError(`a string key has at most ${PAL_STR_MAX} bytes`);
  const row = Buffer.alloc(STRING_ROW_BYTES);
  row.writeUInt32LE(8 + 8 * node.data.length, STR_KEY_LAYOUT.at.plen);
  row.writeUInt8(node.plane, STR_KEY_LAYOUT.at.plane);
  node.data.copy(row, STR_KEY_LAYOUT.at.data);
  const value = STR_KEY_LAYOUT.bytes;
  row.writeUInt32LE(node.data.length, value + STR_LAYOUT.at.klen);
  writeMask(row, value + STR_LAYOUT.at.pfx, node.prefix);
  writeMask(row, value + STR_LAYOUT.at.eq, node.equal);
  return row;
}

export function indexRow(index: number, selectors: SelectorMask): Buffer {
  const row = Buffer.alloc(INDEX_ROW_BYTES);
  row.writeUInt32LE(index, 0);
  writeMask(row, 4, selectors);
  return row;
}
