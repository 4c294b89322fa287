/** What types are: without the modifiers and other names around them, with their members, and in C's words. */
import { BtfError } from './btf-error.ts';
import type { TypeTable } from './type-table.ts';

/** A member of a structure or union. */
export type Member = {
  /** Empty for a nameless structure inside another. */
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** Width of a bit-field; 0: it is none. */
  readonly bits: number;
};

export type Parameter = { readonly name: string; readonly type: number };

export type IntType = { readonly bytes: number; readonly signed: boolean };

/** How far references are followed before they are taken for a circle. */
const MAX_REFERENCES = 64;
const MAX_DEPTH = 16;
/** Nameless structures inside one; the kernel's largest have a few dozen. */
const MAX_NAMELESS = 1_000;
const MAX_MEMBERS = 65_535;
const MAX_TEXT_CHARS = 160;

const TRANSPARENT: ReadonlySet<string> = new Set(['typedef', 'const', 'volatile', 'restrict', 'type_tag']);

/** The type itself, behind typedefs, `const` and the like. */
export function plainType(types: TypeTable, id: number): number {
  let at = id;
  for (let step = 0; TRANSPARENT.has(types.kindOf(at)); step += 1) {
    if (step === MAX_REFERENCES) throw new BtfError(`type ${id} refers to itself`);
    at = types.sizeOrTypeOf(at);
  }
  return at;
}

/** What a pointer points to, as it stands there; undefined if the type is none. */
export function pointee(types: TypeTable, id: number): number | undefined {
  const plain = plainType(types, id);
  return types.kindOf(plain) === 'ptr' ? types.sizeOrTypeOf(plain) : undefined;
}

/** True for pointers into the memory of a process, on kernels that say so (5.18). */
export function isUserPointer(types: TypeTable, id: number): boolean {
  let at = pointee(types, id);
  for (let step = 0; at !== undefined && step < MAX_REFERENCES && TRANSPARENT.has(types.kindOf(at)); step += 1) {
    if (types.kindOf(at) === 'type_tag' && types.nameOf(at) === 'user') return true;
    at = types.sizeOrTypeOf(at);
  }
  return false;
}

/** Numbers, truth values and enumerations; undefined for everything else. */
export function intType(types: TypeTable, id: number): IntType | undefined {
  const plain = plainType(types, id);
  const kind = types.kindOf(plain);
  if (kind === 'enum' || kind === 'enum64') return { bytes: types.sizeOrTypeOf(plain), signed: types.flagOf(plain) };
  if (kind !== 'int') return undefined;
  return { bytes: types.sizeOrTypeOf(plain), signed: ((types.wordOf(plain, 0) >>> 24) & 1) === 1 };
}

export function isComposite(types: TypeTable, id: number): boolean {
  const kind = types.kindOf(id);
  return kind === 'struct' || kind === 'union';
}

export function* membersOf(types: TypeTable, id: number): Generator<Member> {
  if (!isComposite(types, id)) return;
  const hasBitFields = types.flagOf(id);
  const count = Math.min(types.lengthOf(id), MAX_MEMBERS);
  for (let index = 0; index < count; index += 1) {
    const place = types.wordOf(id, index * 3 + 2);
    yield {
      name: types.textAt(types.wordOf(id, index * 3)),
      type: types.wordOf(id, index * 3 + 1),
      bitOffset: hasBitFields ? place & 0xff_ffff : place,
      bits: hasBitFields ? place >>> 24 : 0,
    };
  }
}

/** A member by name, also inside nameless structures and unions, whose members count as the outer one's. */
export function findMember(types: TypeTable, id: number, name: string): Member | undefined {
  for (const member of namedMembers(types, id, 0, new Set())) if (member.name === name) return member;
  return undefined;
}

/** Names that `findMember` finds, for suggestions. */
export function* memberNames(types: TypeTable, id: number): Generator<string> {
  for (const member of namedMembers(types, id, 0, new Set())) yield member.name;
}

