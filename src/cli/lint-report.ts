import type { LintedPolicy } from './lint-file.ts';
import { type Counts, type Finding, type Severity, countFindings, findingText } from './lint-finding.ts';
import type { Style } from './output-style.ts';
import { printableText } from './printable-text.ts';
import { formatTable } from './table.ts';

/** All that lint found out. */
export type LintReport = {
  readonly findings: readonly Finding[];
  readonly policies: readonly LintedPolicy[];
  readonly fileCount: number;
  readonly policyCount: number;
  readonly skippedCount: number;
  /** Findings beyond what a report holds. */
  readonly leftOut: Counts;
  /** What could not be read, and why; `fileCount` is without them. */
  readonly unread: readonly string[];
};

/** One line for each finding, as compilers write them, and a table of policies by kernels if kernels were asked for. */
export function textReport({ findings, policies }: LintReport, style: Style): string {
  const lines = findings.map((finding) => findingLine(finding, style)).join('');
  const table = kernelTable(policies);
  return lines + (lines !== '' && table !== '' ? '\n' : '') + table;
}

export function findingLine(finding: Finding, style: Style): string {
  const { file, region, severity, code } = finding;
  const place = style.bold(`${printableText(file)}:${region.line}:${region.column}:`);
  return `${place} ${TONES[severity](style)(`${severity}:`)} ${code}: ${printableText(findingText(finding))}\n`;
}

const TONES: Readonly<Record<Severity, (style: Style) => (text: string) => string>> = {
  error: ({ red }) => red,
  warning: ({ yellow }) => yellow,
  note: ({ cyan }) => cyan,
};

function kernelTable(policies: readonly LintedPolicy[]): string {
  const names = policies.find(({ kernels }) => kernels.length > 0)?.kernels.map(({ kernel }) => kernel);
  if (names === undefined) return '';
  const rows = policies.map((policy) => [
    policyLabel(policy),
    ...policy.kernels.map(({ loads, effective, reasons }) => {
      const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
      const what = effective === 'none' ? 'nothing' : effective;
      return `${loads ? what : 'does not load'}${why}`;
    }),
  ]);
  return formatTable(['POLICY', ...names], rows);
}

export function policyLabel({ namespace, name }: Pick<LintedPolicy, 'namespace' | 'name'>): string {
  return namespace === null ? name : `${namespace}/${name}`;
}

/** `3 policies in 2 files: 1 error, 2 warnings; 4 other objects skipped`; whether names exist, only a kernel can tell. */
export function summaryLine(report: LintReport): string {
  const { fileCount, policyCount, skippedCount, policies } = report;
  const counts = totalCounts(report);
  const found = [
    counts.error === 0 ? [] : many(counts.error, 'error'),
    counts.warning === 0 ? [] : many(counts.warning, 'warning'),
    counts.note === 0 ? [] : many(counts.note, 'note'),
  ].flat();
  const unasked = policies.some(({ kernels }) => kernels.length === 0) ? ' (no kernel was asked for names: --kernels all)' : '';
  const read = report.unread.length === 0 ? '' : ' in what was read';
  const said = found.length === 0 ? `no problems${read}${unasked}` : found.join(', ');
  const leftOut = report.leftOut.error + report.leftOut.warning + report.leftOut.note;
  const unseen = leftOut === 0 ? '' : ` (${leftOut} of them not shown)`;
  const skipped = skippedCount === 0 ? '' : `; ${many(skippedCount, 'other object')} skipped`;
  const unread = report.unread.length === 0 ? '' : `; ${many(report.unread.length, 'file')} not read`;
  return `${policyCount === 1 ? '1 policy' : `${policyCount} policies`} in ${many(fileCount, 'file')}: ${said}${unseen}${skipped}${unread}`;
}

export function totalCounts({ findings, leftOut }: LintReport): Counts {
  const shown = countFindings(findings);
  return { error: shown.error + leftOut.error, warning: shown.warning + leftOut.warning, note: shown.note + leftOut.note };
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** For programs; member names are stable. */
export function jsonReport(report: LintReport): string {
  const { findings, policies, fileCount, policyCount, skippedCount } = report;
  const counts = totalCounts(report);
  const json = {
    summary: {
      files: fileCount,
      policies: policyCount,
      skipped: skippedCount,
      unread: report.unread.length,
      errors: counts.error,
      warnings: counts.warning,
      notes: counts.note,
      notShown: report.leftOut.error + report.leftOut.warning + report.leftOut.note,
    },
    findings: findings.map(({ region, ...finding }) => ({ ...finding, ...region })),
    policies,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
