/** The maps of one linked hook as the kernel would look them up, read from the bytes that the loader gets. */
import { readPlanes, type PlaneFields, readSlot, type SlotFields } from '../../abi/hook-config.ts';
import {
  ADDR_KEY_LAYOUT,
  ADDR_LAYOUT,
  AC_STATE_LAYOUT,
  CEL_NODE_LAYOUT,
  CFG_LAYOUT,
  INT_KEY_LAYOUT,
  PAL_AC_CLASSES,
  PAL_CEL_NODES,
  PAL_STR_MAX,
  PID_KEY_LAYOUT,
  RNG_KEY_LAYOUT,
  STR_KEY_LAYOUT,
  STR_LAYOUT,
} from '../../abi/layout.ts';
import {
  AC_CLASS_ROW_BYTES,
  AC_STATE_ROW_BYTES,
  ADDRESS_ROW_BYTES,
  CEL_ROW_BYTES,
  INDEX_ROW_BYTES,
  INT_ROW_BYTES,
  PID_ROW_BYTES,
  RANGE_ROW_BYTES,
  STRING_ROW_BYTES,
} from '../../abi/map-rows.ts';
import { readMask, type SelectorMask } from '../../abi/selector-mask.ts';
import type { LinkedHook } from '../linked-node.ts';

export type StringNode = { readonly length: number; readonly next: number; readonly prefix: SelectorMask; readonly equal: SelectorMask };
export type AddressNode = { readonly hit: SelectorMask; readonly known: SelectorMask };
export type CelNode = { readonly op: number; readonly type: number; readonly left: number; readonly right: number; readonly value: bigint };

export type ModelTables = {
  readonly planes: readonly PlaneFields[];
  readonly slots: readonly SlotFields[];
  int(plane: number, value: bigint): SelectorMask;
  /** The longest prefix of the 64-bit key. */
  range(plane: number, key: bigint): SelectorMask;
  /** The longest node that begins the text; null: none does. */
  readonly string: (plane: number, text: Buffer) => (StringNode & { readonly bytes: number }) | null;
  address(plane: number, family: number, address: Uint8Array): AddressNode | null;
  column(table: 'cols' | 'xcols', index: number): SelectorMask;
  byteClass(automaton: number, byte: number): number;
  /** As stored, with PAL_AC_OUT. */
  nextState(state: number, byteClass: number): number;
  outputs(state: number): SelectorMask;
  cel(expression: number, nodes: number): readonly CelNode[];
};

export function openTables(hook: LinkedHook): ModelTables {
  const ints = new Map<string, SelectorMask>();
  for (const at of rowsOf(hook.rows.ints, INT_ROW_BYTES)) {
    ints.set(
      `${hook.rows.ints.readUInt32LE(at)}/${hook.rows.ints.readBigUInt64LE(at + INT_KEY_LAYOUT.at.v)}`,
      readMask(hook.rows.ints, at + INT_KEY_LAYOUT.bytes),
    );
  }
  const ranges = readPrefixes(hook.further.rng, RANGE_ROW_BYTES, (rows, at) => ({
    space: String(rows.readUInt32LE(at + RNG_KEY_LAYOUT.at.plane)),
    bits: rows.readUInt32LE(at) - 32,
    key: rows.subarray(at + RNG_KEY_LAYOUT.at.v, at + RNG_KEY_LAYOUT.at.v + 8),
    value: readMask(rows, at + RNG_KEY_LAYOUT.bytes),
  }));
  const addresses = readPrefixes(hook.further.addr, ADDRESS_ROW_BYTES, (rows, at) => {
    const start = at + ADDR_KEY_LAYOUT.at.addr;
    const family = rows.readUInt16LE(at + ADDR_KEY_LAYOUT.at.family);
    const value = at + ADDR_KEY_LAYOUT.bytes;
    return {
      space: `${rows.readUInt16LE(at + ADDR_KEY_LAYOUT.at.plane)}/${family}`,
      bits: rows.readUInt32LE(at) - 32,
      key: rows.subarray(start, start + (family === 4 ? 4 : 16)),
      value: { hit: readMask(rows, value + ADDR_LAYOUT.at.hit), known: readMask(rows, value + ADDR_LAYOUT.at.fam) },
    };
  });
  const strings = openStrings(hook.rows.strs);
  const columns = { cols: indexed(hook.rows.cols), xcols: indexed(hook.further.xcols) };
  const { ac, accls, cel } = hook.further;
  const slotCount = hook.config.readUInt32LE(CFG_LAYOUT.at.nslots);
  return {
    planes: readPlanes(hook.config),
    slots: Array.from({ length: slotCount }, (_, i) => readSlot(hook.config, i)),
    int: (plane, value) => ints.get(`${plane}/${BigInt.asUintN(64, value)}`) ?? 0n,
    range(plane, key) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(key);
      return ranges(String(plane), bytes) ?? 0n;
    },
    string: strings,
    address: (plane, family, address) => addresses(`${plane}/${family}`, address),
    column: (table, index) => columns[table].get(index) ?? 0n,
    byteClass: (automaton, byte) => accls.readUInt8(automaton * AC_CLASS_ROW_BYTES + 4 + byte),
    nextState: (state, byteClass) => {
      if (byteClass >= PAL_AC_CLASSES) throw new RangeError(`byte class ${byteClass}`);
      return ac.readUInt16LE(state * AC_STATE_ROW_BYTES + 4 + AC_STATE_LAYOUT.at.next + 2 * byteClass);
    },
    outputs: (state) => readMask(ac, state * AC_STATE_ROW_BYTES + 4 + AC_STATE_LAYOUT.at.out),
    cel: (expression, nodes) =>
      rowsOf(cel, CEL_ROW_BYTES)
        .filter((at) => Math.floor(cel.readUInt32LE(at) / PAL_CEL_NODES) === expression)
        .map((at) => celNode(cel, at + 4))
        .slice(0, nodes),
  };
}

