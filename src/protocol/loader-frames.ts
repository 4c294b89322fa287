/**
 * The frames that agent and loader exchange (docs/loader-protocol.md §1–2): numbers, encoder and decoder. No I/O.
 *
 * The numbers are mirrored in native/loader/src/wire.rs; a test of the loader compares the two.
 */

/** Bytes of `{u32 len, u16 op, u16 flags, u32 id}`. */
export const FRAME_HEADER_BYTES = 12;
/** Bytes of `{u16 tag, u16 rsvd, u32 len}`. */
export const TLV_HEADER_BYTES = 8;
/** A frame is at most this long, its header included. */
export const MAX_FRAME_BYTES = 1 << 20;

export const FLAG_ANSWER = 1;
/** Further frames of the same answer follow. */
export const FLAG_MORE = 2;

export const LOADER_OPS = {
  HELLO: 1,
  CATALOGUE: 2,
  RESOLVE: 3,
  BEGIN: 4,
  HOOK: 5,
  DATA: 6,
  SHARE: 7,
  NODE: 8,
  COMMIT: 9,
  ABORT: 10,
  SCOPE: 11,
  PROC: 12,
  COUNTERS: 13,
  ZERO: 14,
  ROLLBACK: 15,
  TEARDOWN: 16,
  EVENTS: 17,
  ITERATE: 18,
  /** Only in the test build of the loader. */
  FAULT: 200,
} as const;
export type LoaderOp = keyof typeof LOADER_OPS;

/** `u16`, `u32`, `u64`: one little-endian number; `text`: UTF-8 without NUL; `bytes`: packed rows or a struct of the ABI. */
export const LOADER_TAGS = {
  STAGE: 1, // u16
  ERRNO: 2, // u32
  REASON: 3, // text, a name of src/policy/reasons.ts
  MESSAGE: 4, // text, at most 512 bytes
  VERIFIER: 5, // text, at most 4096 bytes, the end of the verifier's log
  ABI: 10, // u64
  FACT: 11, // text "name=value", repeated
  GENERATION: 12, // u32
  LABEL: 13, // 32 bytes
  BOOT: 14, // text
  RELEASE: 15, // text
  KEPT_CAP: 16, // text "NAME reason", repeated
  HOST_NS: 17, // u32[10], order of enum pal_ns
  NCPU: 18, // u32
  ADOPTED: 19, // u32, 1 if pins were adopted
  NAMES_FUNCTION: 20, // text, newline-separated, repeated
  NAMES_LSM: 21, // likewise
  NAMES_TRACEPOINT: 22, // likewise
  BUILD: 23, // 32 bytes
  QUERY: 24, // text, repeated
  RESOLVED: 25, // text, repeated
  /** What runs on a hook: text "id name method pinned dpath", repeated. */
  ACTIVE_HOOK: 26,
  NEXT: 27, // u32, the number that the next BEGIN must have
  RINGS: 28, // u32, the number of the rings: with another one sequence numbers begin anew
  HOOK: 30, // u32
  NAME: 31, // text
  METHOD: 32, // text, repeated, in order of preference
  CFG: 33, // struct pal_cfg
  TBL: 34, // struct pal_tbl
  SIZE: 35, // {u16 map, u16 0, u32 entries}, repeated
  USED: 36, // text, the method
  REUSED: 37, // u32
  VERIFIED: 38, // u32, 0 where the kernel does not say
  XLATED: 39, // u32
  LOAD_US: 40, // u32
  DPATH: 41, // u32, 1 if the program uses bpf_d_path
  PINNED: 42, // u32
  MAP: 50, // u16
  ROWS: 51, // bytes
  LAST: 52, // u32, 1 on the last frame of a node-wide map
  FLIP_NS: 53, // u64, ktime
  CGROUP: 60, // rows {u64 id, struct pal_cgroup}
  CGROUP_GONE: 61, // u64[]
  PODNAME: 62, // rows {char[80], u32 class, u32 0}
  PODNAME_GONE: 63, // char[80][]
  CLASS_ROW: 64, // rows {u32 hook, u32 class, struct pal_mask}
  EXEMPT_PATH: 70, // text, repeated
  COUNT: 71, // u32
  COUNTER: 72, // rows {u32 index, u32 0, u64[12]}
  HEALTH: 73, // u64[16]
  MISSES: 74, // u64
  INDEX: 75, // u32[]
  TEXT: 80, // text, the fault point of the test build
  ACKNOWLEDGE: 81, // u32, 1: the subscriber says what it is done with, and gets the rest again
} as const;
export type LoaderTag = keyof typeof LOADER_TAGS;

