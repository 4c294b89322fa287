import type { LocatedProblem, Region } from '../policy/document/document.ts';
import type { ProblemCode } from '../policy/problem-codes.ts';
import type { LoadReason } from '../policy/reasons.ts';

/** `note`: worth knowing, and as the policy wants it. */
export type Severity = 'error' | 'warning' | 'note';

/** One thing that lint says about a place in a file. */
export type Finding = {
  readonly file: string;
  /** Which document: `policies.yaml#2`. */
  readonly source: string;
  readonly region: Region;
  readonly severity: Severity;
  /** Anchor in docs/errors.md. */
  readonly code: ProblemCode | LoadReason;
  /** `spec.kprobes[0].call`; empty for what is wrong with the text. */
  readonly field: string;
  readonly message: string;
  readonly hint?: string;
  /** Only on these kernels; absent: everywhere. */
  readonly kernels?: readonly string[];
};

export type Counts = Readonly<Record<Severity, number>>;

export function findingOf({ file, source, region, problem }: LocatedProblem): Finding {
  const { code, path, message, hint, severity } = problem;
  return { file, source, region, severity, code, field: path, message, ...(hint === undefined ? {} : { hint }) };
}

export function countFindings(findings: readonly Finding[]): Counts {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return { error: count('error'), warning: count('warning'), note: count('note') };
}

/** All of it in one line, without place, severity and code. */
export function findingText({ field, message, hint, kernels }: Finding): string {
  const where = field === '' ? '' : `${field}: `;
  const right = hint === undefined ? '' : `; ${hint}`;
  const on = kernels === undefined ? '' : ` [kernel ${kernels.join(', ')}]`;
  return `${where}${message}${right}${on}`;
}
