/** Networks as rows of a longest-prefix map. */
import type { AddressRow } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';
import type { Network } from '../policy/addresses.ts';

export type NetworkValue = { readonly network: Network; readonly selectors: SelectorMask };

const FAMILIES = [4, 6] as const;

/**
 * A lookup finds the longest prefix only: a row has the selectors of all networks around it as well. Every family that has a network has a
 * row of 0 bits, so that an address outside of all networks still tells who named its family.
 */
export function addressNodes(plane: number, values: readonly NetworkValue[]): readonly AddressRow[] {
  return FAMILIES.flatMap((family) =>
    familyNodes(
      plane,
      family,
      values.filter(({ network }) => familyOf(network.bytes) === family),
    ),
  );
}

export function familyOf(address: Uint8Array): 4 | 6 {
  return address.length === 4 ? 4 : 6;
}

function familyNodes(plane: number, family: 4 | 6, values: readonly NetworkValue[]): readonly AddressRow[] {
  if (values.length === 0) return [];
  const known = values.reduce((mask, { selectors }) => mask | selectors, 0n);
  const root: Network = { bytes: new Uint8Array(family === 4 ? 4 : 16), prefixBits: 0 };
  const merged = new Map<string, { network: Network; selectors: SelectorMask }>();
  for (const { network, selectors } of [{ network: root, selectors: 0n }, ...values]) {
    const key = `${Buffer.from(network.bytes).toString('hex')}/${String(network.prefixBits).padStart(3, '0')}`;
    merged.set(key, { network, selectors: (merged.get(key)?.selectors ?? 0n) | selectors });
  }
  const open: { network: Network; selectors: SelectorMask }[] = [];
  return [...merged]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => {
      for (let top = open.at(-1); top !== undefined && !isInside(entry.network, top.network); top = open.at(-1)) open.pop();
      const hit = entry.selectors | (open.at(-1)?.selectors ?? 0n);
      open.push({ network: entry.network, selectors: hit });
      return { plane, family, bits: entry.network.prefixBits, address: entry.network.bytes, hit, known };
    });
}

function isInside(inner: Network, outer: Network): boolean {
  if (inner.prefixBits < outer.prefixBits) return false;
  const whole = Math.floor(outer.prefixBits / 8);
  const rest = outer.prefixBits % 8;
  for (let i = 0; i < whole; i += 1) if (inner.bytes[i] !== outer.bytes[i]) return false;
  return rest === 0 || (((inner.bytes[whole] ?? 0) ^ (outer.bytes[whole] ?? 0)) & (0xff << (8 - rest))) === 0;
}
