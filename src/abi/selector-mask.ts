/** A mask of up to 256 selectors of one hook: bit i is selector i. In memory a bigint, in tables four little-endian 64-bit words. */
import { MASK_LAYOUT, PAL_SELECTORS, PAL_WORDS } from './layout.ts';

export type SelectorMask = bigint;

export const EMPTY_MASK: SelectorMask = 0n;
const WORD = 0xffff_ffff_ffff_ffffn;

export function bitMask(bit: number): SelectorMask {
  return 1n << BigInt(bit);
}

/** `count` bits from `first` on. */
export function bitRange(first: number, count: number): SelectorMask {
  return ((1n << BigInt(count)) - 1n) << BigInt(first);
}

export function hasBit(mask: SelectorMask, bit: number): boolean {
  return ((mask >> BigInt(bit)) & 1n) === 1n;
}

export function* bitsOf(mask: SelectorMask): Generator<number> {
  for (let bit = 0, rest = mask; rest !== 0n; bit += 1, rest >>= 1n) {
    if ((rest & 1n) === 1n) yield bit;
  }
}

export function writeMask(bytes: Buffer, offset: number, mask: SelectorMask): void {
  if (mask < 0n || mask >> BigInt(PAL_SELECTORS) !== 0n) throw new RangeError(`a selector mask has ${PAL_SELECTORS} bits`);
  for (let word = 0; word < PAL_WORDS; word += 1) {
    bytes.writeBigUInt64LE((mask >> BigInt(64 * word)) & WORD, offset + 8 * word);
  }
}

export function readMask(bytes: Buffer, offset: number): SelectorMask {
  let mask = 0n;
  for (let word = PAL_WORDS - 1; word >= 0; word -= 1) mask = (mask << 64n) | bytes.readBigUInt64LE(offset + 8 * word);
  return mask;
}

/** `struct pal_mask`. */
export function maskBytes(mask: SelectorMask): Buffer {
  const bytes = Buffer.alloc(MASK_LAYOUT.bytes);
  writeMask(bytes, 0, mask);
  return bytes;
}

/** Writes masks into a buffer of zeros. Rows that follow each other mostly have the same mask, which is encoded once. */
export function createMaskWriter(zeros: Buffer): (offset: number, mask: SelectorMask) => void {
  let last = EMPTY_MASK;
  let encoded = maskBytes(last);
  return (offset, mask) => {
    if (mask === EMPTY_MASK) return;
    if (mask !== last) encoded = maskBytes(mask);
    last = mask;
    zeros.set(encoded, offset);
  };
}
