import type { FileType, PlanArg, PlanBytesFilter, PlanFileTypeFilter, PlanSubstringFilter } from '../plan.ts';
import { type Answer, hitOrMiss, isNegated } from './answer.ts';
import type { ArgValue } from './event.ts';

/** Texts are bytes: no encoding, no case, no normal form. Of one that was cut off the beginning is known, and not the end. */
export function bytesAnswer(filter: PlanBytesFilter, value: ArgValue | undefined, arg: PlanArg | undefined): Answer {
  const bytes = bytesOf(value, arg);
  if (bytes === null) {
    return 'unknown';
  }
  const { operator } = filter;
  const fit = isCut(value) ? isFitOfCut : isFit;
  const fits = new Set(filter.values.map((text) => fit(operator, bytes, Buffer.from(text))));
  return fits.has(null) && !fits.has(true) ? 'unknown' : hitOrMiss(fits.has(true), isNegated(operator));
}

/** Null: it depends on what was cut off. */
function isFitOfCut(operator: PlanBytesFilter['operator'], bytes: Buffer, value: Buffer): boolean | null {
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
      return isFit('Prefix', value, bytes) ? null : false;
    case 'Prefix':
    case 'NotPrefix':
      return isFit(operator, bytes, value) || (isFit('Prefix', value, bytes) ? null : false);
    case 'Postfix':
    case 'NotPostfix':
      return null;
  }
}

function isCut(value: ArgValue | undefined): boolean {
  return value?.kind === 'bytes' && value.isCut === true;
}

/** The operators that texts and executables share. */
export function isFit(operator: PlanBytesFilter['operator'] | 'In' | 'NotIn', bytes: Buffer, value: Buffer): boolean {
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
    case 'In':
    case 'NotIn':
      return bytes.equals(value);
    case 'Prefix':
    case 'NotPrefix':
      return bytes.subarray(0, value.length).equals(value);
    case 'Postfix':
    case 'NotPostfix':
      return value.length <= bytes.length && bytes.subarray(bytes.length - value.length).equals(value);
  }
}

export function substringAnswer(filter: PlanSubstringFilter, value: ArgValue | undefined, arg: PlanArg | undefined): Answer {
  const bytes = bytesOf(value, arg);
  if (bytes === null) {
    return 'unknown';
  }
  const fold = filter.ignoreCase === true ? withoutCase : (same: Buffer): Buffer => same;
  const text = fold(bytes);
  const hit = filter.values.some((part) => text.includes(fold(Buffer.from(part))));
  return !hit && isCut(value) ? 'unknown' : hitOrMiss(hit, false);
}

/** Only letters of ASCII have a case. */
function withoutCase(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)));
}

/** A null pointer is an empty string, and of a file that is not there nothing is known. */
function bytesOf(value: ArgValue | undefined, arg: PlanArg | undefined): Buffer | null {
  if (value?.kind === 'bytes') {
    return Buffer.from(value.value.buffer, value.value.byteOffset, value.value.byteLength);
  }
  return value?.kind === 'null' && arg?.type === 'string' ? Buffer.alloc(0) : null;
}

/** `S_IFMT` and what it selects (stat.h). */
const FILE_TYPE_BITS = 0o170_000;
const FILE_TYPES: ReadonlyMap<number, FileType> = new Map([
  [0o140_000, 'sock'],
  [0o120_000, 'lnk'],
  [0o100_000, 'reg'],
  [0o060_000, 'blk'],
  [0o040_000, 'dir'],
  [0o020_000, 'chr'],
  [0o010_000, 'fifo'],
]);

export function fileTypeAnswer(filter: PlanFileTypeFilter, value: ArgValue | undefined): Answer {
  if (value?.kind !== 'bytes' || value.fileMode === undefined) {
    return 'unknown';
  }
  const type = FILE_TYPES.get(value.fileMode & FILE_TYPE_BITS);
  return hitOrMiss(type !== undefined && filter.values.includes(type), isNegated(filter.operator));
}
