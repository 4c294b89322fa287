/**
 * Searches through all names of a kernel, of which one call of `bind` makes only so many: each takes up to a tenth of a second, and a
 * policy may name a thousand functions that are not there. The webhook answers people within seconds.
 */
import { compileNamePattern, type NamePattern } from '../name-pattern.ts';
import { nearestName } from '../nearest.ts';

type ReadablePattern = NamePattern & { readonly ok: true };
type Found = readonly string[] | 'unreadable' | 'too slow';

export type NameSearch = {
  /** `; did you mean "x"?`, or nothing: none is near, or enough was suggested. */
  readonly near: (name: string, candidates: Iterable<string>) => string;
  /** Names that a regular expression matches, in their order. `unreadable`: it is none; `too slow`: nobody should wait for it; `too many`: of patterns. */
  readonly matching: (pattern: string, names: Iterable<string>) => Found | 'too many';
};

const MAX_SUGGESTIONS = 3;
export const MAX_PATTERNS = 8;
/**
 * Of all patterns of one call together: about a second, and less than a tenth of a million is what usual patterns need. A count, never a
 * time, so that every machine decides alike.
 */
export const MAX_SPENT_STEPS = 4_000_000;

export function createNameSearch(): NameSearch {
  let suggestions = 0;
  let spentSteps = 0;
  const found = new Map<string, Found>();
  return {
    near: (name, candidates) => {
      if (suggestions === MAX_SUGGESTIONS) return '';
      suggestions += 1;
      const near = nearestName(name, candidates);
      return near === undefined ? '' : `; did you mean "${near}"?`;
    },
    matching: (pattern, names) => {
      const known = found.get(pattern);
      if (known !== undefined) return known;
      if (found.size === MAX_PATTERNS) return 'too many';
      const compiled = compileNamePattern(pattern);
      if (!compiled.ok) {
        found.set(pattern, 'unreadable');
        return 'unreadable';
      }
      const result = matchesAmong(names, compiled, MAX_SPENT_STEPS - spentSteps);
      spentSteps += compiled.spentSteps();
      found.set(pattern, result);
      return result;
    },
  };
}

function matchesAmong(names: Iterable<string>, pattern: ReadablePattern, maxSteps: number): Found {
  const matching: string[] = [];
  for (const name of names) {
    if (pattern.matches(name)) matching.push(name);
    if (pattern.spentSteps() > maxSteps) return 'too slow';
  }
  return matching;
}