/** `seen`: no type is gone through twice, so that this ends for types that contain themselves. */
function* namedMembers(types: TypeTable, id: number, bitOffset: number, seen: Set<number>): Generator<Member> {
  if (seen.has(id) || seen.size > MAX_NAMELESS) return;
  seen.add(id);
  for (const member of membersOf(types, id)) {
    const at = bitOffset + member.bitOffset;
    if (member.name !== '') yield { ...member, bitOffset: at };
    else yield* namedMembers(types, plainType(types, member.type), at, seen);
  }
}

/** Elements of an array; undefined if the type is none. */
export function arrayOf(types: TypeTable, id: number): { readonly element: number; readonly length: number } | undefined {
  const plain = plainType(types, id);
  return types.kindOf(plain) === 'array' ? { element: types.wordOf(plain, 0), length: types.wordOf(plain, 2) } : undefined;
}

/** Bytes that a value takes; 0 for what has no size. */
export function sizeOf(types: TypeTable, id: number, depth = 0): number {
  const plain = plainType(types, id);
  switch (types.kindOf(plain)) {
    case 'int':
    case 'struct':
    case 'union':
    case 'enum':
    case 'enum64':
    case 'float':
      return types.sizeOrTypeOf(plain);
    case 'ptr':
      return 8;
    case 'array': {
      if (depth === MAX_DEPTH) throw new BtfError(`type ${id} is an array of arrays without end`);
      return sizeOf(types, types.wordOf(plain, 0), depth + 1) * types.wordOf(plain, 2);
    }
    default:
      return 0;
  }
}

/** The parameters of a function's prototype, without the dots of those that take any number. */
export function parametersOf(types: TypeTable, prototype: number): readonly Parameter[] {
  if (types.kindOf(prototype) !== 'func_proto') return [];
  const count = Math.min(types.lengthOf(prototype), MAX_MEMBERS);
  const all = Array.from({ length: count }, (_, index) => ({
    name: types.textAt(types.wordOf(prototype, index * 2)),
    type: types.wordOf(prototype, index * 2 + 1),
  }));
  const last = all.at(-1);
  return last !== undefined && last.type === 0 && last.name === '' ? all.slice(0, -1) : all;
}

/** In C's words: `const struct file *`. */
export function typeText(types: TypeTable, id: number): string {
  return textOf(types, id, 0).slice(0, MAX_TEXT_CHARS);
}

function textOf(types: TypeTable, id: number, depth: number): string {
  if (depth > MAX_DEPTH) return '…';
  const inner = (): string => textOf(types, types.sizeOrTypeOf(id), depth + 1);
  const name = types.nameOf(id);
  switch (types.kindOf(id)) {
    case 'void':
      return 'void';
    case 'struct':
      return name === '' ? 'struct' : `struct ${name}`;
    case 'union':
      return name === '' ? 'union' : `union ${name}`;
    case 'enum':
    case 'enum64':
      return name === '' ? 'enum' : `enum ${name}`;
    case 'fwd':
      return `${types.flagOf(id) ? 'union' : 'struct'} ${name}`;
    case 'const':
      return types.kindOf(types.sizeOrTypeOf(id)) === 'ptr' ? `${inner()}const` : `const ${inner()}`;
    case 'ptr':
      return types.kindOf(types.sizeOrTypeOf(id)) === 'func_proto' ? 'a function' : `${inner()} *`.replace('* *', '**');
    case 'volatile':
    case 'restrict':
      return inner();
    case 'type_tag':
      return name === 'user' ? `${inner()} __user` : inner();
    case 'array': {
      const array = arrayOf(types, id);
      return array === undefined ? '[]' : `${textOf(types, array.element, depth + 1)}[${array.length}]`;
    }
    case 'func_proto':
      return 'a function';
    default:
      return name;
  }
}
