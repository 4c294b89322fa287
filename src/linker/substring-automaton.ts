/**
 * All substrings of one plane as one automaton (Aho and Corasick, 1975): it reads a text byte by byte, and after every byte its state's
 * outputs are the selectors of all values that end there.
 */
import { PAL_AC_CLASSES, PAL_AC_OUT } from '../abi/layout.ts';
import type { SelectorMask } from '../abi/selector-mask.ts';

export type Automaton = {
  /** Byte classes; class 0: bytes that no value has. */
  readonly classes: Uint8Array;
  /** PAL_AC_CLASSES states for each state; state 0 is the root. */
  readonly next: Uint16Array;
  /** By state. */
  readonly outputs: readonly SelectorMask[];
};

/** Different bytes of values: one automaton knows at most PAL_AC_CLASSES - 1 of them. */
export const MAX_PATTERN_BYTES = PAL_AC_CLASSES - 1;

/** ASCII letters as the automaton without case sees them. */
export function withoutCase(bytes: string): string {
  return bytes.replaceAll(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x20));
}

/** As a set: bit b is byte b. */
export function bytesOf(patterns: Iterable<string>): bigint {
  let set = 0n;
  const seen = new Set<number>();
  for (const pattern of patterns) {
    for (let i = 0; i < pattern.length; i += 1) {
      const byte = pattern.charCodeAt(i);
      if (seen.has(byte)) continue;
      seen.add(byte);
      set |= 1n << BigInt(byte);
    }
  }
  return set;
}

export function countBytes(set: bigint): number {
  let count = 0;
  for (let rest = set; rest !== 0n; rest &= rest - 1n) count += 1;
  return count;
}

/** Without building it. */
export function countStates(patterns: Iterable<string>): number {
  let states = 1;
  let previous = '';
  for (const pattern of [...patterns].toSorted()) {
    let common = 0;
    while (common < previous.length && common < pattern.length && previous[common] === pattern[common]) common += 1;
    states += pattern.length - common;
    previous = pattern;
  }
  return states;
}

/** Patterns are byte strings, with letters in lower case for `folded`. They must keep to the bounds that the counters above tell. */
export function buildAutomaton(patterns: ReadonlyMap<string, SelectorMask>, folded: 'exact' | 'folded'): Automaton {
  const classes = byteClasses(patterns.keys(), folded);
  const states = countStates(patterns.keys());
  const next = new Uint16Array(states * PAL_AC_CLASSES);
  const outputs = Array.from<SelectorMask>({ length: states }).fill(0n);
  let used = 1;
  for (const [pattern, selectors] of patterns) {
    let state = 0;
    for (let i = 0; i < pattern.length; i += 1) {
      const edge = state * PAL_AC_CLASSES + (classes[pattern.charCodeAt(i)] ?? 0);
      if (next[edge] === 0) {
        next[edge] = used;
        used += 1;
      }
      state = next[edge] ?? 0;
    }
    outputs[state] = (outputs[state] ?? 0n) | selectors;
  }
  connect(next, outputs);
  for (let edge = 0; edge < next.length; edge += 1) {
    const target = next[edge] ?? 0;
    if (outputs[target] !== 0n) next[edge] = target | PAL_AC_OUT;
  }
  return { classes, next, outputs };
}

/** Missing edges lead where the longest proper end of the text so far leads. In breadth-first order that state is complete already. */
function connect(next: Uint16Array, outputs: SelectorMask[]): void {
  const fallback = new Uint16Array(outputs.length);
  const queue: number[] = [];
  for (let i = 0; i < PAL_AC_CLASSES; i += 1) {
    const child = next[i] ?? 0;
    if (child !== 0) queue.push(child);
  }
  for (const state of queue) {
    const other = fallback[state] ?? 0;
    outputs[state] = (outputs[state] ?? 0n) | (outputs[other] ?? 0n);
    for (let i = 0; i < PAL_AC_CLASSES; i += 1) {
      const edge = state * PAL_AC_CLASSES + i;
      const beyond = next[other * PAL_AC_CLASSES + i] ?? 0;
      const child = next[edge] ?? 0;
      if (child === 0) {
        next[edge] = beyond;
        continue;
      }
      fallback[child] = beyond;
      queue.push(child);
    }
  }
}

function byteClasses(patterns: Iterable<string>, folded: 'exact' | 'folded'): Uint8Array {
  const classes = new Uint8Array(256);
  let used = 0;
  const set = bytesOf(patterns);
  for (let byte = 0; byte < 256; byte += 1) {
    if (((set >> BigInt(byte)) & 1n) === 0n) continue;
    used += 1;
    classes[byte] = used;
    if (folded === 'folded' && byte >= 0x61 && byte <= 0x7a) classes[byte - 0x20] = used;
  }
  return classes;
}
