/**
 * Numbers that must mean the same from one link to the next, because the kernel or events in flight still carry them: hook ids, policy
 * numbers, bits of binary sets, scope classes. A number that was freed is given out again as late as possible.
 */
import { createHash } from 'node:crypto';
import { PAL_CLASS_FIRST, PAL_CLASSES, PAL_COUNTERS, PAL_SET_WORDS } from '../abi/layout.ts';

export type NumberSpace = {
  /** What each number stands for. */
  readonly numbers: ReadonlyMap<string, number>;
  /** The number given out last. */
  readonly last: number;
};

export type Allocation = {
  /** By the hook's key. */
  readonly hooks: NumberSpace;
  /** By policy uid; also the index into the counters. */
  readonly policies: NumberSpace;
  /** By digest of the set's values. */
  readonly binarySets: NumberSpace;
  /** By digest of namespace and labels. */
  readonly classes: NumberSpace;
  /** By attach point and policy uid (`lanePlace`): in which of its engines a policy is, if not in the first. Absent: all are. */
  readonly lanes?: ReadonlyMap<string, number>;
};

export type SpaceName = 'hooks' | 'policies' | 'binarySets' | 'classes';

/** A policy's place on an attach point. */
export function lanePlace(key: string, uid: string): string {
  return `${key} ${uid}`;
}

/** First and last number of each space. Hook 0 and policy 0 stand for "none". */
export const SPACE_BOUNDS: Readonly<Record<SpaceName, { readonly first: number; readonly last: number }>> = {
  hooks: { first: 1, last: 65_535 },
  policies: { first: 1, last: PAL_COUNTERS - 1 },
  binarySets: { first: 0, last: 64 * PAL_SET_WORDS - 1 },
  classes: { first: PAL_CLASS_FIRST, last: PAL_CLASSES - 1 },
};

const EMPTY_SPACE: NumberSpace = { numbers: new Map(), last: -1 };
export const EMPTY_ALLOCATION: Allocation = {
  hooks: EMPTY_SPACE,
  policies: EMPTY_SPACE,
  binarySets: EMPTY_SPACE,
  classes: EMPTY_SPACE,
};

/** While a generation is being made, numbers of the one that runs and of the next are both in use. */
export function mergeAllocations(running: Allocation, next: Allocation): Allocation {
  const merge = (a: NumberSpace, b: NumberSpace): NumberSpace => ({ numbers: new Map([...a.numbers, ...b.numbers]), last: b.last });
  return {
    hooks: merge(running.hooks, next.hooks),
    policies: merge(running.policies, next.policies),
    binarySets: merge(running.binarySets, next.binarySets),
    classes: merge(running.classes, next.classes),
    ...(running.lanes === undefined && next.lanes === undefined
      ? {}
      : { lanes: new Map([...(running.lanes ?? []), ...(next.lanes ?? [])]) }),
  };
}

/** Works on one space during one link; `finish` gives the next state, in which only what was asked for keeps its number. */
export type NumberPicker = {
  /** The number of a key, old or new; null when the space is full. */
  numberOf(key: string): number | null;
  /** Takes back what was asked for since nothing came of it. */
  release(key: string): void;
  finish(): NumberSpace;
};

/** `lowest`: binary sets, whose numbers should lie close together. `latest`: all others. */
export function createPicker(space: SpaceName, previous: NumberSpace, prefer: 'lowest' | 'latest'): NumberPicker {
  const bounds = SPACE_BOUNDS[space];
  const kept = new Map<string, number>();
  // Numbers of the previous link stay taken during this one, although their owner may be gone: the old generation still runs.
  const taken = new Set(previous.numbers.values());
  let last = previous.last;

  function free(): number | null {
    const count = bounds.last - bounds.first + 1;
    const start = prefer === 'lowest' || last < bounds.first || last >= bounds.last ? bounds.first : last + 1;
    for (let step = 0; step < count; step += 1) {
      const candidate = bounds.first + ((start - bounds.first + step) % count);
      if (!taken.has(candidate)) return candidate;
    }
    return null;
  }

  return {
    numberOf(key) {
      const known = kept.get(key) ?? previous.numbers.get(key);
      const number = known ?? free();
      if (number === null) return null;
      if (known === undefined) last = number;
      kept.set(key, number);
      taken.add(number);
      return number;
    },
    release(key) {
      const number = kept.get(key);
      if (number === undefined) return;
      kept.delete(key);
      if (previous.numbers.get(key) === undefined) taken.delete(number);
    },
    finish: () => ({ numbers: new Map([...kept].toSorted(([a], [b]) => (a < b ? -1 : 1))), last }),
  };
}

/** A short stable name for something long. */
export function digestKey(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url').slice(0, 22);
}