/** Numbers of STAGE: how far the loader came. */
export const LOADER_STAGES = ['ok', 'parse', 'btf', 'open', 'fill', 'load', 'attach', 'pin', 'flip'] as const;
export type LoaderStage = (typeof LOADER_STAGES)[number];

/** Numbers of MAP and of the map in SIZE, with the bytes of one row. */
export const LOADER_MAPS = {
  ints: { number: 1, keyBytes: 16, valueBytes: 32 },
  strs: { number: 2, keyBytes: 260, valueBytes: 72 },
  scope: { number: 3, keyBytes: 4, valueBytes: 32 },
  cols: { number: 4, keyBytes: 4, valueBytes: 32 },
  bsets: { number: 16, keyBytes: 260, valueBytes: 72 },
} as const;
export type LoaderMap = keyof typeof LOADER_MAPS;

export type Tlv = { readonly tag: number; readonly value: Uint8Array };

export type LoaderFrame = {
  readonly op: number;
  readonly flags: number;
  readonly id: number;
  readonly tlvs: readonly Tlv[];
};

/** Bytes that are not what the contract says. The connection that brought them is of no further use. */
export class FrameError extends Error {
  readonly code = 'FrameInvalid';
  override readonly name = 'FrameError';
}

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

export function textTlv(tag: LoaderTag, text: string): Tlv {
  return { tag: LOADER_TAGS[tag], value: utf8.encode(text) };
}

export function bytesTlv(tag: LoaderTag, value: Uint8Array): Tlv {
  return { tag: LOADER_TAGS[tag], value };
}

export function u16Tlv(tag: LoaderTag, number: number): Tlv {
  const value = new Uint8Array(2);
  new DataView(value.buffer).setUint16(0, number, true);
  return { tag: LOADER_TAGS[tag], value };
}

export function u32Tlv(tag: LoaderTag, number: number): Tlv {
  return u32sTlv(tag, [number]);
}

export function u32sTlv(tag: LoaderTag, numbers: readonly number[]): Tlv {
  const value = new Uint8Array(4 * numbers.length);
  const view = new DataView(value.buffer);
  numbers.forEach((number, index) => view.setUint32(4 * index, number, true));
  return { tag: LOADER_TAGS[tag], value };
}

export function u64Tlv(tag: LoaderTag, number: bigint): Tlv {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, number, true);
  return { tag: LOADER_TAGS[tag], value };
}

/** `entries` of one of a hook's maps, for a HOOK request. */
export function sizeTlv(map: LoaderMap, entries: number): Tlv {
  const value = new Uint8Array(8);
  const view = new DataView(value.buffer);
  view.setUint16(0, LOADER_MAPS[map].number, true);
  view.setUint32(4, entries, true);
  return { tag: LOADER_TAGS.SIZE, value };
}

/** Throws FrameError when the frame is longer than MAX_FRAME_BYTES: rows are to be split over several requests. */
export function encodeFrame(frame: LoaderFrame): Uint8Array {
  const length = frame.tlvs.reduce((sum, tlv) => sum + TLV_HEADER_BYTES + tlv.value.length, FRAME_HEADER_BYTES);
  if (length > MAX_FRAME_BYTES) throw new FrameError(`frame of ${length} bytes; at most ${MAX_FRAME_BYTES} are allowed`);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, frame.op, true);
  view.setUint16(6, frame.flags, true);
  view.setUint32(8, frame.id, true);
  let offset = FRAME_HEADER_BYTES;
  for (const { tag, value } of frame.tlvs) {
    view.setUint16(offset, tag, true);
    view.setUint32(offset + 4, value.length, true);
    bytes.set(value, offset + TLV_HEADER_BYTES);
    offset += TLV_HEADER_BYTES + value.length;
  }
  return bytes;
}

