import type { Draft } from './draft.ts';

/** One thing about a call that can be varied: every choice is a change of a draft. The first is the plainest. */
export type Dimension = { readonly name: string; readonly choices: readonly ((draft: Draft) => Draft)[] };

/** More values of one list are not tried; those that only one of the policies has come first. */
export const MAX_VALUES = 48;

/** The first ones of a list, each once. */
export function distinct<Value>(values: readonly Value[], max: number): readonly Value[] {
  const seen = new Map<string, Value>();
  for (const value of values) {
    const key = JSON.stringify(value) ?? 'undefined';
    if (!seen.has(key)) seen.set(key, value);
    if (seen.size === max) break;
  }
  return [...seen.values()];
}

/** Values that the fewest of these lists have come first: what only one of two policies has. */
export function rarestFirst(lists: readonly (readonly string[])[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const list of lists) for (const value of list) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => a - b).map(([value]) => value);
}

/** The first of every list, then the second of every list, and so on: a bound cuts all of them alike. */
export function interleaved<Value>(lists: readonly (readonly Value[])[]): readonly Value[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat();
}

/** A text and its neighbours: longer, shorter, with something before it. */
export function neighbours(text: string): readonly string[] {
  const chars = Array.from(text);
  return [text, `${text}x`, chars.slice(0, -1).join(''), `x${text}`, chars.slice(1).join('')].filter((each) => each !== '');
}
