/** Type information made by hand, for tests. The first type has id 1. */
import { BTF_KINDS, type BtfKind } from '../type-table.ts';

export type WrittenType = {
  readonly kind: Exclude<BtfKind, 'void' | 'unknown'>;
  readonly name?: string;
  /** Size or type, by kind. */
  readonly value?: number;
  readonly flag?: true;
  /** Of structures; with `flag` bits are widths of bit-fields. */
  readonly members?: readonly { readonly name: string; readonly type: number; readonly bitOffset: number; readonly bits?: number }[];
  /** Of prototypes, and values of enumerations. */
  readonly pairs?: readonly (readonly [name: string, value: number])[];
  /** Of integers: 1 is signed. Of arrays: element, index, length. */
  readonly words?: readonly number[];
};

/** `base`: bytes of names before these, for a module's. */
export function writeBtf(types: readonly WrittenType[], base = 0): Buffer {
  const names: Buffer[] = [Buffer.from([0])];
  let length = base + 1;
  const place = (name: string): number => {
    if (name === '') return 0;
    const at = length;
    const bytes = Buffer.from(`${name}\0`, 'latin1');
    names.push(bytes);
    length += bytes.length;
    return at;
  };
  const body = Buffer.concat(types.map((type) => writeType(type, place)));
  const strings = Buffer.concat(names);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  [24, 0, body.length, body.length, strings.length].forEach((word, index) => header.writeUInt32LE(word, 4 + 4 * index));
  return Buffer.concat([header, body, strings]);
}

function writeType(type: WrittenType, place: (name: string) => number): Buffer {
  const { kind, name = '', value = 0, members = [], pairs = [], words = [] } = type;
  const count = members.length + pairs.length;
  const info = (BTF_KINDS.indexOf(kind) << 24) | count | (type.flag === true ? 1 << 31 : 0);
  const more = [
    ...members.flatMap((member) => [place(member.name), member.type, member.bitOffset | ((member.bits ?? 0) << 24)]),
    ...pairs.flatMap(([pairName, pairValue]) => [place(pairName), pairValue]),
    ...words,
  ];
  const bytes = Buffer.alloc(12 + 4 * more.length);
  [place(name), info, value, ...more].forEach((word, index) => bytes.writeUInt32LE(word >>> 0, 4 * index));
  return bytes;
}

/** Numbers of the types of `SMALL_KERNEL`. */
export const ID = {
  int: 1,
  char: 2,
  file: 3,
  filePointer: 4,
  proto: 5,
  open: 6,
  path: 7,
  text: 8,
  inner: 9,
  comm: 10,
  fileTypedef: 11,
} as const;

/** `int security_file_open(struct file *file, char *name)`, `struct file { int flags; struct path f_path; struct { char comm[16] } }`. */
export const SMALL_KERNEL: readonly WrittenType[] = [
  { kind: 'int', name: 'int', value: 4, words: [(1 << 24) | 32] },
  { kind: 'int', name: 'char', value: 1, words: [(1 << 24) | 8] },
  {
    kind: 'struct',
    name: 'file',
    value: 64,
    members: [
      { name: 'f_flags', type: ID.int, bitOffset: 0 },
      { name: 'f_path', type: ID.path, bitOffset: 64 },
      { name: '', type: ID.inner, bitOffset: 256 },
      { name: 'next', type: ID.filePointer, bitOffset: 448 },
    ],
  },
  { kind: 'ptr', value: ID.file },
  {
    kind: 'func_proto',
    value: ID.int,
    pairs: [
      ['file', ID.filePointer],
      ['name', ID.text],
    ],
  },
  { kind: 'func', name: 'security_file_open', value: ID.proto },
  { kind: 'struct', name: 'path', value: 16, members: [{ name: 'dentry', type: ID.text, bitOffset: 64 }] },
  { kind: 'ptr', value: ID.char },
  { kind: 'struct', value: 16, members: [{ name: 'comm', type: ID.comm, bitOffset: 0 }] },
  { kind: 'array', words: [ID.char, ID.int, 16] },
  { kind: 'typedef', name: 'file_t', value: ID.file },
];
