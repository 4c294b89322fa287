/** Character codes, both ends included; `negated`: all others. */
export type CharSet = { readonly ranges: readonly (readonly [min: number, max: number])[]; readonly negated: boolean };

export type PatternNode =
  | { readonly is: 'char'; readonly set: CharSet }
  | { readonly is: 'start' | 'end' }
  | { readonly is: 'all' | 'any'; readonly nodes: readonly PatternNode[] }
  | { readonly is: 'repeat'; readonly node: PatternNode; readonly min: number; readonly max: number | null };

export type ParsedPattern =
  | { readonly ok: true; readonly node: PatternNode }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

const MAX_DEPTH = 20;
/** As RE2 bounds it. */
const MAX_REPEAT = 1_000;

/** The part of regular expressions that Go's RE2 and JavaScript read alike, over ASCII. */
export function parseNamePattern(text: string): ParsedPattern {
  const strange = /[^\x20-\x7e]/.exec(text);
  if (strange !== null) {
    return { ok: false, message: 'has a character that no name of a function has' };
  }
  try {
    const reader: Reader = { text, at: 0, depth: 0 };
    const node = readAny(reader);
    return reader.at < text.length ? { ok: false, message: '")" without "("', hint: 'write "\\)" for the character' } : { ok: true, node };
  } catch (error) {
    if (error instanceof PatternError) {
      return error.hint === undefined ? { ok: false, message: error.message } : { ok: false, message: error.message, hint: error.hint };
    }
    throw error;
  }
}

class PatternError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

type Reader = { readonly text: string; at: number; depth: number };

function readAny(reader: Reader): PatternNode {
  const nodes = [readAll(reader)];
  while (reader.text[reader.at] === '|') {
    reader.at += 1;
    nodes.push(readAll(reader));
  }
  return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { is: 'any', nodes };
}

function readAll(reader: Reader): PatternNode {
  const nodes: PatternNode[] = [];
  for (let char = reader.text[reader.at]; char !== undefined && char !== '|' && char !== ')'; char = reader.text[reader.at]) {
    nodes.push(readRepeat(reader, readOne(reader, char)));
  }
  return { is: 'all', nodes };
}

const REPEAT = /^(?:([*+?])|\{(\d{1,4})(,(\d{0,4}))?\})/;

function readRepeat(reader: Reader, node: PatternNode): PatternNode {
  const match = REPEAT.exec(reader.text.slice(reader.at, reader.at + 12));
  if (match === null) {
    return node;
  }
  if (node.is === 'start' || node.is === 'end') {
    throw new PatternError(`"${match[0]}" after an anchor`);
  }
  reader.at += match[0].length;
  if (reader.text[reader.at] === '?') {
    reader.at += 1;
  }
  if (REPEAT.test(reader.text.slice(reader.at, reader.at + 12))) {
    throw new PatternError('a repetition of a repetition', 'use a group');
  }
  const { min, max } = boundsOf(match);
  if (min > MAX_REPEAT || (max !== null && (max > MAX_REPEAT || max < min))) {
    throw new PatternError(`"${match[0]}" is no repetition`, `numbers from 0 to ${MAX_REPEAT}, the smaller one first`);
  }
  return { is: 'repeat', node, min, max };
}

function boundsOf([, sign, low, comma, high]: readonly (string | undefined)[]): { readonly min: number; readonly max: number | null } {
  switch (sign) {
    case '*':
      return { min: 0, max: null };
    case '+':
      return { min: 1, max: null };
    case '?':
      return { min: 0, max: 1 };
    default: {
      const min = Number(low);
      return { min, max: comma === undefined ? min : high === undefined || high === '' ? null : Number(high) };
    }
  }
}

