/** The variable part of a hook record: matches, then arguments. Every length is checked against the record's. */
import {
  ARG_LAYOUT,
  HOOKEV_LAYOUT,
  MATCH_LAYOUT,
  PAL_A_OK,
  PAL_A_TRUNC,
  PAL_PATHF_DELETED,
  PAL_T_FILE,
  PAL_T_INT,
  PAL_T_PATH,
  PATH_HEAD_LAYOUT,
} from './layout.ts';
import type { RecordArgument, RecordMatch } from './record-types.ts';

/** Null: the record is too short for so many. */
export function readMatches(bytes: Buffer, count: number): { readonly matches: readonly RecordMatch[]; readonly end: number } | null {
  const end = HOOKEV_LAYOUT.bytes + count * MATCH_LAYOUT.bytes;
  if (end > bytes.length) return null;
  const matches: RecordMatch[] = [];
  for (let offset: number = HOOKEV_LAYOUT.bytes; offset < end; offset += MATCH_LAYOUT.bytes) {
    matches.push({
      policy: bytes.readUInt16LE(offset + MATCH_LAYOUT.at.pol),
      selector: bytes.readUInt16LE(offset + MATCH_LAYOUT.at.sel),
      actions: bytes.readUInt16LE(offset + MATCH_LAYOUT.at.acts),
      flags: bytes.readUInt16LE(offset + MATCH_LAYOUT.at.f),
    });
  }
  return { matches, end };
}

/** Null: the record is too short for so many, or for the length that one of them claims. */
export function readArguments(bytes: Buffer, start: number, count: number): readonly RecordArgument[] | null {
  const args: RecordArgument[] = [];
  let offset = start;
  for (let i = 0; i < count; i += 1) {
    const data = offset + ARG_LAYOUT.bytes;
    if (data > bytes.length) return null;
    const length = bytes.readUInt32LE(offset + ARG_LAYOUT.at.len);
    if (length > bytes.length - data) return null;
    args.push({
      slot: bytes.readUInt8(offset + ARG_LAYOUT.at.slot),
      type: bytes.readUInt8(offset + ARG_LAYOUT.at.type),
      status: bytes.readUInt8(offset + ARG_LAYOUT.at.status),
      flags: bytes.readUInt8(offset + ARG_LAYOUT.at.f),
      data: bytes.subarray(data, data + length),
    });
    offset = Math.min(bytes.length, data + Math.ceil(length / 8) * 8);
  }
  return args;
}

/** The value of an integer argument, sign-extended by the engine; null when it could not be read or is of another type. */
export function integerOf(arg: RecordArgument): bigint | null {
  return arg.type === PAL_T_INT && arg.status === PAL_A_OK && arg.data.length === 8 ? arg.data.readBigInt64LE(0) : null;
}

export type ArgumentPath = {
  /** File mode with its type bits; 0 when it is not known. */
  readonly mode: number;
  readonly deleted: boolean;
  readonly truncated: boolean;
  /** Bytes of the path as the process sees it; may be any bytes but NUL. */
  readonly path: Buffer;
};

/** The value of a file or path argument; null when it could not be read or is of another type. */
export function pathOf(arg: RecordArgument): ArgumentPath | null {
  if (arg.type !== PAL_T_FILE && arg.type !== PAL_T_PATH) return null;
  if ((arg.status !== PAL_A_OK && arg.status !== PAL_A_TRUNC) || arg.data.length < PATH_HEAD_LAYOUT.bytes) return null;
  return {
    mode: arg.data.readUInt16LE(PATH_HEAD_LAYOUT.at.mode),
    deleted: (arg.data.readUInt16LE(PATH_HEAD_LAYOUT.at.flags) & PAL_PATHF_DELETED) !== 0,
    truncated: arg.status === PAL_A_TRUNC,
    path: arg.data.subarray(PATH_HEAD_LAYOUT.bytes),
  };
}
