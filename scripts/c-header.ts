/**
 * Reads the small subset of C in which native/abi/palisade.h is written: object-like macros with constant values, enums, structs of
 * fixed-width integers, char and other structs, arrays, and PAL_ASSERT lines. Anything else is an error: a layout must never be guessed.
 */

export type CField = {
  readonly name: string;
  readonly offset: number;
  /** Of one element. */
  readonly elementBytes: number;
  /** Product of the dimensions; 1 for a plain field, 0 for a flexible array at the end. */
  readonly elements: number;
};

export type CStruct = { readonly name: string; readonly bytes: number; readonly align: number; readonly fields: readonly CField[] };

export type CHeader = {
  /** Macros and enumerators in the order of the header. */
  readonly constants: ReadonlyMap<string, number>;
  readonly structs: ReadonlyMap<string, CStruct>;
  /** How many PAL_ASSERT lines were checked against the computed layout. */
  readonly asserted: number;
};

const SCALAR_BYTES: ReadonlyMap<string, number> = new Map([
  ['u8', 1],
  ['char', 1],
  ['u16', 2],
  ['u32', 4],
  ['s32', 4],
  ['u64', 8],
  ['s64', 8],
]);

/** Throws an Error that names the construct it cannot read, or the assertion that does not hold. */
export function readHeader(source: string): CHeader {
  const text = source.replaceAll(/\/\*[\s\S]*?\*\//g, ' ').replaceAll(/\/\/.*$/gm, ' ');
  const constants = new Map<string, number>();
  const structs = new Map<string, CStruct>();
  let asserted = 0;
  for (const statement of statements(text)) {
    const define = /^#define\s+(\w+)\s+(.+)$/.exec(statement);
    if (define !== null) {
      constants.set(part(define, 1), evaluate(part(define, 2), constants));
      continue;
    }
    const enumeration = /^enum\s+\w+\s*\{([\s\S]*)\}$/.exec(statement);
    if (enumeration !== null) {
      readEnum(part(enumeration, 1), constants);
      continue;
    }
    const struct = /^struct\s+(\w+)\s*\{([\s\S]*)\}$/.exec(statement);
    if (struct !== null) {
      structs.set(part(struct, 1), readStruct(part(struct, 1), part(struct, 2), constants, structs));
      continue;
    }
    const assertion = /^PAL_ASSERT\(([\s\S]*)\)$/.exec(statement);
    if (assertion !== null) {
      checkAssertion(part(assertion, 1), constants, structs);
      asserted += 1;
      continue;
    }
    if (!/^(typedef\s|#(include|ifndef|ifdef|if|else|endif|define))/.test(statement)) {
      throw new Error(`the ABI header has a construct that the generator cannot read: ${statement.slice(0, 80)}`);
    }
  }
  return { constants, structs, asserted };
}

/** Preprocessor lines, and declarations up to the semicolon that ends them. */
function* statements(text: string): Generator<string> {
  let pending = '';
  let depth = 0;
  for (const line of text.split('\n')) {
    if (pending.trim() === '' && line.trim().startsWith('#')) {
      yield line.trim();
      continue;
    }
    for (const char of `${line}\n`) {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      if (char === ';' && depth === 0) {
        if (pending.trim() !== '') yield pending.trim();
        pending = '';
      } else {
        pending += char;
      }
    }
  }
  if (pending.trim() !== '') throw new Error(`the ABI header ends inside a declaration: ${pending.trim().slice(0, 80)}`);
}

function readEnum(body: string, constants: Map<string, number>): void {
  let next = 0;
  for (const item of body.split(',')) {
    const entry = item.trim();
    if (entry === '') continue;
    const match = /^(\w+)(?:\s*=\s*(.+))?$/.exec(entry);
    if (match === null) throw new Error(`unreadable enumerator: ${entry}`);
    const value = match[2] === undefined ? next : evaluate(match[2], constants);
    constants.set(part(match, 1), value);
    next = value + 1;
  }
}

function readStruct(name: string, body: string, constants: ReadonlyMap<string, number>, structs: ReadonlyMap<string, CStruct>): CStruct {
  const fields: CField[] = [];
  let offset = 0;
  let align = 1;
  for (const declaration of body.split(';')) {
    const line = declaration.trim().replaceAll(/\s+/g, ' ');
    if (line === '') continue;
    const match = /^(?:struct )?(\w+) (.+)$/.exec(line);
    if (match === null) throw new Error(`struct ${name}: unreadable field: ${line}`);
    const type = typeOf(part(match, 1), structs, name);
    for (const declarator of part(match, 2).split(',')) {
      const field = /^(\w+)((?:\[[^\]]*\])*)$/.exec(declarator.trim());
      if (field === null) throw new Error(`struct ${name}: unreadable field: ${declarator}`);
      const dimensions = [...part(field, 2).matchAll(/\[([^\]]*)\]/g)].map((d) =>
        part(d, 1).trim() === '' ? 0 : evaluate(part(d, 1), constants),
      );
      const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
      offset = roundUp(offset, type.align);
      fields.push({ name: part(field, 1), offset, elementBytes: type.bytes, elements });
      offset += type.bytes * elements;
      align = Math.max(align, type.align);
    }
  }
  return { name, bytes: roundUp(offset, align), align, fields };
}

