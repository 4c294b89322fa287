/** Values of Equal and Prefix (and reversed, Postfix) as nodes of longest-prefix maps. */
import { PAL_STR_MAX } from '../abi/layout.ts';
import type { StringRow } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

/** `bytes`: one character per byte (`byteString`). */
export type StringValue = { readonly bytes: string; readonly prefix: SelectorMask; readonly equal: SelectorMask };

/**
 * The nodes of one plane, sorted by bytes. A lookup finds the longest node that begins the text only, so a node's prefix mask holds those
 * of all shorter nodes that begin it as well. What is longer than a key goes on in a plane of its own for every different beginning:
 * `newPlane` gives its number.
 */
export function stringNodes(plane: number, values: readonly StringValue[], newPlane: () => number): readonly StringRow[] {
  return chunkNodes(plane, 0, values, newPlane);
}

function chunkNodes(plane: number, before: number, values: readonly StringValue[], newPlane: () => number): readonly StringRow[] {
  const heads = new Map<string, { prefix: SelectorMask; equal: SelectorMask; longer: StringValue[] }>();
  for (const value of values) {
    const bytes = value.bytes.length > PAL_STR_MAX ? value.bytes.slice(0, PAL_STR_MAX) : value.bytes;
    const head = heads.get(bytes) ?? { prefix: 0n, equal: 0n, longer: [] };
    if (bytes.length < value.bytes.length) head.longer.push({ ...value, bytes: value.bytes.slice(PAL_STR_MAX) });
    else {
      head.prefix |= value.prefix;
      head.equal |= value.equal;
    }
    heads.set(bytes, head);
  }
  const rows: StringRow[] = [];
  const further: StringRow[] = [];
  // In byte order everything that a node begins follows it directly: the open nodes are a stack.
  const open: { bytes: string; prefix: SelectorMask }[] = [];
  for (const bytes of [...heads.keys()].toSorted()) {
    const head = heads.get(bytes);
    if (head === undefined) continue;
    for (let top = open.at(-1); top !== undefined && !bytes.startsWith(top.bytes); top = open.at(-1)) open.pop();
    const prefix = head.prefix | (open.at(-1)?.prefix ?? 0n);
    open.push({ bytes, prefix });
    const next = head.longer.length === 0 ? 0 : newPlane();
    if (next !== 0) further.push(...chunkNodes(next, before + bytes.length, head.longer, newPlane));
    rows.push({ plane, bytes, length: before + bytes.length, next, prefix, equal: head.equal });
  }
  return [...rows, ...further];
}

/** How many nodes they take at most, chunks left out; exact where there are more than `enough`. */
export function countTexts(values: readonly StringValue[], enough: number): number {
  return values.length <= enough ? values.length : new Set(values.map(({ bytes }) => bytes)).size;
}

/** Different beginnings of byte strings that go on in a plane of their own. */
export function chunkHeads(values: readonly string[]): readonly string[] {
  const heads = new Set<string>();
  for (const bytes of values) {
    for (let end = PAL_STR_MAX; end < bytes.length; end += PAL_STR_MAX) heads.add(bytes.slice(0, end));
  }
  return [...heads];
}

/** One character per byte of its UTF-8: such strings sort as bytes do. */
export function byteString(text: string): string {
  // As many bytes as characters: plain ASCII, which is most of what is compared.
  return Buffer.byteLength(text, 'utf8') === text.length ? text : Buffer.from(text, 'utf8').toString('latin1');
}

export function reversed(bytes: string): string {
  let result = '';
  for (let i = bytes.length - 1; i >= 0; i -= 1) result += bytes[i];
  return result;
}
