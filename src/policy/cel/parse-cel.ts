import { CelError } from './cel-error.ts';
import { type Token, tokensOf } from './tokens.ts';
import { quote } from '../problem.ts';

/** An expression as written, not yet typed. */
export type CelSyntax =
  | { readonly kind: 'number'; readonly column: number; readonly value: bigint; readonly isUnsigned: boolean }
  | { readonly kind: 'bool'; readonly column: number; readonly value: boolean }
  | { readonly kind: 'name'; readonly column: number; readonly name: string }
  | { readonly kind: 'call'; readonly column: number; readonly name: string; readonly args: readonly CelSyntax[] }
  | { readonly kind: 'unary'; readonly column: number; readonly symbol: '-' | '!'; readonly of: CelSyntax }
  | {
      readonly kind: 'binary';
      readonly column: number;
      readonly symbol: BinarySymbol;
      readonly left: CelSyntax;
      readonly right: CelSyntax;
    };

export type BinarySymbol = '||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-';

/** Symbols that bind equally, loosest first. */
const LEVELS: readonly (readonly BinarySymbol[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-']];

const MAX_CHARS = 2_048;
const MAX_DEPTH = 32;

export function parseCel(text: string): CelSyntax {
  if (text.length > MAX_CHARS) {
    throw new CelError(MAX_CHARS + 1, `the expression has ${text.length} characters`, `at most ${MAX_CHARS}`);
  }
  const reader = new Reader(tokensOf(text));
  const expression = readLevel(reader, 0, 0);
  const rest = reader.peek();
  if (rest.kind !== 'end') {
    throw unexpected(rest);
  }
  return expression;
}

class Reader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', column: 1 };
  }

  take(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  expect(symbol: string): void {
    const token = this.take();
    if (token.kind !== 'symbol' || token.text !== symbol) {
      throw unexpected(token, `${quote(symbol)} is missing`);
    }
  }
}

function readLevel(reader: Reader, level: number, depth: number): CelSyntax {
  const symbols = LEVELS[level];
  if (symbols === undefined) {
    return readUnary(reader, depth);
  }
  let left = readLevel(reader, level + 1, depth);
  for (;;) {
    const token = reader.peek();
    const symbol = token.kind === 'symbol' ? symbols.find((each) => each === token.text) : undefined;
    if (symbol === undefined) {
      return left;
    }
    reader.take();
    left = { kind: 'binary', column: token.column, symbol, left, right: readLevel(reader, level + 1, depth) };
  }
}

function readUnary(reader: Reader, depth: number): CelSyntax {
  const { kind, text, column } = reader.peek();
  if (depth > MAX_DEPTH) {
    throw new CelError(column, 'the expression is nested too deeply', `at most ${MAX_DEPTH} levels`);
  }
  if (kind !== 'symbol' || (text !== '-' && text !== '!')) {
    return readPrimary(reader, depth);
  }
  reader.take();
  const of = readUnary(reader, depth + 1);
  // The least number of 64 bits has no positive twin, so the sign belongs to the literal.
  return text === '-' && of.kind === 'number' && !of.isUnsigned && of.value > 0n
    ? { ...of, column, value: -of.value }
    : { kind: 'unary', column, symbol: text, of };
}

function readPrimary(reader: Reader, depth: number): CelSyntax {
  const token = reader.take();
  const { column } = token;
  switch (token.kind) {
    case 'number':
      return numberOf(token);
    case 'name':
      if (token.text === 'true' || token.text === 'false') {
        return { kind: 'bool', column, value: token.text === 'true' };
      }
      return reader.peek().text === '('
        ? { kind: 'call', column, name: token.text, args: readArguments(reader, depth) }
        : { kind: 'name', column, name: token.text };
    case 'symbol':
      if (token.text === '(') {
        const inner = readLevel(reader, 0, depth + 1);
        reader.expect(')');
        return inner;
      }
      throw unexpected(token);
    case 'end':
      throw unexpected(token);
  }
}

function readArguments(reader: Reader, depth: number): readonly CelSyntax[] {
  reader.expect('(');
  const args = [readLevel(reader, 0, depth + 1)];
  while (reader.peek().text === ',') {
    reader.take();
    args.push(readLevel(reader, 0, depth + 1));
  }
  reader.expect(')');
  return args;
}

const NUMBER = /^(0[xX][0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,19})([uU]?)$/;

function numberOf({ text, column }: Token): CelSyntax {
  const [, digits, suffix] = NUMBER.exec(text) ?? [];
  if (digits === undefined) {
    throw new CelError(column, `${quote(text)} is no integer of 64 bits`, 'for example 42, 0x2a or 42u');
  }
  return { kind: 'number', column, value: BigInt(digits), isUnsigned: suffix !== '' };
}

function unexpected(token: Token, message?: string): CelError {
  const what = token.kind === 'end' ? 'the expression ends too early' : `${quote(token.text)} cannot stand here`;
  return new CelError(token.column, message === undefined ? what : `${what}: ${message}`);
}
