import { formatProblem, type Problem } from '../../policy/problem.ts';
import { oneLine } from '../../protocol/one-line.ts';
import type { FleetProblem } from '../fleet/check-fleet.ts';
import type { AdmissionCause } from './admission-review.ts';

/** The API server passes on 256 characters of each warning and 4 KiB of all; a sentence that is cut before what would be right is useless. */
export const MAX_WARNINGS = 5;
export const MAX_WARNING_CHARS = 256;
/** Causes of a refusal; the rest is counted. */
export const MAX_CAUSES = 20;
const MAX_CAUSE_CHARS = 500;

/** One complaint, from whatever rule: where, what is wrong, what would be right. The rule's name is an anchor of docs/errors.md. */
export type Finding = { readonly rule: string; readonly path: string; readonly text: string };

export function findingOfProblem(problem: Problem): Finding {
  const line = formatProblem(problem);
  return { rule: problem.code, path: problem.path, text: line.slice(problem.path.length + ': '.length) };
}

export function findingOfFleet(problem: FleetProblem): Finding {
  return {
    rule: problem.reason,
    path: problem.path,
    text: problem.hint === undefined ? problem.message : `${problem.message}; ${problem.hint}`,
  };
}

/** The text of a refusal: one line per finding. */
export function refusalMessage(findings: readonly Finding[]): string {
  return causesOf(findings)
    .map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`))
    .join('\n');
}

export function causesOf(findings: readonly Finding[]): readonly AdmissionCause[] {
  const shown = findings.slice(0, MAX_CAUSES).map((finding) => ({
    reason: finding.rule,
    field: cut(finding.path, MAX_CAUSE_CHARS),
    message: `${cut(finding.text, MAX_CAUSE_CHARS)} [${finding.rule}]`,
  }));
  const rest = findings.length - shown.length;
  return rest === 0 ? shown : [...shown, { reason: 'TooManyProblems', field: 'spec', message: `and ${rest} more problems` }];
}

export function warningLines(findings: readonly Finding[]): readonly string[] {
  const lines = [...new Set(findings.map((finding) => `${finding.path}: ${finding.text}`))];
  const shown = lines.slice(0, MAX_WARNINGS).map((line) => cut(line, MAX_WARNING_CHARS));
  const rest = lines.length - shown.length;
  return rest === 0 ? shown : [...shown, `and ${rest} more`];
}

function cut(words: string, maxChars: number): string {
  const text = oneLine(words);
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1)}…`;
}
