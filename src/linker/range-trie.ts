/** Ranges of 64-bit numbers as rows of a longest-prefix map. */
import { PAL_RANGE_KEY_BITS } from '../abi/layout.ts';
import type { RangeRow } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

/** Both ends included, unsigned: of signed numbers the top bit is flipped (`rangeKeys`). */
export type RangeValue = { readonly min: bigint; readonly max: bigint; readonly selectors: SelectorMask };

type Prefix = { readonly value: bigint; readonly bits: number };

const BITS = BigInt(PAL_RANGE_KEY_BITS);

/** What a slot can hold: the type of an argument may be known from the kernel alone, and filters may name more. */
export function slotBounds(signed: boolean): { readonly min: bigint; readonly max: bigint } {
  return signed ? { min: -(1n << (BITS - 1n)), max: (1n << (BITS - 1n)) - 1n } : { min: 0n, max: (1n << BITS) - 1n };
}

/** So that numbers sort as unsigned 64-bit ones; null: the slot holds none of the range. */
export function rangeKeys(first: bigint, last: bigint, signed: boolean): readonly [min: bigint, max: bigint] | null {
  const { min, max } = slotBounds(signed);
  const [from, to] = [first < min ? min : first, last > max ? max : last];
  return from > to ? null : [from - min, to - min];
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
