import { quote } from './problem.ts';

const MAX_COMPARED_CHARS = 128;

/** The candidate closest to a misspelt name, or undefined if none is near enough to be meant. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  return nearestNames(name, candidates, 1)[0];
}

/**
 * Up to `limit` candidates near a misspelt name, best first; made for catalogues of 100,000 kernel functions (tens of milliseconds).
 * Near: at most a third of the letters, and at most 4, are wrong, missing, too many or swapped; case does not count.
 */
export function nearestNames(name: string, candidates: Iterable<string>, limit: number): string[] {
  const wanted = name.slice(0, MAX_COMPARED_CHARS).toLowerCase();
  const budget = Math.min(4, Math.max(1, Math.floor(wanted.length / 3)));
  let best: { name: string; distance: number }[] = [];
  let bound = budget;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - wanted.length) > bound) {
      continue;
    }
    const distance = editDistance(wanted, candidate.toLowerCase(), bound);
    if (distance > bound) {
      continue;
    }
    best.push({ name: candidate, distance });
    if (best.length > limit) {
      best = rank(best).slice(0, limit);
      bound = best[limit - 1]?.distance ?? budget;
    }
  }
  return rank(best)
    .slice(0, limit)
    .map((entry) => entry.name);
}

/** `did you mean "x"?`, or undefined. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const near = nearestName(name, candidates);
  return near === undefined ? undefined : `did you mean ${quote(near)}?`;
}

function rank(entries: { name: string; distance: number }[]): { name: string; distance: number }[] {
  return entries.toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
}

/** Edits (insert, delete, replace, swap of neighbours) between two words; anything above `bound` when it is above. */
function editDistance(a: string, b: string, bound: number): number {
  const width = b.length + 1;
  let beforeLast = new Uint16Array(width);
  let last = Uint16Array.from({ length: width }, (_, column) => column);
  let current = new Uint16Array(width);
  for (let row = 1; row <= a.length; row += 1) {
    current[0] = row;
    let smallest = row;
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a.charCodeAt(row - 1) === b.charCodeAt(column - 1) ? 0 : 1;
      let value = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      const swapped =
        row > 1 && column > 1 && a.charCodeAt(row - 1) === b.charCodeAt(column - 2) && a.charCodeAt(row - 2) === b.charCodeAt(column - 1);
      if (swapped) {
        value = Math.min(value, (beforeLast[column - 2] ?? 0) + 1);
      }
      current[column] = value;
      smallest = Math.min(smallest, value);
    }
    if (smallest > bound) {
      return bound + 1;
    }
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  return last[b.length] ?? bound + 1;
}
