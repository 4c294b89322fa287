/** Rows of the set maps, key and value packed as DATA, NODE and SCOPE carry them. Many rows are written at once, into one buffer. */
import {
  AC_CLASSES_LAYOUT,
  AC_STATE_LAYOUT,
  ADDR_KEY_LAYOUT,
  ADDR_LAYOUT,
  CEL_NODE_LAYOUT,
  INT_KEY_LAYOUT,
  MASK_LAYOUT,
  PAL_AC_CLASSES,
  PAL_STR_MAX,
  PID_KEY_LAYOUT,
  RNG_KEY_LAYOUT,
  STR_KEY_LAYOUT,
  STR_LAYOUT,
} from './layout.ts';
import { maskBytes, type SelectorMask } from './selector-mask.ts';

export const INT_ROW_BYTES = INT_KEY_LAYOUT.bytes + MASK_LAYOUT.bytes;
export const RANGE_ROW_BYTES = RNG_KEY_LAYOUT.bytes + MASK_LAYOUT.bytes;
export const STRING_ROW_BYTES = STR_KEY_LAYOUT.bytes + STR_LAYOUT.bytes;
export const ADDRESS_ROW_BYTES = ADDR_KEY_LAYOUT.bytes + ADDR_LAYOUT.bytes;
export const AC_STATE_ROW_BYTES = 4 + AC_STATE_LAYOUT.bytes;
export const AC_CLASS_ROW_BYTES = 4 + AC_CLASSES_LAYOUT.bytes;
export const CEL_ROW_BYTES = 4 + CEL_NODE_LAYOUT.bytes;
export const PID_ROW_BYTES = PID_KEY_LAYOUT.bytes + MASK_LAYOUT.bytes;
/** Rows whose key is one u32: scope classes and columns. */
export const INDEX_ROW_BYTES = 4 + MASK_LAYOUT.bytes;

/** `value` is what the engine compares: sign- or zero-extended to 64 bits. */
export type IntRow = { readonly plane: number; readonly value: bigint; readonly selectors: SelectorMask };

export function intRows(rows: readonly IntRow[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, INT_ROW_BYTES, (bytes, offset, row) => {
    bytes.writeUInt32LE(row.plane, offset + INT_KEY_LAYOUT.at.plane);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, row.value), offset + INT_KEY_LAYOUT.at.v);
    masks.copy(row.selectors, bytes, offset + INT_KEY_LAYOUT.bytes);
  });
}

/** `bits` leading bits of `value`, which is unsigned: the top bit of signed values is flipped already. */
export type RangeRow = { readonly plane: number; readonly bits: number; readonly value: bigint; readonly selectors: SelectorMask };

export function rangeRows(rows: readonly RangeRow[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, RANGE_ROW_BYTES, (bytes, offset, row) => {
    bytes.writeUInt32LE(32 + row.bits, offset + RNG_KEY_LAYOUT.at.plen);
    bytes.writeUInt32LE(row.plane, offset + RNG_KEY_LAYOUT.at.plane);
    bytes.writeBigUInt64BE(row.value, offset + RNG_KEY_LAYOUT.at.v);
    masks.copy(row.selectors, bytes, offset + RNG_KEY_LAYOUT.bytes);
  });
}

export type StringRow = {
  readonly plane: number;
  /** One character per byte, in the order in which they are compared: suffixes are reversed. */
  readonly bytes: string;
  /** Of the value so far: longer than `bytes` in further chunks. */
  readonly length: number;
  /** Plane of the chunk that follows; 0: none. */
  readonly next: number;
  readonly prefix: SelectorMask;
  readonly equal: SelectorMask;
};

export function stringRows(rows: readonly StringRow[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, STRING_ROW_BYTES, (bytes, offset, row) => {
    if (row.bytes.length > PAL_STR_MAX) throw new RangeError(`a string key has at most ${PAL_STR_MAX} bytes`);
    bytes.writeUInt32LE(8 + 8 * row.bytes.length, offset + STR_KEY_LAYOUT.at.plen);
    bytes.writeUInt8(row.plane, offset + STR_KEY_LAYOUT.at.plane);
    bytes.write(row.bytes, offset + STR_KEY_LAYOUT.at.data, 'latin1');
    const value = offset + STR_KEY_LAYOUT.bytes;
    bytes.writeUInt32LE(row.length, value + STR_LAYOUT.at.klen);
    bytes.writeUInt32LE(row.next, value + STR_LAYOUT.at.next);
    masks.copy(row.prefix, bytes, value + STR_LAYOUT.at.pfx);
    masks.copy(row.equal, bytes, value + STR_LAYOUT.at.eq);
  });
}

/** `bits` leading bits of `address`. */
export type AddressRow = {
  readonly plane: number;
  readonly family: 4 | 6;
  readonly bits: number;
  readonly address: Uint8Array;
  readonly hit: SelectorMask;
  readonly known: SelectorMask;
};

