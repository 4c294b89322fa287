/** What a kernel hands out at one place, seen the same way whether its type information or the format of a tracepoint says it. */
import type { TypeTable } from '../btf/type-table.ts';
import { arrayOf, intType, isComposite, membersOf, plainType, pointee, sizeOf, typeText } from '../btf/types.ts';
import type { TracepointField } from '../kernel-facts.ts';

export type ValueShape = {
  /** In C's words, for messages. */
  readonly text: string;
} & (
  | { readonly kind: 'number'; readonly bytes: number; readonly signed: boolean }
  /** `to`: names of the structure that it points to and of those that this begins with; `char`; empty: not told. */
  | { readonly kind: 'pointer'; readonly to: readonly string[] }
  /** A structure that lies there itself; names as for pointers. */
  | { readonly kind: 'structure'; readonly names: readonly string[]; readonly bytes: number }
  | { readonly kind: 'array'; readonly of: 'char' | 'other'; readonly bytes: number }
  /** Text of variable length in a tracepoint's record. */
  | { readonly kind: 'located' }
  | { readonly kind: 'nothing' }
);

const MAX_BEGINNINGS = 8;

export function shapeOfType(types: TypeTable, id: number): ValueShape {
  const text = typeText(types, id);
  const number = intType(types, id);
  if (number !== undefined) return { kind: 'number', ...number, text };
  const target = pointee(types, id);
  if (target !== undefined) return { kind: 'pointer', to: namesOfTarget(types, target), text };
  const plain = plainType(types, id);
  if (isComposite(types, plain)) return { kind: 'structure', names: beginnings(types, plain), bytes: sizeOf(types, plain), text };
  const array = arrayOf(types, id);
  if (array !== undefined) {
    return { kind: 'array', of: isChar(types, array.element) ? 'char' : 'other', bytes: sizeOf(types, id), text };
  }
  return { kind: 'nothing', text };
}

function namesOfTarget(types: TypeTable, target: number): readonly string[] {
  const plain = plainType(types, target);
  const kind = types.kindOf(plain);
  if (kind === 'fwd') return [types.nameOf(plain)];
  if (isComposite(types, plain)) return beginnings(types, plain);
  if (kind === 'void') return [];
  return isChar(types, plain) ? ['char'] : [typeText(types, plain)];
}

/** The structure's name, and those of the structures that lie at its beginning: a `struct tcp_sock` begins with a `struct sock`. */
function beginnings(types: TypeTable, composite: number): readonly string[] {
  const names: string[] = [];
  let at: number | undefined = composite;
  while (at !== undefined && isComposite(types, at) && names.length < MAX_BEGINNINGS) {
    names.push(types.nameOf(at));
    const [first] = membersOf(types, at);
    at = first === undefined || first.bitOffset !== 0 ? undefined : plainType(types, first.type);
  }
  return names;
}

function isChar(types: TypeTable, id: number): boolean {
  return intType(types, id)?.bytes === 1;
}

/** A field of a tracepoint, or, of those of system calls, an argument. */
export function shapeOfField(field: TracepointField): ValueShape {
  const text = field.declaration;
  if (field.dataLocation) return { kind: 'located', text };
  const array = /\[[^\]]*\]$/.test(field.declaration);
  if (array) return { kind: 'array', of: /\b(char|u8|__u8)\b/.test(field.declaration) ? 'char' : 'other', bytes: field.bytes, text };
  if (!field.declaration.includes('*')) {
    return [1, 2, 4, 8].includes(field.bytes)
      ? { kind: 'number', bytes: field.bytes, signed: field.signed, text }
      : { kind: 'structure', names: [], bytes: field.bytes, text };
  }
  if (/\*\s*\*/.test(field.declaration)) return { kind: 'pointer', to: ['pointers'], text };
  const target = /(?:struct|union)\s+(\w+)/.exec(field.declaration)?.[1];
  if (target !== undefined) return { kind: 'pointer', to: [target], text };
  return { kind: 'pointer', to: /\bchar\b/.test(field.declaration) ? ['char'] : [], text };
}
