/**
 * Searches through all names of a kernel, of which one call of `bind` makes only so many: each takes up to a tenth of a second, and a
 * policy may name a thousand functions that are not there. The webhook answers people within seconds.
 */
import { compileNamePattern } from '../name-pattern.ts';
import { nearestName } from '../nearest.ts';

export type NameSearch = {
  /** `; did you mean "x"?`, or nothing: none is near, or enough was suggested. */
  readonly near: (name: string, candidates: Iterable<string>) => string;
  /** Names that a regular expression matches, in their order. `unreadable`: it is none; `too many`: of patterns. */
  readonly matching: (pattern: string, names: Iterable<string>) => readonly string[] | 'unreadable' | 'too many';
};

const MAX_SUGGESTIONS = 3;
export const MAX_PATTERNS = 8;

export function createNameSearch(): NameSearch {
  let suggestions = 0;
  const found = new Map<string, readonly string[] | 'unreadable'>();
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
      const result = compiled.ok ? [...names].filter((name) => compiled.matches(name)) : 'unreadable';
      found.set(pattern, result);
      return result;
    },
  };
}
