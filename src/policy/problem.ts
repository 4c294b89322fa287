import type { ProblemCode } from './problem-codes.ts';

/** Something that is wrong (`error`) or probably not meant (`warning`) in a policy. */
export type Problem = {
  readonly code: ProblemCode;
  /** Where: `spec.kprobes[0].selectors[1].matchArgs[0].operator`. Empty for what is wrong with the text of a file. */
  readonly path: string;
  /** What is wrong, without a full stop. User data in it is quoted and bounded. */
  readonly message: string;
  /** What would be right: `use Equal`, `did you mean "matchBinaries"?` */
  readonly hint?: string;
  readonly severity: 'error' | 'warning';
};

/** One line for people: where, what is wrong, what would be right. */
export function formatProblem(problem: Problem): string {
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`;
  const where = problem.path === '' ? '' : `${problem.path}: `;
  return `${where}${problem.message}${hint}`;
}

const MAX_QUOTED_CHARS = 80;

/** What JSON leaves as it is and a terminal or a browser does not show, or shows as a blank: controls, marks of direction, other spaces. */
const INVISIBLE = /(?! )[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

/** A text as JSON, with everything in it visible: it can neither move a cursor nor turn around what stands beside it. */
export function visibleJson(text: string): string {
  return JSON.stringify(text).replaceAll(INVISIBLE, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** User's data for a message: JSON-quoted (so control characters are visible) and at most 80 characters of it. */
export function quote(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > MAX_QUOTED_CHARS;
    return visibleJson(cut ? `${value.slice(0, MAX_QUOTED_CHARS)}…` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) {
    return String(value);
  }
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : 'nothing';
}

/** Joins a path and a field name; a name that is no plain word is quoted and bounded, so a path stays readable and short. */
export function fieldPath(base: string, field: string | number): string {
  if (typeof field === 'number') {
    return `${base}[${field}]`;
  }
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(field)) {
    return `${base}[${quote(field)}]`;
  }
  return base === '' ? field : `${base}.${field}`;
}

/**
 * Collects problems, up to a bound, so that a hostile policy cannot make an answer of any size. One that is there already is left out: a
 * macro is looked at wherever it is used. What another sink left out (`TooManyProblems`) is added up.
 */
export type ProblemSink = {
  add(problem: Problem): void;
  error(code: ProblemCode, path: string, message: string, hint?: string): void;
  warn(code: ProblemCode, path: string, message: string, hint?: string): void;
  /** No further error is shown: nobody reads a hint. */
  isFull(): boolean;
  /** In the order in which they were added, errors before warnings where not all fit; then the last one says how many are left out. */
  list(): readonly Problem[];
};

/** More than a person reads; less than hurts. */
export const MAX_PROBLEMS = 100;
/** After so many errors it is of no use to look for more. */
const MAX_ERRORS = 2_000;

/** Thrown by a sink that stops. */
export class TooManyErrors extends Error {}

/** `stop`: throws `TooManyErrors` when there are thousands, so that no time is spent on finding more; `count`: never. */
export function createProblemSink(whenFull: 'count' | 'stop' = 'count'): ProblemSink {
  const errors: Numbered[] = [];
  const warnings: Numbered[] = [];
  const seen = new Set<string>();
  let errorCount = 0;
  let warningCount = 0;
  let errorCalls = 0;
  let areUncounted = false;
  const keep = (problem: Problem): void => {
    if (problem.code === 'TooManyProblems') {
      areUncounted = true;
      return;
    }
    const key = JSON.stringify([problem.code, problem.path, problem.message]);
    if (seen.has(key)) {
      return;
    }
    const kept = problem.severity === 'error' ? errors : warnings;
    if (kept.length < MAX_PROBLEMS) {
      seen.add(key);
      kept.push({ problem, number: errorCount + warningCount });
    }
    errorCount += problem.severity === 'error' ? 1 : 0;
    warningCount += problem.severity === 'error' ? 0 : 1;
  };
  const add = (problem: Problem): void => {
    keep(problem);
    errorCalls += problem.severity === 'error' ? 1 : 0;
    if (whenFull === 'stop' && errorCalls >= MAX_ERRORS) {
      throw new TooManyErrors(`more than ${MAX_ERRORS} errors`);
    }
  };
  const make = (severity: Problem['severity'], code: ProblemCode, path: string, message: string, hint: string | undefined): void =>
    add(hint === undefined ? { code, path, message, severity } : { code, path, message, hint, severity });
  return {
    add,
    error: (code, path, message, hint) => make('error', code, path, message, hint),
    warn: (code, path, message, hint) => make('warning', code, path, message, hint),
    isFull: () => errors.length >= MAX_PROBLEMS,
    list: () => {
      const shown = [...errors, ...warnings].slice(0, MAX_PROBLEMS).toSorted((a, b) => a.number - b.number);
      const left = errorCount + warningCount - shown.length;
      const problems = shown.map((entry) => entry.problem);
      if (whenFull === 'stop' && errorCalls >= MAX_ERRORS) {
        return [...problems, leftOut(`and more: after ${MAX_ERRORS} errors no further ones are looked for`, 'error')];
      }
      const more = areUncounted ? `at least ${left + 1}` : String(left);
      return more === '0' ? problems : [...problems, leftOut(`and ${more} more problems`, errorCount > 0 ? 'error' : 'warning')];
    },
  };
}

type Numbered = { readonly problem: Problem; readonly number: number };

function leftOut(message: string, severity: Problem['severity']): Problem {
  return { code: 'TooManyProblems', path: 'spec', message, severity };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}
