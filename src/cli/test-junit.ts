import { formatLocated } from '../policy/document/locate.ts';
import type { CaseResult } from '../policy/policy-tests/run-tests.ts';
import { PLAIN } from './output-style.ts';
import { type TestReport, type TestedFile, countsOf, failureText, isPassed } from './test-report.ts';

/** As Jenkins, GitLab and others read it: a suite for each file, an error for each problem of a file. */
export function junitReport(report: TestReport): string {
  const { passed, failed, problems } = countsOf(report);
  const totalMs = report.files.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const totals = `tests="${passed + failed + problems}" failures="${failed}" errors="${problems}" time="${seconds(totalMs)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="palisade test" ${totals}>\n${report.files.map(suite).join('')}</testsuites>\n`;
}

function suite({ file, problems, cases, durationMs }: TestedFile): string {
  const failed = cases.filter((one) => !isPassed(one)).length;
  const counts = `tests="${cases.length + problems.length}" failures="${failed}" errors="${problems.length}" time="${seconds(durationMs)}"`;
  const errors = problems.map((problem) => {
    const message = formatLocated(problem);
    return `    <testcase classname="${attribute(file)}" name="${attribute(problem.problem.code)}" time="0"><error type="${attribute(problem.problem.code)}" message="${attribute(message)}"/></testcase>\n`;
  });
  const tests = cases.map((one) => testcase(file, one));
  return `  <testsuite name="${attribute(file)}" ${counts}>\n${errors.join('')}${tests.join('')}  </testsuite>\n`;
}

function testcase(file: string, one: CaseResult): string {
  const head = `    <testcase classname="${attribute(file)}" name="${attribute(one.name)}" file="${attribute(file)}" line="${one.region.line}" time="0"`;
  if (isPassed(one)) return `${head}/>\n`;
  const message = one.mismatches.map(({ expected, happened }) => `expected ${expected}, happened ${happened}`).join('; ');
  const text = escaped(failureText(file, one, PLAIN));
  return `${head}><failure type="${one.mismatches[0]?.what ?? 'verdict'}" message="${attribute(message)}">${text}</failure></testcase>\n`;
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}

function attribute(text: string): string {
  return escaped(text).replaceAll(/[\t\n\r]/g, ' ');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 cannot hold control characters at all, nor half a surrogate pair. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}
