/**
 * BTF, the kernel's type information, as /sys/kernel/btf/vmlinux has it (format: Documentation/bpf/btf.rst of the kernel). Opening reads
 * every type once for its place and nothing else; whatever else is asked is read from the bytes then. Input may be hostile: every offset
 * and number is checked, and what is wrong is a `BtfError`.
 */
import { BtfError } from './btf-error.ts';

/** By number, as in the kernel's uapi/linux/btf.h. */
export const BTF_KINDS = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
] as const;

/** `unknown`: a kind of later kernels that says itself how long it is. */
export type BtfKind = (typeof BTF_KINDS)[number] | 'unknown';

/** The types of a kernel or, with the kernel's before them, of a kernel module. Ids are from 0 (`void`) to `count - 1`. */
export type TypeTable = {
  readonly count: number;
  /** The first id that is the table's own: 1, for a module's the number of the kernel's types. */
  readonly ownFrom: number;
  /** Of all names, the base's included: where the names of a table on top of this one begin. */
  readonly nameBytes: number;
  readonly kindOf: (id: number) => BtfKind;
  /** Empty if it has none. */
  readonly nameOf: (id: number) => string;
  /** How many members, values or parameters. */
  readonly lengthOf: (id: number) => number;
  /** For structures: members may be bit-fields. For fwd: it is a union. */
  readonly flagOf: (id: number) => boolean;
  /** Bytes for types with a size; the id of what it refers to for the others. */
  readonly sizeOrTypeOf: (id: number) => number;
  /** The word at this place behind the type's head; each kind has its own. */
  readonly wordOf: (id: number, index: number) => number;
  /** A name by its place in the strings, as words of members and parameters have it. */
  readonly textAt: (offset: number) => string;
};

const MAGIC = 0xeb9f;
const MIN_HEADER_BYTES = 24;
const HEADER_WITH_LAYOUT_BYTES = 32;
const HEAD_BYTES = 12;
const WORD_BYTES = 4;
/** Debian's 7.x has 150,000; kernels with everything built in have less than a million. */
const MAX_TYPES = 4_000_000;
const MAX_BYTES = 256 << 20;
const MAX_NAME_BYTES = 1024;

/** Bytes behind the head: `fixed`, and `each` for every member. By kind, in the order of BTF_KINDS. */
const LAYOUT: readonly { readonly fixed: number; readonly each: number }[] = [
  [0, 0],
  [4, 0],
  [0, 0],
  [12, 0],
  [0, 12],
  [0, 12],
  [0, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8],
  [4, 0],
  [0, 12],
  [0, 0],
  [4, 0],
  [0, 0],
  [0, 12],
].map(([fixed = 0, each = 0]) => ({ fixed, each }));

export function openTypeTable(bytes: Uint8Array, base?: TypeTable): TypeTable {
  const { buffer, types, strings, layout } = readHeader(bytes);
  const first = base?.count ?? 1;
  const places = placesOf(buffer, types, layout);
  const count = first + places.length;
  const namesFrom = base?.nameBytes ?? 0;

  const placeOf = (id: number): number => {
    const place = places[id - first];
    if (place === undefined) throw new BtfError(`there is no type ${id}; the last is ${count - 1}`);
    return place;
  };
  const textAt = (offset: number): string => {
    if (base !== undefined && offset < namesFrom) return base.textAt(offset);
    return readText(buffer, strings, offset - namesFrom);
  };
  const info = (id: number): number => buffer.readUInt32LE(placeOf(id) + WORD_BYTES);

  const own: TypeTable = {
    count,
    ownFrom: first,
    nameBytes: namesFrom + strings.end - strings.start,
    kindOf: (id) => BTF_KINDS[kindNumber(info(id))] ?? 'unknown',
    nameOf: (id) => textAt(buffer.readUInt32LE(placeOf(id))),
    lengthOf: (id) => vlen(info(id)),
    flagOf: (id) => info(id) >>> 31 === 1,
    sizeOrTypeOf: (id) => buffer.readUInt32LE(placeOf(id) + 2 * WORD_BYTES),
    wordOf: (id, index) => {
      const at = placeOf(id) + HEAD_BYTES + index * WORD_BYTES;
      const end = places[id - first + 1] ?? types.end;
      if (index < 0 || at + WORD_BYTES > end) throw new BtfError(`type ${id} has no word ${index}`);
      return buffer.readUInt32LE(at);
    },
    textAt,
  };
  return base === undefined ? withVoid(own) : onTopOf(base, own);
}

