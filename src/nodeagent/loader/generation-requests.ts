/** Requests to the loader, made from a linked set. Pure. Rows are split so that every frame keeps to the protocol's bound. */
import { PAL_CLASSES } from '../../abi/layout.ts';
import { indexRow } from '../../abi/map-rows.ts';
import type { SelectorMask } from '../../abi/selector-mask.ts';
import type { LinkPod } from '../../linker/link-input.ts';
import type { LinkedHook } from '../../linker/linked-node.ts';
import { scopeRows } from '../../linker/scope.ts';
import {
  bytesTlv,
  LOADER_MAPS,
  type LoaderMap,
  type LoaderOp,
  sizeTlv,
  textTlv,
  type Tlv,
  u16Tlv,
  u32Tlv,
} from '../../protocol/loader-frames.ts';

export type LoaderRequest = { readonly op: LoaderOp; readonly tlvs: readonly Tlv[] };

/** Well under the bound of a frame, so that headers fit beside it. */
const MAX_ROW_BYTES = 960 * 1024;

export function beginRequest(generation: number, label: Uint8Array): LoaderRequest {
  return { op: 'BEGIN', tlvs: [u32Tlv('GENERATION', generation), bytesTlv('LABEL', label)] };
}

export function hookRequest(hook: LinkedHook): LoaderRequest {
  return {
    op: 'HOOK',
    tlvs: [
      u32Tlv('HOOK', hook.id),
      textTlv('NAME', hook.name),
      ...hook.methods.map((method) => textTlv('METHOD', method)),
      bytesTlv('CFG', hook.config),
      bytesTlv('TBL', hook.table),
      sizeTlv('ints', entries('ints', hook.rows.ints)),
      sizeTlv('strs', entries('strs', hook.rows.strs)),
      sizeTlv('scope', PAL_CLASSES),
      sizeTlv('cols', Math.max(1, 256 * hook.columns)),
    ],
  };
}

export function shareRequest(hook: LinkedHook): LoaderRequest {
  return { op: 'SHARE', tlvs: [u32Tlv('HOOK', hook.id)] };
}

/** Everything of a hook but its scope rows. */
export function dataRequests(hook: LinkedHook): readonly LoaderRequest[] {
  return (['ints', 'strs', 'cols'] as const).flatMap((map) => rowRequests(hook.id, map, hook.rows[map]));
}

/** Scope rows of a hook that was sent in this generation, as late as just before COMMIT. `pods`: one pod of each class. */
export function scopeDataRequests(hook: LinkedHook, pods: ReadonlyMap<number, LinkPod>): readonly LoaderRequest[] {
  return rowRequests(hook.id, 'scope', packRows(scopeRows(hook.scope, pods)));
}

/** Always at least one, the last with LAST: a node without binary sets says so. */
export function nodeRequests(rows: Buffer): readonly LoaderRequest[] {
  const parts = splitRows('bsets', rows);
  return (parts.length === 0 ? [Buffer.alloc(0)] : parts).map((part, i, all) => ({
    op: 'NODE',
    tlvs: [u16Tlv('MAP', LOADER_MAPS.bsets.number), bytesTlv('ROWS', part), u32Tlv('LAST', i === all.length - 1 ? 1 : 0)],
  }));
}

export const COMMIT_REQUEST: LoaderRequest = { op: 'COMMIT', tlvs: [] };
export const ABORT_REQUEST: LoaderRequest = { op: 'ABORT', tlvs: [] };

function rowRequests(hook: number, map: LoaderMap, rows: Buffer): readonly LoaderRequest[] {
  return splitRows(map, rows).map((part) => ({
    op: 'DATA',
    tlvs: [u32Tlv('HOOK', hook), u16Tlv('MAP', LOADER_MAPS[map].number), bytesTlv('ROWS', part)],
  }));
}

function packRows(rows: ReadonlyMap<number, SelectorMask>): Buffer {
  return Buffer.concat([...rows].toSorted(([a], [b]) => a - b).map(([index, mask]) => indexRow(index, mask)));
}

function splitRows(map: LoaderMap, rows: Buffer): readonly Buffer[] {
  const rowBytes = LOADER_MAPS[map].keyBytes + LOADER_MAPS[map].valueBytes;
  const step = Math.floor(MAX_ROW_BYTES / rowBytes) * rowBytes;
  const parts: Buffer[] = [];
  for (let offset = 0; offset < rows.length; offset += step) parts.push(rows.subarray(offset, offset + step));
  return parts;
}

function entries(map: LoaderMap, rows: Buffer): number {
  return Math.max(1, rows.length / (LOADER_MAPS[map].keyBytes + LOADER_MAPS[map].valueBytes));
}
