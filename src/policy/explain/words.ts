import { quote } from '../problem.ts';

/** More of them no sentence carries. */
const MAX_LISTED = 8;

/** `a, b and c`. */
export function andList(words: readonly string[]): string {
  return joined(words, 'and');
}

/** `a, b or c`. */
export function orList(words: readonly string[]): string {
  return joined(words, 'or');
}

/** `"a", "b" or "c"`; of many the first, and how many more there are. */
export function orQuoted(values: readonly string[]): string {
  return orList(shortened(values.map((value) => quote(value))));
}

/** Of many the first, and how many more there are. */
export function shortened(words: readonly string[], max = MAX_LISTED): readonly string[] {
  return words.length <= max ? words : [...words.slice(0, max - 1), `${words.length - max + 1} more`];
}

export function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function joined(words: readonly string[], word: string): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${word} ${words.at(-1) ?? ''}`;
}
