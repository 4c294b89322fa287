import type { LocatedProblem, PolicyDocument, Region } from '../document/document.ts';
import { locate, locateProblems } from '../document/locate.ts';
import { MAX_DEPTH, isDeeperThan, isJsonObject, withoutNulls } from '../plain-json.ts';
import { createProblemSink, fieldPath, quote } from '../problem.ts';
import { addShapeProblems } from '../shape-problems.ts';
import { type CallResult, resultOf } from './call-result.ts';
import { type Mismatch, mismatches } from './expectation.ts';
import type { TestedPolicy } from './hook-names.ts';
import { type PreparedCase, prepareCase } from './prepare-case.ts';
import { type TestFile, testFile } from './test-schema.ts';

export type ReadTestFile =
  | { readonly ok: true; readonly file: TestFile }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] };

/** One document of a test file: its shape. What it says about hooks needs the policies, see `runTests`. */
export function readTestFile(document: PolicyDocument): ReadTestFile {
  const sink = createProblemSink();
  const { object } = document;
  if (!isJsonObject(object)) {
    sink.error('NotAnObject', '', 'is no test file', 'it has "policy" and "cases"');
  } else if ('apiVersion' in object && 'spec' in object) {
    // People hand over the policy that they want to be tested.
    sink.error(
      'NotAnObject',
      '',
      'is a policy and no test file',
      'its tests are in NAME.test.yaml beside it, or in a folder "tests" below',
    );
  } else if (isDeeperThan(object, MAX_DEPTH)) {
    sink.error('TooDeep', '', `is nested deeper than ${MAX_DEPTH} levels`);
  } else {
    const input = withoutNulls(object);
    const read = testFile.safeParse(input);
    if (read.success) {
      return { ok: true, file: read.data };
    }
    addShapeProblems(sink, '', testFile, input, read.error.issues);
  }
  return { ok: false, problems: locateProblems(document, sink.list()) };
}

export type CaseResult = {
  readonly name: string;
  readonly region: Region;
  readonly hook: string;
  readonly result: CallResult;
  /** Empty: the case passed. */
  readonly mismatches: readonly Mismatch[];
};

export type TestRun =
  | { readonly ok: true; readonly cases: readonly CaseResult[]; readonly skippedCount: number }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] };

/** All cases are checked, and those that are wanted are run. A file with a problem runs none: its other cases may not be what they seem. */
export function runTests(
  document: PolicyDocument,
  file: TestFile,
  policies: readonly TestedPolicy[],
  isWanted: (name: string) => boolean,
): TestRun {
  const sink = createProblemSink();
  const prepared: PreparedCase[] = [];
  const names = new Set<string>();
  for (const [index, words] of file.cases.entries()) {
    const path = fieldPath('cases', index);
    if (names.has(words.name)) {
      sink.error('RepeatedName', fieldPath(path, 'name'), `there is another case ${quote(words.name)}`, 'say what is different about it');
    }
    names.add(words.name);
    const one = prepareCase(sink, path, file, words, policies);
    if (one !== undefined) prepared.push(one);
  }
  const problems = sink.list();
  if (problems.length > 0) return { ok: false, problems: locateProblems(document, problems) };
  const wanted = prepared.filter(({ name }) => isWanted(name));
  return { ok: true, cases: wanted.map((one) => runCase(document, one)), skippedCount: prepared.length - wanted.length };
}

function runCase(document: PolicyDocument, { name, path, hook, hooks, expected }: PreparedCase): CaseResult {
  const result = resultOf(hooks);
  return { name, hook, result, region: locate(document, fieldPath(path, 'name')), mismatches: mismatches(expected, result) };
}
