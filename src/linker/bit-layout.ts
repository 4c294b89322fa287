/** Where the selectors of a hook's members lie in the masks: neighbouring bits in spec order, never across a word. */
import { PAL_SELECTORS } from '../abi/layout.ts';
import { bitMask, bitRange, type SelectorMask } from '../abi/selector-mask.ts';

export type BitLayout = {
  /** First bit of each field, in the order given. */
  readonly firstBits: readonly number[];
  readonly words: number;
  readonly all: SelectorMask;
  /** First and last bit of every field. */
  readonly first: SelectorMask;
  readonly last: SelectorMask;
};

const WORD_BITS = 64;

/** Null: they do not fit. A field goes to the first word that has room, so that small ones fill the gaps of large ones. */
export function layOutBits(counts: readonly number[]): BitLayout | null {
  const used: number[] = [];
  const firstBits: number[] = [];
  let all = 0n;
  let first = 0n;
  let last = 0n;
  for (const count of counts) {
    let word = used.findIndex((bits) => bits + count <= WORD_BITS);
    if (word === -1) {
      word = used.length;
      used.push(0);
    }
    const bit = word * WORD_BITS + (used[word] ?? 0);
    if (count > WORD_BITS || bit + count > PAL_SELECTORS) return null;
    used[word] = (used[word] ?? 0) + count;
    firstBits.push(bit);
    all |= bitRange(bit, count);
    first |= bitMask(bit);
    last |= bitMask(bit + count - 1);
  }
  return { firstBits, words: Math.max(1, used.length), all, first, last };
}
