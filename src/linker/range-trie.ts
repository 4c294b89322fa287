/** Ranges of 64-bit numbers as rows of a longest-prefix map. */
import { PAL_RANGE_KEY_BITS } from '../abi/layout.ts';
import type { RangeRow } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

/** Both ends included, unsigned: of signed numbers the top bit is flipped (`rangeKey`). */
export type RangeValue = { readonly min: bigint; readonly max: bigint; readonly selectors: SelectorMask };

type Prefix = { readonly value: bigint; readonly bits: number };

const BITS = BigInt(PAL_RANGE_KEY_BITS);

/** So that numbers sort as unsigned 64-bit ones. */
export function rangeKey(value: bigint, signed: boolean): bigint {
  return signed ? BigInt.asUintN(64, value) ^ (1n << (BITS - 1n)) : value;
}

/** A lookup finds the longest prefix only: a row has the selectors of all prefixes around it as well. */
export function rangeNodes(plane: number, values: readonly RangeValue[]): readonly RangeRow[] {
  const merged = new Map<string, Prefix & { selectors: SelectorMask }>();
  for (const { min, max, selectors } of values) {
    for (const prefix of prefixesOf(min, max)) {
      const key = `${prefix.bits}/${prefix.value}`;
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { ...prefix, selectors });
      else known.selectors |= selectors;
    }
  }
  const sorted = [...merged.values()].toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.bits - b.bits));
  const open: (Prefix & { selectors: SelectorMask })[] = [];
  return sorted.map((prefix) => {
    for (let top = open.at(-1); top !== undefined && !contains(top, prefix); top = open.at(-1)) open.pop();
    const selectors = prefix.selectors | (open.at(-1)?.selectors ?? 0n);
    open.push({ ...prefix, selectors });
    return { plane, bits: prefix.bits, value: prefix.value, selectors };
  });
}

/** At most 126. */
export function* prefixesOf(min: bigint, max: bigint): Generator<Prefix> {
  for (let from = min; from <= max;) {
    // The largest block that begins here and does not reach beyond the end.
    let free = from === 0n ? BITS : trailingZeros(from);
    while ((1n << free) - 1n > max - from) free -= 1n;
    yield { value: from, bits: Number(BITS - free) };
    from += 1n << free;
  }
}

function trailingZeros(value: bigint): bigint {
  let zeros = 0n;
  for (let rest = value; (rest & 1n) === 0n; rest >>= 1n) zeros += 1n;
  return zeros;
}

function contains(outer: Prefix, inner: Prefix): boolean {
  const shift = BigInt(PAL_RANGE_KEY_BITS - outer.bits);
  return outer.bits <= inner.bits && inner.value >> shift === outer.value >> shift;
}
