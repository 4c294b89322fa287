/** What one plane says of a call: the selectors that its value hits. */
import type { PlaneFields, SlotFields } from '../../abi/hook-config.ts';
import { maskClass } from '../../abi/hook-table-reader.ts';
import {
  PAL_AC_OUT,
  PAL_CEL_ARG,
  PAL_F_DADDR,
  PAL_F_DPORT,
  PAL_F_FAMILY,
  PAL_F_FILE_TYPE,
  PAL_F_PROTOCOL,
  PAL_F_SADDR,
  PAL_F_SPORT,
  PAL_F_STATE,
  PAL_K_AC,
  PAL_K_ADDR,
  PAL_K_COL,
  PAL_K_GAIN,
  PAL_K_MASK,
  PAL_K_RANGE,
  PAL_K_STR,
  PAL_K_SUFFIX,
  PAL_P_BINARY,
  PAL_P_CAP_EFF,
  PAL_P_CAP_INH,
  PAL_P_CAP_NEW_EFF,
  PAL_P_CAP_NEW_INH,
  PAL_P_CAP_NEW_PRM,
  PAL_P_CAP_PRM,
  PAL_P_CEL,
  PAL_P_FOLLOW,
  PAL_P_FOLLOW_NS_PID,
  PAL_P_FOLLOW_PID,
  PAL_P_NS,
  PAL_P_NS_CHANGED,
  PAL_P_NS_PID,
  PAL_P_PARENT,
  PAL_P_PARENT_FOLLOW,
  PAL_P_PID,
  PAL_P_SCOPE,
  PAL_P_SLOT,
  PAL_PF_NS_CAP,
  PAL_SF_SIGNED,
  PAL_SUFFIX_MAX,
  PAL_T_CAP_EFF,
  PAL_T_CAP_INH,
  PAL_T_CAP_PRM,
  PAL_T_CAPS,
  PAL_T_INT,
  PAL_T_STRING,
} from '../../abi/layout.ts';
import type { SelectorMask } from '../../abi/selector-mask.ts';
import { evaluateNodes } from './model-cel.ts';
import type { KnownSets, ModelCapabilities, ModelTask, ProcessRecord } from './model-process.ts';
import { type ModelTables, walkChunks } from './model-tables.ts';

/** What extraction gives for a slot. */
export type ModelValue =
  | { readonly kind: 'int'; readonly raw: bigint }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly fileMode?: number | undefined; readonly family?: number | undefined }
  | ModelSocket
  | { readonly kind: 'shown' }
  | { readonly kind: 'null' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

export type ModelSocket = {
  readonly kind: 'socket';
  readonly family: number;
  readonly protocol: number;
  readonly state: number;
  readonly source: Uint8Array | null;
  readonly destination: Uint8Array | null;
  readonly sourcePort: number;
  readonly destinationPort: number;
};

/**
 * `none`: it is known that there is no value, and no selector that cares matches. `only`: those that named a network of the family.
 * `partial`: what hits is a hit, the rest is unknown.
 */
export type Hit =
  | { readonly kind: 'hit'; readonly selectors: SelectorMask; readonly only?: SelectorMask }
  | { readonly kind: 'partial'; readonly selectors: SelectorMask }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'none' };

export type ModelCall = {
  readonly task: ModelTask;
  readonly record: ProcessRecord;
  readonly valueOf: (slot: SlotFields) => ModelValue;
};

const UNKNOWN: Hit = { kind: 'unknown' };
const NONE: Hit = { kind: 'none' };
const AF_UNIX = 1;
const EVERY = (1n << 256n) - 1n;

export function lookUp(tables: ModelTables, table: Buffer, plane: PlaneFields, index: number, call: ModelCall): Hit {
  const { task, record } = call;
  switch (plane.source) {
    case PAL_P_SCOPE:
      return { kind: 'hit', selectors: task.scopeRow };
    case PAL_P_BINARY:
      return setsHit(tables, plane, record.own);
    case PAL_P_PARENT:
      return record.parent === null ? UNKNOWN : setsHit(tables, plane, record.parent);
    case PAL_P_FOLLOW:
      return setsHit(tables, plane, record.follow);
    case PAL_P_PARENT_FOLLOW:
      return record.parentFollow === null ? UNKNOWN : setsHit(tables, plane, record.parentFollow);
    case PAL_P_FOLLOW_PID:
      return setsHit(tables, plane, record.followPids);
    case PAL_P_FOLLOW_NS_PID:
      return record.followNsPids === null ? NONE : setsHit(tables, plane, record.followNsPids);
    case PAL_P_PID:
      return task.pid === undefined ? UNKNOWN : integerHit(tables, table, plane, index, BigInt(task.pid), 'unsigned');
    case PAL_P_NS_PID:
      if (task.nsPid === undefined) return UNKNOWN;
      return integerHit(tables, table, plane, index, BigInt(task.nsPid ?? 0), 'unsigned');
    case PAL_P_NS:
      return integerHit(tables, table, plane, index, BigInt(task.namespaces[plane.field] ?? 0), 'unsigned');
    case PAL_P_NS_CHANGED:
      return task.execNamespaces === undefined
        ? UNKNOWN
        : integerHit(tables, table, plane, index, changed(task.namespaces, task.execNamespaces), 'unsigned');
    case PAL_P_CAP_EFF:
    case PAL_P_CAP_PRM:
    case PAL_P_CAP_INH:
    case PAL_P_CAP_NEW_EFF:
    case PAL_P_CAP_NEW_PRM:
    case PAL_P_CAP_NEW_INH:
      return capabilityHit(tables, table, plane, index, task);
    case PAL_P_CEL:
      return expressionHit(tables, plane, call);
    case PAL_P_SLOT:
      return slotHit(tables, table, plane, index, call);
    default:
      throw new Error(`plane source ${plane.source} is unknown`);
  }
}

