/** Reproducible random choices: the same seed gives the same ones. Small and fast (mulberry32); good enough to draw test cases. */
export type Random = {
  /** 0…below-1. */
  int(below: number): number;
  /** True once in `of` times. */
  oneIn(of: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** 1…max different ones, in the order of the list. */
  some<T>(items: readonly T[], max: number): readonly T[];
};

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const random: Random = {
    int: (below) => next() % below,
    oneIn: (of) => next() % of === 0,
    pick(items) {
      const item = items[next() % items.length];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
    some(items, max) {
      const wanted = 1 + (next() % max);
      const chosen = new Set<number>();
      for (let i = 0; i < wanted; i += 1) chosen.add(next() % items.length);
      return items.filter((_, i) => chosen.has(i));
    },
  };
  return random;
}
