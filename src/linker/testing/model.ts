/**
 * The engine in TypeScript: walks the planes of a linked hook over its configuration, table and map rows, byte for byte as the loader
 * gets them. It knows nothing of plans. Compared with the reference evaluator it proves the linker; compared with the kernel, the engine.
 */
import { readPlanes, type PlaneFields } from '../../abi/hook-config.ts';
import { denyClasses, maskClass, planeMasks, selectorAt, tableMask } from '../../abi/hook-table-reader.ts';
import {
  CFG_LAYOUT,
  INT_KEY_LAYOUT,
  PAL_K_MASK,
  PAL_K_SUFFIX,
  PAL_P_BINARY,
  PAL_P_CAP_EFF,
  PAL_P_CAP_INH,
  PAL_P_CAP_PRM,
  PAL_P_NS,
  PAL_P_SCOPE,
  PAL_P_SLOT,
  PAL_PF_NS_CAP,
  PAL_SF_SIGNED,
  PAL_STR_MAX,
  PAL_SUFFIX_MAX,
  PAL_T_INT,
  PAL_T_STRING,
  SLOT_LAYOUT,
  STR_KEY_LAYOUT,
  STR_LAYOUT,
} from '../../abi/layout.ts';
import { INDEX_ROW_BYTES, INT_ROW_BYTES, STRING_ROW_BYTES } from '../../abi/map-rows.ts';
import { bitsOf, readMask, type SelectorMask } from '../../abi/selector-mask.ts';
import type { LinkedHook } from '../linked-node.ts';

/** What a register or context word leads to. */
export type ModelValue =
  | { readonly kind: 'int'; readonly raw: bigint }
  | { readonly kind: 'bytes'; readonly value: Buffer }
  | { readonly kind: 'null' }
  | { readonly kind: 'unknown' };

export type ModelTask = {
  /** Row of the task's scope class. */
  readonly scopeRow: SelectorMask;
  /** Null: not known. */
  readonly binary: Buffer | null;
  readonly capabilities: { readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint };
  readonly inHostUserNamespace: boolean;
  /** By PAL_NS_*. */
  readonly namespaces: readonly number[];
  readonly exempt: boolean;
};

export type ModelVerdict = {
  readonly matches: readonly { readonly policy: number; readonly selector: number; readonly known: boolean; readonly post: boolean }[];
  readonly errno: number | null;
  readonly kill: boolean;
  readonly wouldKill: SelectorMask;
  readonly wouldDeny: SelectorMask;
};

type Masks = { cand: SelectorMask; known: SelectorMask };
type Hit = SelectorMask | 'unknown';

export function runModel(hook: LinkedHook, binarySets: Buffer, task: ModelTask, registers: readonly ModelValue[]): ModelVerdict {
  const planes = readPlanes(hook.config);
  const all = tableMask(hook.table, 'all');
  const masks: Masks = { cand: all, known: all };
  planes.forEach((plane, index) => {
    if (masks.cand === 0n) return;
    apply(masks, hook.table, index, lookUp(hook, binarySets, plane, index, task, registers));
  });
  return decide(hook.table, masks, task.exempt);
}

function apply(masks: Masks, table: Buffer, plane: number, hit: Hit): void {
  const { dontCare, invert, unknown } = planeMasks(table, plane);
  if (hit === 'unknown') {
    masks.cand &= unknown | dontCare;
    masks.known &= dontCare;
  } else {
    const keep = (hit ^ invert) | dontCare;
    masks.cand &= keep;
    masks.known &= keep;
  }
}

function lookUp(
  hook: LinkedHook,
  binarySets: Buffer,
  plane: PlaneFields,
  index: number,
  task: ModelTask,
  registers: readonly ModelValue[],
): Hit {
  switch (plane.source) {
    case PAL_P_SCOPE:
      return task.scopeRow;
    case PAL_P_BINARY:
      return task.binary === null ? 'unknown' : columnsHit(hook, setsOf(binarySets, task.binary));
    case PAL_P_NS:
      return intHit(hook, plane, index, BigInt(task.namespaces[plane.field] ?? 0));
    case PAL_P_CAP_EFF:
    case PAL_P_CAP_PRM:
    case PAL_P_CAP_INH: {
      const hidden = (plane.field & PAL_PF_NS_CAP) !== 0 && task.inHostUserNamespace;
      return intHit(hook, plane, index, hidden ? 0n : capabilities(task, plane.source));
    }
    case PAL_P_SLOT:
      return slotHit(hook, plane, index, registers);
    default:
      throw new Error(`plane source ${plane.source} is unknown`);
  }
}

function capabilities(task: ModelTask, source: number): bigint {
  const { effective, permitted, inheritable } = task.capabilities;
  return source === PAL_P_CAP_EFF ? effective : source === PAL_P_CAP_PRM ? permitted : inheritable;
}

function slotHit(hook: LinkedHook, plane: PlaneFields, index: number, registers: readonly ModelValue[]): Hit {
  const offset = CFG_LAYOUT.at.slot + plane.slot * SLOT_LAYOUT.bytes;
  const type = hook.config.readUInt8(offset + SLOT_LAYOUT.at.type);
  const value = registers[hook.config.readUInt8(offset + SLOT_LAYOUT.at.reg)];
  if (type === PAL_T_INT) {
    if (value?.kind !== 'int') return 'unknown';
    const bits = 8 * hook.config.readUInt8(offset + SLOT_LAYOUT.at.width);
    const signed = (hook.config.readUInt8(offset + SLOT_LAYOUT.at.flags) & PAL_SF_SIGNED) !== 0;
    return intHit(hook, plane, index, signed ? BigInt.asIntN(bits, value.raw) : BigInt.asUintN(bits, value.raw));
  }
  if (value?.kind === 'bytes') return stringHit(hook, plane, index, value.value);
  return value?.kind === 'null' && type === PAL_T_STRING ? stringHit(hook, plane, index, Buffer.alloc(0)) : 'unknown';
}