function setsHit(tables: ModelTables, plane: PlaneFields, { sets, complete }: KnownSets): Hit {
  const isFirst = plane.kind === PAL_K_COL;
  let selectors = 0n;
  const [from, count, base] = isFirst ? [0, 32, 0] : [plane.suffixWords, plane.classCount, plane.firstClass];
  for (let i = 0; i < count; i += 1) {
    const byte = Number((sets >> BigInt(8 * (from + i))) & 0xffn);
    if (byte !== 0) selectors |= tables.column(isFirst ? 'cols' : 'xcols', 256 * (base + i) + byte);
  }
  return complete ? { kind: 'hit', selectors } : { kind: 'partial', selectors };
}

function changed(now: readonly number[], before: readonly number[]): bigint {
  return now.reduce((bits, inode, i) => (inode === before[i] ? bits : bits | (1n << BigInt(i))), 0n);
}

function capabilityHit(tables: ModelTables, table: Buffer, plane: PlaneFields, index: number, task: ModelTask): Hit {
  const hidden = (plane.field & PAL_PF_NS_CAP) !== 0 && task.inHostUserNamespace;
  const isNew = plane.source >= PAL_P_CAP_NEW_EFF;
  if (isNew && task.execCapabilities === undefined) return UNKNOWN;
  const held = setOf(task.capabilities, plane.source) ^ (isNew && task.execCapabilities ? setOf(task.execCapabilities, plane.source) : 0n);
  return integerHit(tables, table, plane, index, hidden ? 0n : held, 'unsigned');
}

function setOf(sets: ModelCapabilities, source: number): bigint {
  if (source === PAL_P_CAP_EFF || source === PAL_P_CAP_NEW_EFF) return sets.effective;
  return source === PAL_P_CAP_PRM || source === PAL_P_CAP_NEW_PRM ? sets.permitted : sets.inheritable;
}

function expressionHit(tables: ModelTables, plane: PlaneFields, call: ModelCall): Hit {
  const nodes = tables.cel(plane.field, plane.classCount);
  const values = nodes.filter((node) => node.op === PAL_CEL_ARG).map((node) => slotValue(tables, node.left, call));
  if (values.some((value) => value.kind === 'absent')) return NONE;
  if (values.some((value) => value.kind !== 'int')) return UNKNOWN;
  const holds = evaluateNodes(nodes, (slot) => {
    const value = slotValue(tables, slot, call);
    return value.kind === 'int' ? value.raw : 0n;
  });
  return { kind: 'hit', selectors: holds ? EVERY : 0n };
}

/** Integers as the engine compares them: extended to 64 bits. */
function slotValue(tables: ModelTables, number: number, call: ModelCall): ModelValue {
  const slot = tables.slots[number];
  if (slot === undefined) throw new Error(`there is no slot ${number}`);
  const value = call.valueOf(slot);
  if (value.kind !== 'int') return value;
  if (slot.type === PAL_T_INT) {
    const bits = 8 * slot.width;
    return { kind: 'int', raw: (slot.flags & PAL_SF_SIGNED) !== 0 ? BigInt.asIntN(bits, value.raw) : BigInt.asUintN(bits, value.raw) };
  }
  return CAPABILITY_TYPES.has(slot.type) ? { kind: 'int', raw: BigInt.asUintN(64, value.raw) } : UNREADABLE;
}

const CAPABILITY_TYPES: ReadonlySet<number> = new Set([PAL_T_CAPS, PAL_T_CAP_EFF, PAL_T_CAP_PRM, PAL_T_CAP_INH]);
const UNREADABLE: ModelValue = { kind: 'unknown' };