function typeOf(type: string, structs: ReadonlyMap<string, CStruct>, inside: string): { bytes: number; align: number } {
  const scalar = SCALAR_BYTES.get(type);
  if (scalar !== undefined) return { bytes: scalar, align: scalar };
  const struct = structs.get(type);
  if (struct === undefined) throw new Error(`struct ${inside}: unknown type ${type}`);
  return struct;
}

function checkAssertion(text: string, constants: ReadonlyMap<string, number>, structs: ReadonlyMap<string, CStruct>): void {
  const size = /^sizeof\(struct (\w+)\) == (.+)$/.exec(text.trim());
  const offset = /^offsetof\(struct (\w+), (\w+)\) == (.+)$/.exec(text.trim());
  const struct = structs.get((size ?? offset)?.[1] ?? '');
  if (struct === undefined) throw new Error(`unreadable assertion: ${text}`);
  const actual = size === null ? struct.fields.find((field) => field.name === offset?.[2])?.offset : struct.bytes;
  const wanted = evaluate(size?.[2] ?? offset?.[3] ?? '', constants);
  if (actual !== wanted) throw new Error(`the header asserts ${text}, the generator computes ${actual}`);
}

/** Integers, names, parentheses, `<<`, `|`, `*`, `+`, `-` with C's precedence. */
function evaluate(expression: string, constants: ReadonlyMap<string, number>): number {
  const tokens = expression.match(/0x[0-9a-fA-F]+|\d+|\w+|<<|[()|*+-]/g) ?? [];
  let at = 0;
  const levels: readonly (readonly string[])[] = [['|'], ['<<'], ['+', '-'], ['*']];
  function primary(): number {
    const token = tokens[at++];
    if (token === undefined) throw new Error(`unreadable expression: ${expression}`);
    if (token === '(') {
      const value = binary(0);
      if (tokens[at++] !== ')') throw new Error(`unbalanced expression: ${expression}`);
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    const value = constants.get(token);
    if (value === undefined) throw new Error(`unknown name ${token} in ${expression}`);
    return value;
  }
  function binary(level: number): number {
    const operators = levels[level];
    if (operators === undefined) return primary();
    let left = binary(level + 1);
    for (let token = tokens[at]; token !== undefined && operators.includes(token); token = tokens[at]) {
      at += 1;
      const right = binary(level + 1);
      if (token === '|') left |= right;
      else if (token === '<<') left *= 2 ** right;
      else if (token === '*') left *= right;
      else left += token === '+' ? right : -right;
    }
    return left;
  }
  const value = binary(0);
  if (at !== tokens.length) throw new Error(`unreadable expression: ${expression}`);
  return value;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function part(match: RegExpExecArray | RegExpMatchArray, group: number): string {
  return match[group] ?? '';
}
