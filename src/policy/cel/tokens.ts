import { CelError } from './cel-error.ts';
import { quote } from '../problem.ts';

export type Token = {
  readonly kind: 'number' | 'name' | 'symbol' | 'end';
  readonly text: string;
  /** In characters from 1. */
  readonly column: number;
};

const TOKEN = /(?<space>[ \t\r\n]+)|(?<number>[0-9][0-9A-Za-z_.]*)|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<symbol>&&|\|\||[=!<>]=|[-+!<>(),])/y;

/** Symbols of CEL that have no meaning here, and what to write instead. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['&', 'for bits use and(a, b); for conditions use &&'],
  ['|', 'for bits use or(a, b); for conditions use ||'],
  ['^', 'use xor(a, b)'],
  ['~', 'use not(a)'],
  ['=', 'use =='],
]);

/** The tokens of an expression, with one of kind `end` behind them. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      throw new CelError(at + 1, `${quote(character)} is no part of an expression`, OTHERS.get(character));
    }
    for (const kind of ['number', 'name', 'symbol'] as const) {
      const found = groups[kind];
      if (found !== undefined) {
        tokens.push({ kind, text: found, column: at + 1 });
      }
    }
  }
  return [...tokens, { kind: 'end', text: '', column: text.length + 1 }];
}