function readOne(reader: Reader, char: string): PatternNode {
  reader.at += 1;
  switch (char) {
    case '^':
      return { is: 'start' };
    case '$':
      return { is: 'end' };
    case '.':
      return { is: 'char', set: { ranges: [], negated: true } };
    case '(':
      return readGroup(reader);
    case '[':
      return { is: 'char', set: readClass(reader) };
    case '\\':
      return { is: 'char', set: readEscape(reader) };
    case '*':
    case '+':
    case '?':
      throw new PatternError(`"${char}" has nothing to repeat`);
    case '{':
    case '}':
    case ']':
      throw new PatternError(`"${char}" is no character here`, `write "\\${char}" for the character`);
    default:
      return { is: 'char', set: single(char) };
  }
}

function readGroup(reader: Reader): PatternNode {
  if (reader.text[reader.at] === '?') {
    if (reader.text[reader.at + 1] !== ':') {
      throw new PatternError('"(?" begins something that not every engine has', 'use "(…)" or "(?:…)"');
    }
    reader.at += 2;
  }
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) {
    throw new PatternError('too many groups inside each other', `at most ${MAX_DEPTH}`);
  }
  const node = readAny(reader);
  reader.depth -= 1;
  if (reader.text[reader.at] !== ')') {
    throw new PatternError('"(" without ")"');
  }
  reader.at += 1;
  return node;
}

const DIGITS = [[0x30, 0x39]] as const;
const WORD = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
] as const;

function readEscape(reader: Reader): CharSet {
  const char = reader.text[reader.at];
  reader.at += 1;
  switch (char) {
    case 'd':
    case 'D':
      return { ranges: DIGITS, negated: char === 'D' };
    case 'w':
    case 'W':
      return { ranges: WORD, negated: char === 'W' };
    default:
      if (char === undefined || /[A-Za-z0-9]/.test(char)) {
        throw new PatternError(`"\\${char ?? ''}" does not mean the same in every engine`, 'use \\d, \\w or a class such as [a-z]');
      }
      return single(char);
  }
}

function readClass(reader: Reader): CharSet {
  const negated = reader.text[reader.at] === '^';
  reader.at += negated ? 1 : 0;
  const ranges: (readonly [number, number])[] = [];
  for (let char = reader.text[reader.at]; char !== ']'; char = reader.text[reader.at]) {
    if (char === undefined) {
      throw new PatternError('"[" without "]"');
    }
    if (char === '[') {
      throw new PatternError('"[" inside a class does not mean the same in every engine', 'write "\\["');
    }
    ranges.push(...readClassPart(reader));
  }
  reader.at += 1;
  if (ranges.length === 0) {
    throw new PatternError('an empty class does not mean the same in every engine');
  }
  return { ranges, negated };
}

function readClassPart(reader: Reader): readonly (readonly [number, number])[] {
  const first = readClassChar(reader);
  const isRange = reader.text[reader.at] === '-' && reader.text[reader.at + 1] !== ']';
  if (!isRange) {
    return first;
  }
  reader.at += 1;
  const last = readClassChar(reader);
  const [low, high] = [onlyOf(first), onlyOf(last)];
  if (low === undefined || high === undefined || low > high) {
    throw new PatternError('a range in a class goes from a smaller character to a larger one', 'write "\\-" for the character');
  }
  return [[low, high]];
}

function readClassChar(reader: Reader): readonly (readonly [number, number])[] {
  const char = reader.text[reader.at] ?? '';
  reader.at += 1;
  if (char !== '\\') {
    return char === '' ? [] : single(char).ranges;
  }
  const set = readEscape(reader);
  if (set.negated) {
    throw new PatternError('\\D and \\W inside a class are not supported', 'use [^…]');
  }
  return set.ranges;
}

function onlyOf(ranges: readonly (readonly [number, number])[]): number | undefined {
  const [range, other] = ranges;
  return range !== undefined && other === undefined && range[0] === range[1] ? range[0] : undefined;
}

function single(char: string): CharSet {
  const code = char.charCodeAt(0);
  return { ranges: [[code, code]], negated: false };
}
