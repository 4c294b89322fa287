/** What filters ask of one plane, by the structure that holds it. */
import {
  PAL_K_AC,
  PAL_K_ADDR,
  PAL_K_CEL,
  PAL_K_COL,
  PAL_K_GAIN,
  PAL_K_HASH,
  PAL_K_MASK,
  PAL_K_RANGE,
  PAL_K_SCOPE,
  PAL_K_STR,
  PAL_K_SUFFIX,
  PAL_K_XCOL,
} from '../abi/layout.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';
import type { Network } from '../policy/addresses.ts';
import type { NetworkValue } from './address-trie.ts';
import type { RangeValue } from './range-trie.ts';
import type { StringValue } from './string-trie.ts';
import { bytesOf, countBytes, MAX_PATTERN_BYTES } from './substring-automaton.ts';

/** What a plane looks at. `slot` only with PAL_P_SLOT. */
export type PlaneValue = {
  readonly source: number;
  readonly slot: number;
  readonly field: number;
  readonly storage: 'task' | 'scalar' | 'memory';
};

/** Strings are byte strings; suffixes are reversed already, and folded substrings are in lower case. */
export type FilterData =
  | { readonly kind: 'ints'; readonly values: readonly bigint[] }
  /** Unsigned, see `rangeKeys`. */
  | { readonly kind: 'ranges'; readonly ranges: readonly (readonly [min: bigint, max: bigint])[] }
  | { readonly kind: 'strings'; readonly equal: readonly string[]; readonly prefixes: readonly string[] }
  | { readonly kind: 'suffixes'; readonly reversed: readonly string[] }
  | { readonly kind: 'substrings'; readonly folded: 'exact' | 'folded'; readonly values: readonly string[] }
  | { readonly kind: 'networks'; readonly networks: readonly Network[] }
  | { readonly kind: 'mask'; readonly mask: bigint }
  /** The plane says yes or no to all its selectors alike. `nodes`: of the expression. */
  | { readonly kind: 'gain' }
  | { readonly kind: 'cel'; readonly nodes: number }
  /** Number of a node-wide set; null: an empty one. `first`: the columns that today's engine walks. */
  | { readonly kind: 'set'; readonly number: number | null; readonly table: 'first' | 'further' }
  /** Rows are those of scope classes. */
  | { readonly kind: 'scope' };

/** Everything that one plane holds. Only the members of its kind are in use. */
export type PlaneContent = {
  readonly ints: Map<bigint, SelectorMask>;
  readonly ranges: RangeValue[];
  readonly strings: StringValue[];
  readonly substrings: Map<string, SelectorMask>;
  /** Bytes of the substrings, as a set. */
  bytes: bigint;
  readonly networks: NetworkValue[];
  readonly masks: Map<bigint, SelectorMask>;
  readonly sets: Map<number, SelectorMask>;
  nodes: number;
};

/** Distinct masks in one plane; more open another one. */
const MASKS_PER_PLANE = 16;

export function emptyContent(): PlaneContent {
  return {
    ints: new Map(),
    ranges: [],
    strings: [],
    substrings: new Map(),
    bytes: 0n,
    networks: [],
    masks: new Map(),
    sets: new Map(),
    nodes: 0,
  };
}

/** Substrings with and without case take automata of their own. */
export function structureOf(data: FilterData): { readonly kind: number; readonly variant: string } {
  switch (data.kind) {
    case 'ints':
      return { kind: PAL_K_HASH, variant: '' };
    case 'ranges':
      return { kind: PAL_K_RANGE, variant: '' };
    case 'strings':
      return { kind: PAL_K_STR, variant: '' };
    case 'suffixes':
      return { kind: PAL_K_SUFFIX, variant: '' };
    case 'substrings':
      return { kind: PAL_K_AC, variant: data.folded };
    case 'networks':
      return { kind: PAL_K_ADDR, variant: '' };
    case 'mask':
      return { kind: PAL_K_MASK, variant: '' };
    case 'gain':
      return { kind: PAL_K_GAIN, variant: '' };
    case 'cel':
      return { kind: PAL_K_CEL, variant: '' };
    case 'set':
      return { kind: data.table === 'first' ? PAL_K_COL : PAL_K_XCOL, variant: '' };
    case 'scope':
      return { kind: PAL_K_SCOPE, variant: '' };
  }
}

export function hasRoom(content: PlaneContent, data: FilterData): boolean {
  if (data.kind === 'mask') return content.masks.has(data.mask) || content.masks.size < MASKS_PER_PLANE;
  if (data.kind === 'substrings') return countBytes(content.bytes | bytesOf(data.values)) <= MAX_PATTERN_BYTES;
  return true;
}

export function addData(content: PlaneContent, bit: SelectorMask, data: FilterData): void {
  switch (data.kind) {
    case 'ints':
      for (const value of data.values) addTo(content.ints, value, bit);
      return;
    case 'ranges':
      for (const [min, max] of data.ranges) content.ranges.push({ min, max, selectors: bit });
      return;
    case 'strings':
      for (const bytes of data.equal) content.strings.push({ bytes, prefix: 0n, equal: bit });
      for (const bytes of data.prefixes) content.strings.push({ bytes, prefix: bit, equal: 0n });
      return;
    case 'suffixes':
      for (const bytes of data.reversed) content.strings.push({ bytes, prefix: bit, equal: 0n });
      return;
    case 'substrings':
      content.bytes |= bytesOf(data.values);
      for (const value of data.values) addTo(content.substrings, value, bit);
      return;
    case 'networks':
      for (const network of data.networks) content.networks.push({ network, selectors: bit });
      return;
    case 'mask':
      addTo(content.masks, data.mask, bit);
      return;
    case 'set':
      if (data.number !== null) addTo(content.sets, data.number, bit);
      return;
    case 'cel':
      content.nodes = data.nodes;
      return;
    case 'gain':
    case 'scope':
      return;
  }
}

export function addTo<K>(map: Map<K, SelectorMask>, key: K, bit: SelectorMask): void {
  map.set(key, (map.get(key) ?? 0n) | bit);
}