function intHit(hook: LinkedHook, plane: PlaneFields, index: number, value: bigint): SelectorMask {
  if (plane.kind === PAL_K_MASK) {
    let hit = 0n;
    for (let i = 0; i < plane.classCount; i += 1) {
      const entry = maskClass(hook.table, plane.firstClass + i);
      if ((value & entry.mask) !== 0n) hit |= entry.selectors;
    }
    return hit;
  }
  const rows = hook.rows.ints;
  for (let at = 0; at < rows.length; at += INT_ROW_BYTES) {
    if (rows.readUInt32LE(at) === index && rows.readBigUInt64LE(at + INT_KEY_LAYOUT.at.v) === BigInt.asUintN(64, value)) {
      return readMask(rows, at + INT_KEY_LAYOUT.bytes);
    }
  }
  return 0n;
}

function stringHit(hook: LinkedHook, plane: PlaneFields, index: number, value: Buffer): SelectorMask {
  if (plane.kind === PAL_K_SUFFIX) {
    const compared = Math.min(PAL_SUFFIX_MAX, 8 * plane.suffixWords);
    const key = Buffer.from(value.subarray(Math.max(0, value.length - compared)).toReversed());
    return longestMatch(hook.rows.strs, index, key)?.prefix ?? 0n;
  }
  const node = longestMatch(hook.rows.strs, index, value.subarray(0, PAL_STR_MAX));
  return node === null ? 0n : node.prefix | (node.length === value.length ? node.equal : 0n);
}

/** What a longest-prefix-match map answers. */
function longestMatch(
  rows: Buffer,
  plane: number,
  key: Buffer,
): { readonly length: number; readonly prefix: SelectorMask; readonly equal: SelectorMask } | null {
  let best: { length: number; prefix: SelectorMask; equal: SelectorMask } | null = null;
  for (let at = 0; at < rows.length; at += STRING_ROW_BYTES) {
    const length = (rows.readUInt32LE(at) - 8) / 8;
    const data = rows.subarray(at + STR_KEY_LAYOUT.at.data, at + STR_KEY_LAYOUT.at.data + length);
    const fits = rows.readUInt8(at + STR_KEY_LAYOUT.at.plane) === plane && length <= key.length && data.equals(key.subarray(0, length));
    if (!fits || (best !== null && best.length >= length)) continue;
    const value = at + STR_KEY_LAYOUT.bytes;
    best = {
      length: rows.readUInt32LE(value + STR_LAYOUT.at.klen),
      prefix: readMask(rows, value + STR_LAYOUT.at.pfx),
      equal: readMask(rows, value + STR_LAYOUT.at.eq),
    };
  }
  return best;
}

function setsOf(binarySets: Buffer, path: Buffer): bigint {
  const node = longestMatch(binarySets, 0, path.subarray(0, PAL_STR_MAX));
  return node === null ? 0n : node.prefix | (node.length === path.length ? node.equal : 0n);
}

function columnsHit(hook: LinkedHook, sets: bigint): SelectorMask {
  const rows = hook.rows.cols;
  let hit = 0n;
  for (let at = 0; at < rows.length; at += INDEX_ROW_BYTES) {
    const index = rows.readUInt32LE(at);
    const byte = Number((sets >> BigInt(8 * (index >>> 8))) & 0xffn);
    if (byte !== 0 && byte === (index & 0xff)) hit |= readMask(rows, at + 4);
  }
  return hit;
}

/** The lowest bit of every policy's field, without loops, as the engine does it. */
export function firstOfEachField(mask: SelectorMask, first: SelectorMask, last: SelectorMask): SelectorMask {
  let result = 0n;
  for (let word = 0n; word < 4n; word += 1n) {
    const [x, lsb, msb] = [mask, first, last].map((value) => BigInt.asUintN(64, value >> (64n * word)));
    if (x === undefined || lsb === undefined || msb === undefined) continue;
    const clear = BigInt.asUintN(64, ~x);
    const isolated = x & (BigInt.asUintN(64, (clear & ~msb) + lsb) ^ (clear & msb));
    result |= isolated << (64n * word);
  }
  return result;
}

function decide(table: Buffer, masks: Masks, exempt: boolean): ModelVerdict {
  const chosen = firstOfEachField(masks.cand, tableMask(table, 'lsb'), tableMask(table, 'msb'));
  const classes = denyClasses(table);
  const denies = classes.reduce((mask, entry) => mask | entry.selectors, 0n);
  const errno = classes.find((entry) => (entry.selectors & chosen) !== 0n)?.errno ?? null;
  const wouldDeny = tableMask(table, 'wdeny');
  // A selector that denies as well does not kill for an unknown value.
  const kills = chosen & (masks.known | ~(denies | wouldDeny));
  const post = tableMask(table, 'post');
  return {
    matches: [...bitsOf(chosen)].map((bit) => {
      const { policy, selector } = selectorAt(table, bit);
      return { policy, selector, known: ((masks.known >> BigInt(bit)) & 1n) === 1n, post: ((post >> BigInt(bit)) & 1n) === 1n };
    }),
    errno: exempt ? null : errno,
    kill: !exempt && (kills & tableMask(table, 'kill')) !== 0n,
    wouldKill: kills & tableMask(table, 'wkill'),
    wouldDeny: chosen & wouldDeny,
  };
}
