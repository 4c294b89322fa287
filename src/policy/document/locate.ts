import { type Problem, formatProblem } from '../problem.ts';
import { type DocumentText, type LocatedProblem, type Place, type PolicyDocument, type Region, isPlaceList } from './document.ts';

/**
 * Where a field of a document was written: of a plain value its own place, otherwise that of its name (or of its first word, in a list).
 * What was left out is found at the object that should have it. `path` is that of a `Problem`: `spec.kprobes[0].call`.
 */
export function locate(document: PolicyDocument, path: string): Region {
  return regionOf(document.text, spotOf(document, stepsOf(path), 'value'));
}

/** The problems of a document with their places; a hint to use quotes shows the text as it was written (0644, not 420). */
export function locateProblems(document: PolicyDocument, problems: readonly Problem[]): LocatedProblem[] {
  return problems.map((problem) => {
    const steps = stepsOf(problem.path);
    const spot = spotOf(document, steps, problem.code === 'UnknownField' ? 'name' : 'value');
    return {
      file: document.text.file,
      source: document.source,
      region: regionOf(document.text, spot),
      problem: withWrittenText(problem, document.text.text.slice(spot.start, spot.end)),
    };
  });
}

/** `policies.yaml:12:17: WrongValue: spec.…: "fil" is not one of its values; did you mean "file"?`, as compilers and editors have it. */
export function formatLocated({ file, region, problem }: LocatedProblem): string {
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  return `${file}:${region.line}:${region.column}: ${severity}${problem.code}: ${formatProblem(problem)}`;
}

/** From an offset to lines and columns. */
export function regionOf({ text, firstLine }: DocumentText, { start, end }: { readonly start: number; readonly end: number }): Region {
  const from = pointOf(text, Math.min(start, text.length));
  const to = pointOf(text, Math.min(Math.max(end, start), text.length));
  return { line: firstLine + from.line, column: from.column, endLine: firstLine + to.line, endColumn: to.column };
}

function pointOf(text: string, offset: number): { line: number; column: number } {
  let line = 0;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** Names that are longer than a path shows are cut there, and end with this. */
const CUT = '…';
const STEP = /\.?([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]/gy;

function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(STEP)].map(([, word, index, quoted]) => {
    if (index !== undefined) return Number(index);
    return word ?? unquoted(quoted ?? '""');
  });
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

type Spot = { readonly start: number; readonly end: number };

function spotOf(document: PolicyDocument, steps: readonly (string | number)[], wanted: 'name' | 'value'): Spot {
  let place = document.place;
  let name: Place | undefined;
  for (const step of steps) {
    const next = memberOf(place, step);
    if (next === undefined) break;
    ({ place, name } = next);
  }
  if (name !== undefined && (wanted === 'name' || place.members !== undefined || place.end <= place.start)) return name;
  return place.members === undefined ? place : firstLineOf(document.text.text, place);
}

function memberOf({ members }: Place, step: string | number): { place: Place; name?: Place } | undefined {
  if (members === undefined) return undefined;
  if (isPlaceList(members)) {
    const place = typeof step === 'number' ? members[step] : undefined;
    return place === undefined ? undefined : { place };
  }
  const text = String(step);
  const exact = members.get(text) ?? (text.endsWith(CUT) ? startingWith(members, text.slice(0, -CUT.length)) : undefined);
  return exact === undefined ? undefined : { place: exact.value, name: exact.name };
}

type Fields = Exclude<NonNullable<Place['members']>, readonly Place[]>;

function startingWith(members: Fields, start: string): { name: Place; value: Place } | undefined {
  return [...members].find(([key]) => key.startsWith(start))?.[1];
}

function firstLineOf(text: string, { start, end }: Spot): Spot {
  const newline = text.indexOf('\n', start);
  return { start, end: newline === -1 ? end : Math.min(end, newline) };
}

const QUOTE_HINT = /^put it in quotes: "/;

function withWrittenText(problem: Problem, written: string): Problem {
  if (problem.code !== 'WrongType' || problem.hint === undefined || !QUOTE_HINT.test(problem.hint)) return problem;
  return /^[-+.:\w]{1,40}$/.test(written) ? { ...problem, hint: `put it in quotes: "${written}"` } : problem;
}
