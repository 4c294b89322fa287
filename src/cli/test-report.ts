import type { LocatedProblem } from '../policy/document/document.ts';
import { formatLocated } from '../policy/document/locate.ts';
import { type SelectorTrace, traceOf } from '../policy/policy-tests/match-trace.ts';
import type { SelectorCoverage } from '../policy/policy-tests/coverage.ts';
import type { HookResult } from '../policy/policy-tests/call-result.ts';
import { hookName } from '../policy/policy-tests/hook-names.ts';
import type { CaseResult } from '../policy/policy-tests/run-tests.ts';
import { formatVerdict } from '../policy/policy-tests/verdict.ts';
import type { Style } from './output-style.ts';
import { printableText } from './printable-text.ts';

/** What became of a test file. */
export type TestedFile = {
  readonly file: string;
  /** Not empty: nothing of the file (or of the document that has them) was run. */
  readonly problems: readonly LocatedProblem[];
  readonly cases: readonly CaseResult[];
  /** Cases that `--run` left out. */
  readonly skippedCount: number;
  readonly durationMs: number;
};

export type FileCoverage = { readonly file: string; readonly selectors: readonly SelectorCoverage[] };

export type TestReport = { readonly files: readonly TestedFile[]; readonly coverage: readonly FileCoverage[] };

export function isPassed(result: CaseResult): boolean {
  return result.mismatches.length === 0;
}

export function countsOf({ files }: TestReport): { passed: number; failed: number; skipped: number; problems: number } {
  const cases = files.flatMap((file) => file.cases);
  const passed = cases.filter(isPassed).length;
  return {
    passed,
    failed: cases.length - passed,
    skipped: files.reduce((sum, { skippedCount }) => sum + skippedCount, 0),
    problems: files.reduce((sum, { problems }) => sum + problems.length, 0),
  };
}

export function textReport(report: TestReport, style: Style, showsCoverage: 'with coverage' | 'without'): string {
  const files = report.files.filter((file) => file.cases.length > 0 || file.problems.length > 0);
  const coverage = showsCoverage === 'without' ? '' : coverageText(report.coverage, style);
  return `${files.map((file) => fileText(file, style)).join('')}${coverage}${summaryText(report, style)}\n`;
}

function fileText({ file, problems, cases }: TestedFile, style: Style): string {
  const lines = [
    style.bold(printableText(file)),
    ...problems.map((problem) => `  ${style.red('!')} ${formatLocated(problem)}`),
    ...cases.flatMap((one) => caseLines(file, one, style)),
  ];
  return `${lines.join('\n')}\n`;
}

function caseLines(file: string, one: CaseResult, style: Style): readonly string[] {
  const name = printableText(one.name);
  if (isPassed(one)) return [`  ${style.green('✓')} ${name}`];
  const { line, column } = one.region;
  return [
    `  ${style.red('✗')} ${style.bold(name)}`,
    `      ${style.dim(printableText(`${file}:${line}:${column}`))}`,
    ...one.mismatches.flatMap(({ expected, happened }) => [
      `      expected  ${printableText(expected)}`,
      `      happened  ${style.red(printableText(happened))}`,
    ]),
    ...one.result.hooks.flatMap((result, at) => whyLines(result, at === 0 ? 'why' : '', style)),
  ];
}

/** What a failure needs to be understood: what each selector said. */
function whyLines(result: HookResult, word: string, style: Style): readonly string[] {
  const { policy, hook, entry } = result;
  const mode = policy.mode === 'monitor' ? ', in monitor mode' : '';
  const exempt = result.call.process.exempt ? ', for a process that is exempt' : '';
  const spared = entry.killSuppressed ? ['          it is not killed: nobody is killed for what could not be read'] : [];
  return [
    `      ${word.padEnd(9)} ${policy.name} ${hook.path} (${hookName(hook)})${mode}${exempt}`,
    ...traceOf(result).flatMap((trace) => traceLines(trace, hook.path, style)),
    ...spared,
  ];
}

const MARKS = { yes: 'matched', no: 'did not match', 'by unknown': 'matched by something unknown' } as const;

function traceLines({ path, matched, reasons }: SelectorTrace, hookPath: string, style: Style): readonly string[] {
  const name = path === hookPath ? 'no selectors: every call' : path.slice(hookPath.length + 1);
  return [
    `                  ${name} ${MARKS[matched]}${matched === 'yes' && reasons.length === 0 ? ': it has no filters' : ''}`,
    ...reasons.map(({ answer, filter, actual }) => `                    ${style.dim(answer.padEnd(7))} ${filter}; here: ${actual}`),
  ];
}

function coverageText(coverage: readonly FileCoverage[], style: Style): string {
  const all = coverage.flatMap(({ selectors }) => selectors);
  const hit = all.filter(({ matchCount }) => matchCount > 0).length;
  const lines = coverage.flatMap(({ file, selectors }) =>
    selectors
      .filter(({ matchCount }) => matchCount === 0)
      .map(({ policy, path, hook }) => `  ${style.yellow('-')} ${file}: ${policy} ${path} (${hook}) is matched by no case`),
  );
  return `${style.bold(`coverage: ${hit} of ${all.length} selectors`)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

export function summaryText(report: TestReport, style: Style): string {
  const { passed, failed, skipped, problems } = countsOf(report);
  const parts = [
    style.green(`${passed} passed`),
    ...(failed === 0 ? [] : [style.red(`${failed} failed`)]),
    ...(skipped === 0 ? [] : [`${skipped} not run`]),
    ...(problems === 0 ? [] : [style.red(many(problems, 'problem'))]),
  ];
  return `${many(passed + failed, 'case')} in ${many(report.files.length, 'file')}: ${parts.join(', ')}`;
}

function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** For programs; member names are stable. */
export function jsonReport(report: TestReport): string {
  const { passed, failed, skipped, problems } = countsOf(report);
  const json = {
    summary: { files: report.files.length, cases: passed + failed, passed, failed, skipped, problems },
    files: report.files.map(({ file, problems, cases }) => ({
      file,
      problems: problems.map(({ region, source, file: at, problem }) => ({ file: at, source, ...region, ...problem })),
      cases: cases.map(jsonCase),
    })),
    coverage: report.coverage,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function jsonCase(one: CaseResult): object {
  return {
    name: one.name,
    line: one.region.line,
    column: one.region.column,
    passed: isPassed(one),
    hook: one.hook,
    happened: formatVerdict(one.result.happened),
    mismatches: one.mismatches,
    policies: one.result.hooks.map((result) => ({
      policy: result.policy.name,
      hook: result.hook.path,
      mode: result.policy.mode,
      event: result.sendsEvent ? { action: result.action, message: result.hook.message } : null,
      does: result.does,
      byUnknown: result.entry.byUnknown,
      selectors: traceOf(result),
    })),
  };
}

/** The whole explanation of a failure as one text. */
export function failureText(file: string, one: CaseResult, style: Style): string {
  return caseLines(file, one, style).slice(1).join('\n');
}