function withVoid(own: TypeTable): TypeTable {
  return {
    ...own,
    kindOf: (id) => (id === 0 ? 'void' : own.kindOf(id)),
    nameOf: (id) => (id === 0 ? '' : own.nameOf(id)),
    lengthOf: (id) => (id === 0 ? 0 : own.lengthOf(id)),
    flagOf: (id) => id !== 0 && own.flagOf(id),
    sizeOrTypeOf: (id) => (id === 0 ? 0 : own.sizeOrTypeOf(id)),
  };
}

function onTopOf(base: TypeTable, own: TypeTable): TypeTable {
  const of = (id: number): TypeTable => (id < base.count ? base : own);
  return {
    ...own,
    kindOf: (id) => of(id).kindOf(id),
    nameOf: (id) => of(id).nameOf(id),
    lengthOf: (id) => of(id).lengthOf(id),
    flagOf: (id) => of(id).flagOf(id),
    sizeOrTypeOf: (id) => of(id).sizeOrTypeOf(id),
    wordOf: (id, index) => of(id).wordOf(id, index),
  };
}

type Section = { readonly start: number; readonly end: number };
type Header = { readonly buffer: Buffer; readonly types: Section; readonly strings: Section; readonly layout: typeof LAYOUT };

function readHeader(bytes: Uint8Array): Header {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < MIN_HEADER_BYTES || buffer.length > MAX_BYTES) {
    throw new BtfError(`${buffer.length} bytes; ${MIN_HEADER_BYTES} to ${MAX_BYTES} are right`);
  }
  if (buffer.readUInt16LE(0) !== MAGIC) throw new BtfError('it does not begin as the type information of a little-endian kernel does');
  if (buffer.readUInt8(2) !== 1) throw new BtfError(`version ${buffer.readUInt8(2)}; 1 is right`);
  const headerBytes = buffer.readUInt32LE(4);
  const section = (at: number): Section => {
    const start = headerBytes + buffer.readUInt32LE(at);
    const end = start + buffer.readUInt32LE(at + WORD_BYTES);
    if (end > buffer.length) throw new BtfError(`a part ends at byte ${end}, and there are ${buffer.length}`);
    return { start, end };
  };
  if (headerBytes < MIN_HEADER_BYTES || headerBytes > buffer.length) throw new BtfError(`a header of ${headerBytes} bytes`);
  const types = section(8);
  const strings = section(16);
  if (types.start % WORD_BYTES !== 0) throw new BtfError('types do not begin at a multiple of 4');
  return { buffer, types, strings, layout: headerBytes >= HEADER_WITH_LAYOUT_BYTES ? readLayout(buffer, section(24)) : LAYOUT };
}

/** Kernels since 7.1 may say how long their kinds are, so that readers can pass over those that they do not know. */
function readLayout(buffer: Buffer, section: Section): typeof LAYOUT {
  const told: { fixed: number; each: number }[] = [];
  for (let at = section.start; at + WORD_BYTES <= section.end; at += WORD_BYTES) {
    told.push({ fixed: buffer.readUInt8(at), each: buffer.readUInt8(at + 1) });
  }
  return [...LAYOUT, ...told.slice(LAYOUT.length)];
}

function placesOf(buffer: Buffer, types: Section, layout: typeof LAYOUT): Uint32Array {
  const places: number[] = [];
  for (let at = types.start; at < types.end;) {
    if (at + HEAD_BYTES > types.end) throw new BtfError('the last type is cut off');
    const word = buffer.readUInt32LE(at + WORD_BYTES);
    const shape = layout[kindNumber(word)];
    if (shape === undefined || kindNumber(word) === 0)
      throw new BtfError(`type ${places.length + 1} is of kind ${kindNumber(word)}, which is not known`);
    places.push(at);
    if (places.length > MAX_TYPES) throw new BtfError(`more than ${MAX_TYPES} types`);
    at += HEAD_BYTES + shape.fixed + shape.each * vlen(word);
    if (at > types.end) throw new BtfError('the last type is cut off');
  }
  return Uint32Array.from(places);
}

function kindNumber(word: number): number {
  return (word >>> 24) & 0x7f;
}

function vlen(word: number): number {
  return word & 0xff_ffff;
}

function readText(buffer: Buffer, strings: Section, offset: number): string {
  const start = strings.start + offset;
  if (start < strings.start || start >= strings.end) throw new BtfError(`there is no name at ${offset}`);
  const end = buffer.indexOf(0, start);
  if (end < 0 || end >= strings.end || end - start > MAX_NAME_BYTES) throw new BtfError(`the name at ${offset} does not end`);
  return buffer.toString('latin1', start, end);
}
