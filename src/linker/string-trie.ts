/** Values of Equal and Prefix (and reversed, Postfix) of one plane as nodes of a longest-prefix map. */
import type { StringNode } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

export type StringValue = { readonly bytes: Buffer; readonly prefix: SelectorMask; readonly equal: SelectorMask };

/**
 * One node per distinct value, sorted by bytes. A lookup finds the longest node that begins the text only, so a node's prefix mask holds
 * those of all shorter nodes that begin it as well.
 */
export function stringNodes(plane: number, values: Iterable<StringValue>): readonly StringNode[] {
  const merged = new Map<string, { data: Buffer; prefix: SelectorMask; equal: SelectorMask }>();
  for (const value of values) {
    const key = value.bytes.toString('latin1');
    const node = merged.get(key) ?? { data: value.bytes, prefix: 0n, equal: 0n };
    merged.set(key, { data: node.data, prefix: node.prefix | value.prefix, equal: node.equal | value.equal });
  }
  const sorted = [...merged.values()].toSorted((a, b) => Buffer.compare(a.data, b.data));
  // In byte order everything that a node begins follows it directly: the open nodes are a stack.
  const open: { data: Buffer; prefix: SelectorMask }[] = [];
  return sorted.map((node) => {
    for (let top = open.at(-1); top !== undefined && !begins(top.data, node.data); top = open.at(-1)) open.pop();
    const prefix = node.prefix | (open.at(-1)?.prefix ?? 0n);
    open.push({ data: node.data, prefix });
    return { plane, data: node.data, prefix, equal: node.equal };
  });
}

export function reversed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toReversed());
}

function begins(prefix: Buffer, text: Buffer): boolean {
  return prefix.length <= text.length && prefix.equals(text.subarray(0, prefix.length));
}