export function addressRows(rows: readonly AddressRow[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, ADDRESS_ROW_BYTES, (bytes, offset, row) => {
    bytes.writeUInt32LE(32 + row.bits, offset + ADDR_KEY_LAYOUT.at.plen);
    bytes.writeUInt16LE(row.plane, offset + ADDR_KEY_LAYOUT.at.plane);
    bytes.writeUInt16LE(row.family, offset + ADDR_KEY_LAYOUT.at.family);
    bytes.set(row.address, offset + ADDR_KEY_LAYOUT.at.addr);
    masks.copy(row.hit, bytes, offset + ADDR_KEY_LAYOUT.bytes + ADDR_LAYOUT.at.hit);
    masks.copy(row.known, bytes, offset + ADDR_KEY_LAYOUT.bytes + ADDR_LAYOUT.at.fam);
  });
}

/** `next`: PAL_AC_CLASSES states for each state, one after the other; `outputs`: by state. */
export function automatonRows(next: Uint16Array, outputs: readonly SelectorMask[]): Buffer {
  const masks = createMaskCache();
  return packRows(outputs, AC_STATE_ROW_BYTES, (bytes, offset, out, state) => {
    bytes.writeUInt32LE(state, offset);
    for (let i = 0; i < PAL_AC_CLASSES; i += 1) {
      bytes.writeUInt16LE(next[state * PAL_AC_CLASSES + i] ?? 0, offset + 4 + AC_STATE_LAYOUT.at.next + 2 * i);
    }
    masks.copy(out, bytes, offset + 4 + AC_STATE_LAYOUT.at.out);
  });
}

/** One row of 256 byte classes for each automaton. */
export function byteClassRows(automata: readonly Uint8Array[]): Buffer {
  return packRows(automata, AC_CLASS_ROW_BYTES, (bytes, offset, classes, number) => {
    bytes.writeUInt32LE(number, offset);
    bytes.set(classes, offset + 4);
  });
}

/** `struct pal_cel_node`. */
export type CelRow = {
  readonly index: number;
  readonly op: number;
  readonly type: number;
  readonly left: number;
  readonly right: number;
  readonly value: bigint;
};

export function celRows(rows: readonly CelRow[]): Buffer {
  const at = CEL_NODE_LAYOUT.at;
  return packRows(rows, CEL_ROW_BYTES, (bytes, offset, row) => {
    bytes.writeUInt32LE(row.index, offset);
    bytes.writeUInt8(row.op, offset + 4 + at.op);
    bytes.writeUInt8(row.type, offset + 4 + at.type);
    bytes.writeUInt8(row.left, offset + 4 + at.left);
    bytes.writeUInt8(row.right, offset + 4 + at.right);
    bytes.writeBigUInt64LE(BigInt.asUintN(64, row.value), offset + 4 + at.v);
  });
}

/** Sets by process id. `space`: PAL_PID_*. */
export type PidRow = { readonly pid: number; readonly space: number; readonly sets: SelectorMask };

export function pidRows(rows: readonly PidRow[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, PID_ROW_BYTES, (bytes, offset, row) => {
    bytes.writeUInt32LE(row.pid, offset + PID_KEY_LAYOUT.at.pid);
    bytes.writeUInt32LE(row.space, offset + PID_KEY_LAYOUT.at.space);
    masks.copy(row.sets, bytes, offset + PID_KEY_LAYOUT.bytes);
  });
}

/** Rows of a number and a mask: scope classes and columns. */
export function indexRows(rows: readonly (readonly [index: number, mask: SelectorMask])[]): Buffer {
  const masks = createMaskCache();
  return packRows(rows, INDEX_ROW_BYTES, (bytes, offset, [index, mask]) => {
    bytes.writeUInt32LE(index, offset);
    masks.copy(mask, bytes, offset + 4);
  });
}

export function indexRow(index: number, selectors: SelectorMask): Buffer {
  return indexRows([[index, selectors]]);
}

function packRows<T>(rows: readonly T[], rowBytes: number, write: (bytes: Buffer, offset: number, row: T, index: number) => void): Buffer {
  const bytes = Buffer.alloc(rows.length * rowBytes);
  rows.forEach((row, i) => write(bytes, i * rowBytes, row, i));
  return bytes;
}

/** Thousands of rows share a few masks: each is turned into bytes once. */
function createMaskCache(): { copy(mask: SelectorMask, target: Buffer, offset: number): void } {
  const known = new Map<SelectorMask, Buffer>();
  return {
    copy(mask, target, offset) {
      if (mask === 0n) return;
      let bytes = known.get(mask);
      if (bytes === undefined) {
        bytes = maskBytes(mask);
        known.set(mask, bytes);
      }
      target.set(bytes, offset);
    },
  };
}
