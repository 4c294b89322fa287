/** Follows `resolve: mm.owner.comm` through the kernel's types, to the place of a value and its type. */
import { nearestName } from '../nearest.ts';
import type { TypeTable } from './type-table.ts';
import { arrayOf, findMember, isComposite, memberNames, plainType, pointee, sizeOf, typeText } from './types.ts';

/** Adds `offset` to an address and, with `dereference`, goes on at the address that is read there. */
export type ResolveStep = { readonly offset: number; readonly dereference: boolean };

export type Resolved = {
  readonly ok: true;
  /** From the value of the pointer that the path begins at to the address of the value. Steps without a pointer between are one. */
  readonly steps: readonly ResolveStep[];
  /** Type of the value at that address. */
  readonly type: number;
  /** Set for bit-fields: counted from the lowest bit at the address. */
  readonly bitField?: { readonly shift: number; readonly bits: number };
};

export type Unresolved = {
  readonly ok: false;
  /** Which step cannot be made. */
  readonly step: number;
  /** One sentence. */
  readonly message: string;
};

/** More bytes than this into a structure are no member of any kernel. */
const MAX_OFFSET = 1 << 30;

/**
 * `start`: the type that the pointer points to at which the path begins. A path that begins with `[N]` takes it for an array of them.
 */
export function resolvePath(types: TypeTable, start: number, path: readonly string[]): Resolved | Unresolved {
  const steps: ResolveStep[] = [];
  let at: Place = { type: start, offset: 0 };
  for (const [position, word] of path.entries()) {
    const fail = (message: string): Unresolved => ({ ok: false, step: position, message });
    if (at.bitField !== undefined) return fail(`${path[position - 1] ?? ''} is a bit-field and has no members`);
    const index = /^\[(\d{1,9})\]$/.exec(word)?.[1];
    const target = index !== undefined && position === 0 ? undefined : pointee(types, at.type);
    if (target !== undefined) {
      steps.push({ offset: at.offset, dereference: true });
      at = { type: target, offset: 0 };
    }
    const isPointed = target !== undefined || position === 0;
    const next = index === undefined ? member(types, at, word) : element(types, at, Number(index), isPointed);
    if (typeof next === 'string') return fail(next);
    if (next.offset > MAX_OFFSET) return fail(`${word} lies ${next.offset} bytes into it`);
    at = next;
  }
  steps.push({ offset: at.offset, dereference: false });
  return { ok: true, steps, type: at.type, ...(at.bitField === undefined ? {} : { bitField: at.bitField }) };
}

type Place = { readonly type: number; readonly offset: number; readonly bitField?: { readonly shift: number; readonly bits: number } };

function member(types: TypeTable, at: Place, name: string): Place | string {
  const composite = plainType(types, at.type);
  if (!isComposite(types, composite)) return whyNoMembers(types, composite, name);
  const found = findMember(types, composite, name);
  if (found === undefined) {
    const near = nearestName(name, memberNames(types, composite));
    return `${typeText(types, composite)} has no member "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
  }
  const offset = at.offset + Math.floor(found.bitOffset / 8);
  const shift = found.bitOffset % 8;
  if (found.bits === 0 && shift === 0) return { type: found.type, offset };
  if (shift + found.bits > 64) return `the bit-field "${name}" lies across two words`;
  return { type: found.type, offset, bitField: { shift, bits: found.bits } };
}

function whyNoMembers(types: TypeTable, type: number, name: string): string {
  const kind = types.kindOf(type);
  if (kind === 'void') return `"${name}" is looked for behind a void *; "btfType" says what it points to`;
  if (kind === 'fwd') return `"${name}" is looked for in ${typeText(types, type)}, which this kernel declares and does not define`;
  return `"${name}" is looked for in ${typeText(types, type)}, which has no members`;
}

/** `isPointed`: the address came from a pointer, which may point to many. */
function element(types: TypeTable, at: Place, index: number, isPointed: boolean): Place | string {
  const array = arrayOf(types, at.type);
  if (array !== undefined) {
    if (array.length > 0 && index >= array.length) return `${typeText(types, at.type)} has no element ${index}`;
    return { type: array.element, offset: at.offset + index * sizeOf(types, array.element) };
  }
  if (!isPointed) return `${typeText(types, at.type)} is no array`;
  const size = sizeOf(types, at.type);
  return size === 0 ? `${typeText(types, at.type)} has no size, so there is no element ${index}` : { type: at.type, offset: index * size };
}