/** One whole frame, as cut out of the stream by `FrameStream`. */
export function decodeFrame(bytes: Uint8Array): LoaderFrame {
  if (bytes.length < FRAME_HEADER_BYTES) throw new FrameError(`frame of ${bytes.length} bytes is shorter than its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(0, true);
  if (length !== bytes.length) throw new FrameError(`frame says ${length} bytes and has ${bytes.length}`);
  const tlvs: Tlv[] = [];
  let offset = FRAME_HEADER_BYTES;
  while (offset < bytes.length) {
    if (bytes.length - offset < TLV_HEADER_BYTES) throw new FrameError(`TLV at ${offset} is cut off`);
    const size = view.getUint32(offset + 4, true);
    const start = offset + TLV_HEADER_BYTES;
    if (size > bytes.length - start) throw new FrameError(`TLV at ${offset} says ${size} bytes and ${bytes.length - start} are left`);
    tlvs.push({ tag: view.getUint16(offset, true), value: bytes.subarray(start, start + size) });
    offset = start + size;
  }
  return { op: view.getUint16(4, true), flags: view.getUint16(6, true), id: view.getUint32(8, true), tlvs };
}

/**
 * Cuts a byte stream into frames. Holds at most one unfinished frame. `rest()` gives what is left over, for the connection that turns
 * into a stream of records after the answer to EVENTS.
 */
export class FrameStream {
  #pending: Uint8Array = new Uint8Array(0);

  /** The frames that are complete now. Throws FrameError on a length that no frame can have. */
  push(chunk: Uint8Array): LoaderFrame[] {
    this.#pending = this.#pending.length === 0 ? chunk : joinBytes(this.#pending, chunk);
    const frames: LoaderFrame[] = [];
    for (let bytes = this.#cut(); bytes !== undefined; bytes = this.#cut()) frames.push(decodeFrame(bytes));
    return frames;
  }

  /** At most one frame; the bytes behind it stay. For the connection whose later bytes are no frames. */
  pushOne(chunk: Uint8Array): LoaderFrame | undefined {
    this.#pending = joinBytes(this.#pending, chunk);
    const bytes = this.#cut();
    return bytes === undefined ? undefined : decodeFrame(bytes);
  }

  rest(): Uint8Array {
    return this.#pending;
  }

  #cut(): Uint8Array | undefined {
    const pending = this.#pending;
    if (pending.length < 4) return undefined;
    const length = new DataView(pending.buffer, pending.byteOffset, pending.length).getUint32(0, true);
    if (length < FRAME_HEADER_BYTES || length > MAX_FRAME_BYTES) throw new FrameError(`no frame can be ${length} bytes long`);
    if (pending.length < length) return undefined;
    this.#pending = pending.subarray(length);
    return pending.subarray(0, length);
  }
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** All values of a tag, in order. */
export function tlvValues(frame: LoaderFrame, tag: LoaderTag): Uint8Array[] {
  const number = LOADER_TAGS[tag];
  return frame.tlvs.filter((tlv) => tlv.tag === number).map((tlv) => tlv.value);
}

/** The only value of a tag; undefined when there is none; throws FrameError when there are several. */
export function tlvValue(frame: LoaderFrame, tag: LoaderTag): Uint8Array | undefined {
  const values = tlvValues(frame, tag);
  if (values.length > 1) throw new FrameError(`${tag} is repeated`);
  return values[0];
}

export function tlvText(frame: LoaderFrame, tag: LoaderTag): string | undefined {
  const value = tlvValue(frame, tag);
  return value === undefined ? undefined : decodeText(value, tag);
}

export function tlvTexts(frame: LoaderFrame, tag: LoaderTag): string[] {
  return tlvValues(frame, tag).map((value) => decodeText(value, tag));
}

export function tlvU16(frame: LoaderFrame, tag: LoaderTag): number | undefined {
  return fixedView(frame, tag, 2)?.getUint16(0, true);
}

export function tlvU32(frame: LoaderFrame, tag: LoaderTag): number | undefined {
  return fixedView(frame, tag, 4)?.getUint32(0, true);
}

export function tlvU64(frame: LoaderFrame, tag: LoaderTag): bigint | undefined {
  return fixedView(frame, tag, 8)?.getBigUint64(0, true);
}

function decodeText(value: Uint8Array, tag: LoaderTag): string {
  try {
    return strictUtf8.decode(value);
  } catch {
    throw new FrameError(`${tag} is not UTF-8`);
  }
}

function fixedView(frame: LoaderFrame, tag: LoaderTag, bytes: number): DataView | undefined {
  const value = tlvValue(frame, tag);
  if (value === undefined) return undefined;
  if (value.length !== bytes) throw new FrameError(`${tag} has ${value.length} bytes; ${bytes} are right`);
  return new DataView(value.buffer, value.byteOffset, bytes);
}

/** The result that every answer carries. */
export type LoaderResult = {
  readonly stage: LoaderStage;
  readonly errno: number;
  /** Empty when all went well. */
  readonly reason: string;
  readonly message: string;
  readonly verifier: string;
};

export function readResult(frame: LoaderFrame): LoaderResult {
  const number = tlvU16(frame, 'STAGE');
  const stage = number === undefined ? undefined : LOADER_STAGES[number];
  if (stage === undefined) throw new FrameError(`answer without a known STAGE (${number ?? 'none'})`);
  return {
    stage,
    errno: tlvU32(frame, 'ERRNO') ?? 0,
    reason: tlvText(frame, 'REASON') ?? '',
    message: tlvText(frame, 'MESSAGE') ?? '',
    verifier: tlvText(frame, 'VERIFIER') ?? '',
  };
}
