import { readDocuments } from '../document/read-documents.ts';
import { formatLocated } from '../document/locate.ts';
import type { TestedPolicy } from '../policy-tests/hook-names.ts';
import { type CaseResult, readTestFile, runTests } from '../policy-tests/run-tests.ts';
import { compiled } from './policies.ts';

/** A policy that is in force in a test, from a spec or a whole object. */
export function testedPolicy(object: Record<string, unknown>, name = 'test'): TestedPolicy {
  const { plan, mode } = compiled(object);
  return { name, plan, mode };
}

export type TestOutcome = { readonly problems: readonly string[]; readonly cases: readonly CaseResult[] };

/** Runs the text of a test file; problems as people see them. */
export function runTestText(text: string, policies: readonly TestedPolicy[]): TestOutcome {
  const { documents, problems } = readDocuments('x.test.yaml', Buffer.from(text));
  const [document] = documents;
  if (document === undefined) return { problems: problems.map(formatLocated), cases: [] };
  const shape = readTestFile(document);
  if (!shape.ok) return { problems: shape.problems.map(formatLocated), cases: [] };
  const run = runTests(document, shape.file, policies, () => true);
  return run.ok ? { problems: [], cases: run.cases } : { problems: run.problems.map(formatLocated), cases: [] };
}

/** `name: expected X, happened Y` for each thing that is not as expected; throws when the text is wrong. */
export function failuresOf(text: string, policies: readonly TestedPolicy[]): readonly string[] {
  const { problems, cases } = runTestText(text, policies);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return cases.flatMap(({ name, mismatches }) =>
    mismatches.map(({ expected, happened }) => `${name}: expected ${expected}, happened ${happened}`),
  );
}
