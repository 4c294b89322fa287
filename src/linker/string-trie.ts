/** Values of Equal and Prefix (and reversed, Postfix) of one plane as nodes of a longest-prefix map. */
import type { StringNode } from '../abi/map-rows.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

export type StringValue = { readonly bytes: Buffer; readonly prefix: SelectorMask; readonly equal: SelectorMask };

/**
 * One node per distinct value, sorted by bytes. A lookup finds the longest node that begins the text only, so a node's prefix mask holds
 * those of all shorter nodes that begin it as well.
 */
export function stringNodes(plane: number, values: readonly StringValue[]): readonly StringNode[] {
  const nodes: StringNode[] = [];
  // In byte order everything that a node begins follows it directly: the open nodes are a stack.
  const open: { readonly data: Buffer; readonly prefix: SelectorMask }[] = [];
  for (const { bytes, prefix, equal } of sortedByBytes(values)) {
    for (let top = open.at(-1); top !== undefined && !begins(top.data, bytes); top = open.at(-1)) open.pop();
    const inherited = prefix | (open.at(-1)?.prefix ?? 0n);
    const before = nodes.at(-1);
    const same = before?.data.length === bytes.length && before.data.equals(bytes) ? nodes.pop() : undefined;
    const node = { plane, data: bytes, prefix: inherited | (same?.prefix ?? 0n), equal: equal | (same?.equal ?? 0n) };
    if (prefix !== 0n) open.push(node);
    nodes.push(node);
  }
  return nodes;
}

export function reversed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toReversed());
}

/** Plans have their values in this order already; only those of several filters, and reversed ones, have not. */
function sortedByBytes(values: readonly StringValue[]): readonly StringValue[] {
  const isSorted = values.every((value, i) => i === 0 || Buffer.compare(values[i - 1]?.bytes ?? value.bytes, value.bytes) <= 0);
  if (isSorted) return values;
  // One letter per byte: such texts are compared in the order of their bytes, and faster than buffers.
  const keyed = values.map((value) => ({ key: value.bytes.toString('latin1'), value }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ value }) => value);
}

function begins(prefix: Buffer, text: Buffer): boolean {
  return prefix.length <= text.length && text.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
