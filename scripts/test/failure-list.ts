import { stripVTControlCharacters } from 'node:util';

/** A test that failed, and the beginning of what it said. */
export type Failure = { readonly test: string; readonly message: string };

const mostFailures = 12;
const mostLines = 14;
const mostColumns = 220;

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The failed tests in the report of vitest's JSON reporter, and the files that could not be run at all. */
export function vitestFailures(report: string): Failure[] {
  const parsed: unknown = JSON.parse(report);
  return list(field(parsed, 'testResults')).flatMap((file) => {
    const failed = list(field(file, 'assertionResults')).filter((result) => field(result, 'status') === 'failed');
    if (failed.length === 0 && field(file, 'status') === 'failed')
      return [{ test: text(field(file, 'name')), message: text(field(file, 'message')) }];
    return failed.map((result) => ({
      test: text(field(result, 'fullName')),
      message: list(field(result, 'failureMessages')).map(text).join('\n'),
    }));
  });
}

/** The last lines of a step that is no test runner. */
export function lastLines(name: string, output: string): Failure {
  return { test: name, message: output.trimEnd().split('\n').slice(-mostLines).join('\n') };
}

/**
 * What failed, once more at the very end: the tail of a long log is what people read and what a CI service keeps. Bounded;
 * what is left out is counted.
 */
export function failureList(failures: readonly Failure[]): string {
  const shown = failures.slice(0, mostFailures).map(({ test, message }) => {
    const lines = stripVTControlCharacters(message).split('\n');
    const kept = lines.slice(0, mostLines).map((line) => `    ${line.slice(0, mostColumns)}`);
    const rest = lines.length > mostLines ? [`    (${lines.length - mostLines} more lines above)`] : [];
    return [`  ${test.slice(0, mostColumns)}`, ...kept, ...rest].join('\n');
  });
  const rest = failures.length > mostFailures ? [`  and ${failures.length - mostFailures} more`] : [];
  return [...shown, ...rest].join('\n');
}
