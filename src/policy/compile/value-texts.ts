import { isRawBuffer } from '../arg-types.ts';
import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import type { FileType, PlanArgType, PlanBytesFilter, PlanBytesOperator, PlanFileTypeFilter, PlanSubstringFilter } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { textSet } from '../value-sets.ts';

export function compileBytes(
  sink: ProblemSink,
  path: string,
  arg: number,
  type: PlanArgType,
  operator: PlanBytesOperator,
  values: readonly string[],
): PlanBytesFilter {
  const isPrefix = operator === 'Prefix' || operator === 'NotPrefix';
  const texts = values.map((value, index) => {
    // Texts of the kernel end at their NUL, so one at the end of a value says nothing (as upstream); in a prefix it would say: no more.
    const text = isRawBuffer(type) || isPrefix ? value : value.replace(/\0+$/, '');
    const at = fieldPath(path, index);
    checkText(sink, at, text, maxBytesOf(operator), operator, isRawBuffer(type) ? 'NUL may be inside' : 'ends at NUL');
    checkDeviceName(sink, at, type, text);
    return text;
  });
  return { on: 'bytes', arg, operator, values: textSet(texts) };
}

export function compileSubstrings(
  sink: ProblemSink,
  path: string,
  arg: number,
  type: PlanArgType,
  ignoresCase: 'ignoring case' | 'exactly',
  values: readonly string[],
): PlanSubstringFilter {
  if (values.length > LIMITS.substringsPerFilter) {
    sink.error('SetTooLarge', path, `${values.length} values`, `at most ${LIMITS.substringsPerFilter}`);
  }
  for (const [index, value] of values.entries()) {
    const nul = isRawBuffer(type) ? 'NUL may be inside' : 'ends at NUL';
    checkText(sink, fieldPath(path, index), value, LIMITS.substringBytes, 'SubString', nul);
    checkDeviceName(sink, fieldPath(path, index), type, value);
  }
  return ignoresCase === 'exactly'
    ? { on: 'substring', arg, values: textSet(values) }
    : { on: 'substring', arg, ignoreCase: true, values: textSet(values.map(lowerAscii)) };
}

/** Only letters of ASCII have another case (`substringAnswer` in evaluate/text-filter.ts). */
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A value that can be compared: not empty, Unicode that has bytes, short enough. */
export function checkText(
  sink: ProblemSink,
  path: string,
  text: string,
  maxBytes: number,
  operator: string,
  nul: 'ends at NUL' | 'NUL may be inside' = 'ends at NUL',
): void {
  const bytes = Buffer.byteLength(text);
  if (text === '') {
    sink.error('BadValue', path, 'is empty');
  } else if ((nul === 'ends at NUL' && text.includes('\0')) || !text.isWellFormed()) {
    sink.error('BadValue', path, `${quote(text)} never matches: it has characters that no such value can have`);
  } else if (bytes > maxBytes) {
    sink.error('ValueTooLong', path, `${bytes} bytes is too long for ${operator}`, `at most ${maxBytes}`);
  }
}

/** IFNAMSIZ without the NUL. */
const MAX_DEVICE_NAME_BYTES = 15;

function checkDeviceName(sink: ProblemSink, path: string, type: PlanArgType, text: string): void {
  if (type === 'net_device' && Buffer.byteLength(text) > MAX_DEVICE_NAME_BYTES) {
    sink.error('BadValue', path, `${quote(text)} never matches: names of network devices have at most ${MAX_DEVICE_NAME_BYTES} bytes`);
  }
}

function maxBytesOf(operator: PlanBytesOperator): number {
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
      return LIMITS.equalBytes;
    case 'Prefix':
    case 'NotPrefix':
      return LIMITS.prefixBytes;
    case 'Postfix':
    case 'NotPostfix':
      return LIMITS.postfixBytes;
  }
}

/** Upstream's names and their aliases. */
const FILE_TYPES: ReadonlyMap<string, FileType> = new Map<string, FileType>([
  ['sock', 'sock'],
  ['socket', 'sock'],
  ['lnk', 'lnk'],
  ['link', 'lnk'],
  ['reg', 'reg'],
  ['regular', 'reg'],
  ['blk', 'blk'],
  ['block', 'blk'],
  ['dir', 'dir'],
  ['chr', 'chr'],
  ['char', 'chr'],
  ['fifo', 'fifo'],
  ['pipe', 'fifo'],
]);

const FILE_TYPE_COUNT = new Set(FILE_TYPES.values()).size;

export function compileFileTypes(
  sink: ProblemSink,
  path: string,
  arg: number,
  operator: PlanFileTypeFilter['operator'],
  values: readonly string[],
): PlanFileTypeFilter {
  const types = new Set<FileType>();
  for (const [index, value] of values.entries()) {
    const type = FILE_TYPES.get(value);
    if (type === undefined) {
      const lower = FILE_TYPES.has(value.toLowerCase()) ? `write ${quote(value.toLowerCase())}` : undefined;
      const hint = lower ?? didYouMean(value, FILE_TYPES.keys()) ?? `one of ${[...new Set(FILE_TYPES.values())].join(', ')}`;
      sink.error('BadValue', fieldPath(path, index), `${quote(value)} is no type of a file`, hint);
    } else {
      types.add(type);
    }
  }
  if (types.size === FILE_TYPE_COUNT && operator === 'NotIn') {
    sink.error('BadValue', path, 'never matches: these are all types of files');
  }
  return { on: 'fileType', arg, operator, values: [...types].toSorted() };
}
