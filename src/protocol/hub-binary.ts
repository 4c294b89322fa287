import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HUB_LIMITS } from './hub-frames.ts';

/**
 * Binary frames of `/hub`. First byte: kind. All payloads are zstd of UTF-8 JSON text.
 *   plan       hub → agent   1 | format u8 | digest 32 bytes | zstd(canonical JSON of the plan)
 *   desired    hub → agent   2 | zstd(JSON of a Desired frame): for large sets
 *   catalogue  agent → hub   3 | build 32 bytes | zstd(JSON of the catalogue)
 */
export type HubBinaryFrame =
  | { readonly kind: 'plan'; readonly format: number; readonly digest: string; readonly text: string }
  | { readonly kind: 'desired'; readonly text: string }
  | { readonly kind: 'catalogue'; readonly build: string; readonly text: string };

const KIND_PLAN = 1;
const KIND_DESIRED = 2;
const KIND_CATALOGUE = 3;
const DIGEST_BYTES = 32;

/** A binary frame that cannot be read; the message says why, without its content. */
export class HubBinaryError extends Error {
  readonly code = 'HUB_BINARY_FRAME';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'HubBinaryError';
  }
}

export function encodePlanFrame(format: number, digest: string, text: string): Buffer {
  const packed = zstdCompressSync(Buffer.from(text, 'utf8'));
  if (packed.byteLength > HUB_LIMITS.maxPlanPackedBytes || Buffer.byteLength(text) > HUB_LIMITS.maxPlanUnpackedBytes) {
    throw new HubBinaryError(
      `plan ${digest.slice(0, 8)} is too large: ${packed.byteLength} bytes packed, at most ${HUB_LIMITS.maxPlanPackedBytes}`,
    );
  }
  return Buffer.concat([Buffer.from([KIND_PLAN, format]), Buffer.from(digest, 'hex'), packed]);
}

export function encodeDesiredFrame(text: string): Buffer {
  return Buffer.concat([Buffer.from([KIND_DESIRED]), zstdCompressSync(Buffer.from(text, 'utf8'))]);
}

export function encodeCatalogueFrame(build: string, text: string): Buffer {
  return Buffer.concat([Buffer.from([KIND_CATALOGUE]), Buffer.from(build, 'hex'), zstdCompressSync(Buffer.from(text, 'utf8'))]);
}

/** Name of a catalogue: sha256 of its text. */
export function catalogueDigest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * Reads any binary frame. Memory is bounded by the limits of its kind. A plan's digest is NOT compared here: who asked for it knows what
 * it must be, and compares with `digestOfPlanText`.
 */
export function decodeHubBinary(frame: Uint8Array): HubBinaryFrame {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = bytes[0];
  if (kind === KIND_PLAN) {
    const [head, body] = splitAt(bytes, 2 + DIGEST_BYTES);
    return {
      kind: 'plan',
      format: head[1] ?? 0,
      digest: head.subarray(2).toString('hex'),
      text: unpack(body, HUB_LIMITS.maxPlanUnpackedBytes),
    };
  }
  if (kind === KIND_DESIRED) {
    return { kind: 'desired', text: unpack(bytes.subarray(1), HUB_LIMITS.maxHubFrameBytes) };
  }
  if (kind === KIND_CATALOGUE) {
    const [head, body] = splitAt(bytes, 1 + DIGEST_BYTES);
    return {
      kind: 'catalogue',
      build: head.subarray(1).toString('hex'),
      text: unpack(body, HUB_LIMITS.maxCatalogueUnpackedBytes),
    };
  }
  throw new HubBinaryError(`unknown kind ${kind ?? 'of an empty frame'}; known are 1, 2 and 3`);
}

function splitAt(bytes: Buffer, length: number): [Buffer, Buffer] {
  if (bytes.byteLength <= length) {
    throw new HubBinaryError(`${bytes.byteLength} bytes are too few for the header`);
  }
  return [bytes.subarray(0, length), bytes.subarray(length)];
}

function unpack(packed: Uint8Array, maxBytes: number): string {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: maxBytes }).toString('utf8');
  } catch (cause) {
    throw new HubBinaryError(`the payload is not zstd of at most ${maxBytes} bytes`, cause);
  }
}