/** What the map of sets by path, and that by process id, answer. */
export function openStrings(rows: Buffer): (plane: number, text: Buffer) => (StringNode & { readonly bytes: number }) | null {
  const nodes = new Map<string, StringNode>();
  const lengths = new Map<number, Set<number>>();
  for (const at of rowsOf(rows, STRING_ROW_BYTES)) {
    const plane = rows.readUInt8(at + STR_KEY_LAYOUT.at.plane);
    const length = (rows.readUInt32LE(at) - 8) / 8;
    const data = rows.toString('latin1', at + STR_KEY_LAYOUT.at.data, at + STR_KEY_LAYOUT.at.data + length);
    const value = at + STR_KEY_LAYOUT.bytes;
    nodes.set(`${plane}/${data}`, {
      length: rows.readUInt32LE(value + STR_LAYOUT.at.klen),
      next: rows.readUInt32LE(value + STR_LAYOUT.at.next),
      prefix: readMask(rows, value + STR_LAYOUT.at.pfx),
      equal: readMask(rows, value + STR_LAYOUT.at.eq),
    });
    lengths.set(plane, (lengths.get(plane) ?? new Set()).add(length));
  }
  return (plane, text) => {
    const longestFirst = [...(lengths.get(plane) ?? [])].filter((length) => length <= text.length).toSorted((a, b) => b - a);
    for (const length of longestFirst) {
      const node = nodes.get(`${plane}/${text.toString('latin1', 0, length)}`);
      if (node !== undefined) return { ...node, bytes: length };
    }
    return null;
  };
}

/** What a text hits, from its first 255 bytes on through the planes of further chunks. */
export function walkChunks(find: ModelTables['string'], plane: number, text: Buffer): SelectorMask {
  let hit = 0n;
  let rest = text;
  let chunk = plane;
  for (;;) {
    const node = find(chunk, rest.subarray(0, PAL_STR_MAX));
    if (node === null) return hit;
    hit |= node.prefix;
    if (node.length === text.length) hit |= node.equal;
    if (node.next === 0 || node.bytes < PAL_STR_MAX) return hit;
    chunk = node.next;
    rest = rest.subarray(PAL_STR_MAX);
  }
}

/** Sets by process id. */
export function openPids(rows: Buffer): (space: number, pid: number) => SelectorMask {
  const sets = new Map<string, SelectorMask>();
  for (const at of rowsOf(rows, PID_ROW_BYTES)) {
    const key = `${rows.readUInt32LE(at + PID_KEY_LAYOUT.at.space)}/${rows.readUInt32LE(at + PID_KEY_LAYOUT.at.pid)}`;
    sets.set(key, readMask(rows, at + PID_KEY_LAYOUT.bytes));
  }
  return (space, pid) => sets.get(`${space}/${pid}`) ?? 0n;
}

type Prefix<T> = { readonly space: string; readonly bits: number; readonly key: Uint8Array; readonly value: T };

/** A longest-prefix map: of the rows that begin the key, the one with most bits. */
function readPrefixes<T>(
  rows: Buffer,
  rowBytes: number,
  read: (rows: Buffer, at: number) => Prefix<T>,
): (space: string, key: Uint8Array) => T | null {
  const bySpace = Map.groupBy(
    rowsOf(rows, rowBytes).map((at) => read(rows, at)),
    (prefix) => prefix.space,
  );
  return (space, key) => {
    let best: Prefix<T> | null = null;
    for (const prefix of bySpace.get(space) ?? []) {
      if (begins(prefix, key) && (best === null || prefix.bits > best.bits)) best = prefix;
    }
    return best?.value ?? null;
  };
}

function begins({ bits, key: wanted }: Prefix<unknown>, key: Uint8Array): boolean {
  for (let i = 0; i < Math.ceil(bits / 8); i += 1) {
    const mask = Math.min(8, bits - 8 * i);
    if ((((wanted[i] ?? 0) ^ (key[i] ?? 0)) & (0xff00 >> mask) & 0xff) !== 0) return false;
  }
  return true;
}

function indexed(rows: Buffer): ReadonlyMap<number, SelectorMask> {
  return new Map(rowsOf(rows, INDEX_ROW_BYTES).map((at) => [rows.readUInt32LE(at), readMask(rows, at + 4)]));
}

function rowsOf(rows: Buffer, rowBytes: number): number[] {
  if (rows.length % rowBytes !== 0) throw new RangeError(`${rows.length} bytes are no whole number of rows of ${rowBytes}`);
  return Array.from({ length: rows.length / rowBytes }, (_, i) => i * rowBytes);
}

function celNode(rows: Buffer, at: number): CelNode {
  return {
    op: rows.readUInt8(at + CEL_NODE_LAYOUT.at.op),
    type: rows.readUInt8(at + CEL_NODE_LAYOUT.at.type),
    left: rows.readUInt8(at + CEL_NODE_LAYOUT.at.left),
    right: rows.readUInt8(at + CEL_NODE_LAYOUT.at.right),
    value: rows.readBigUInt64LE(at + CEL_NODE_LAYOUT.at.v),
  };
}