function slotHit(tables: ModelTables, table: Buffer, plane: PlaneFields, index: number, call: ModelCall): Hit {
  const value = slotValue(tables, plane.slot, call);
  const slot = tables.slots[plane.slot];
  if (plane.kind === PAL_K_GAIN) {
    const after = slotValue(tables, plane.field, call);
    if (value.kind === 'absent' || after.kind === 'absent') return NONE;
    if (value.kind !== 'int' || after.kind !== 'int') return UNKNOWN;
    return { kind: 'hit', selectors: (after.raw & ~value.raw) === 0n ? 0n : EVERY };
  }
  if (value.kind === 'absent') return NONE;
  const isSigned = slot !== undefined && (slot.flags & PAL_SF_SIGNED) !== 0 && plane.field === 0 ? 'signed' : 'unsigned';
  const number = numberOf(plane.field, value);
  if (number !== null) return integerHit(tables, table, plane, index, number, isSigned);
  if (plane.kind === PAL_K_ADDR) return addressHit(tables, plane, index, value);
  const text =
    value.kind === 'bytes' ? Buffer.from(value.value) : value.kind === 'null' && slot?.type === PAL_T_STRING ? Buffer.alloc(0) : null;
  if (text === null || plane.field !== 0) return UNKNOWN;
  switch (plane.kind) {
    case PAL_K_STR:
      return { kind: 'hit', selectors: walkChunks(tables.string, index, text) };
    case PAL_K_SUFFIX: {
      const compared = Math.min(PAL_SUFFIX_MAX, 8 * plane.suffixWords);
      const key = Buffer.from(text.subarray(Math.max(0, text.length - compared)).toReversed());
      return { kind: 'hit', selectors: tables.string(index, key)?.prefix ?? 0n };
    }
    case PAL_K_AC:
      return { kind: 'hit', selectors: substringHit(tables, plane, text) };
    default:
      return UNKNOWN;
  }
}

/** The number that a plane over a slot compares; null: its value is no number, or not known. */
function numberOf(field: number, value: ModelValue): bigint | null {
  if (field === PAL_F_FILE_TYPE) {
    return value.kind === 'bytes' && value.fileMode !== undefined ? BigInt((value.fileMode >> 12) & 0xf) : null;
  }
  if (field === PAL_F_FAMILY && value.kind === 'bytes') return BigInt(value.family ?? AF_UNIX);
  if (value.kind === 'socket') {
    switch (field) {
      case PAL_F_FAMILY:
        return BigInt(value.family);
      case PAL_F_PROTOCOL:
        return BigInt(value.protocol);
      case PAL_F_STATE:
        return BigInt(value.state);
      case PAL_F_SPORT:
        return BigInt(value.sourcePort);
      case PAL_F_DPORT:
        return BigInt(value.destinationPort);
      default:
        return null;
    }
  }
  return field === 0 && value.kind === 'int' ? value.raw : null;
}

function integerHit(
  tables: ModelTables,
  table: Buffer,
  plane: PlaneFields,
  index: number,
  value: bigint,
  sign: 'signed' | 'unsigned',
): Hit {
  if (plane.kind === PAL_K_MASK) {
    let selectors = 0n;
    for (let i = 0; i < plane.classCount; i += 1) {
      const entry = maskClass(table, plane.firstClass + i);
      if ((BigInt.asUintN(64, value) & entry.mask) !== 0n) selectors |= entry.selectors;
    }
    return { kind: 'hit', selectors };
  }
  if (plane.kind === PAL_K_RANGE) {
    const key = BigInt.asUintN(64, value) ^ (sign === 'signed' ? 1n << 63n : 0n);
    return { kind: 'hit', selectors: tables.range(index, key) };
  }
  return { kind: 'hit', selectors: tables.int(index, value) };
}

function addressHit(tables: ModelTables, plane: PlaneFields, index: number, value: ModelValue): Hit {
  if (value.kind !== 'socket') return UNKNOWN;
  const address = plane.field === PAL_F_SADDR ? value.source : plane.field === PAL_F_DADDR ? value.destination : null;
  if (address === null) return NONE;
  const node = tables.address(index, address.length === 4 ? 4 : 6, address);
  return { kind: 'hit', selectors: node?.hit ?? 0n, only: node?.known ?? 0n };
}

function substringHit(tables: ModelTables, plane: PlaneFields, text: Buffer): SelectorMask {
  let state = plane.firstClass | (plane.classCount << 8);
  let selectors = 0n;
  for (const byte of text) {
    const next = tables.nextState(state, tables.byteClass(plane.suffixWords, byte));
    state = next & ~PAL_AC_OUT;
    if ((next & PAL_AC_OUT) !== 0) selectors |= tables.outputs(state);
  }
  return selectors;
}
