import { Option, type Command } from 'commander';
import type { LocatedProblem } from '../policy/document/document.ts';
import { coverageOf } from '../policy/policy-tests/coverage.ts';
import { type CaseResult, readTestFile, runTests } from '../policy/policy-tests/run-tests.ts';
import { CliError, type CliIo, writeOut } from './cli-io.ts';
import { styleOf } from './output-style.ts';
import { shownName } from './policy-files.ts';
import {
  type LoadedPolicy,
  type PolicyLoader,
  createPolicyLoader,
  findTestFiles,
  policiesOf,
  readTestDocuments,
} from './policy-test-files.ts';
import { type TestReport, type TestedFile, countsOf, jsonReport, textReport } from './test-report.ts';

type TestFlags = {
  readonly output: 'text' | 'json' | 'junit';
  readonly run?: string;
  readonly coverage?: true;
};

const EXAMPLES = `
Examples:
  palisade test policies/                    all *.test.yaml and *_test.yaml in it and below
  palisade test shells.test.yaml --run root  only cases whose name matches the regular expression
  palisade test policies/ --coverage         also the selectors that no case matched
  palisade test policies/ -o junit > tests.xml

A test file says in YAML what is called, by whom, and what must happen:

  cases:
    - name: cat in a pod cannot open the password file
      args: [/etc/shadow]
      expect: deny EPERM

Nothing is loaded: the policies are evaluated here. docs/policy-tests.md explains the format.

Exit codes: 0 all passed, 1 a case failed, 2 could not run (a bad test file, or a policy that does not compile).`;

export function addTestCommand(program: Command, io: CliIo): void {
  program
    .command('test')
    .description('Run tests of policies, without a kernel and without a cluster')
    .argument('<files...>', 'test files, and folders with test files')
    .addOption(
      new Option('-o, --output <format>', 'for people, programs, or CI servers').choices(['text', 'json', 'junit']).default('text'),
    )
    .option('--run <regex>', 'only cases whose name matches')
    .option('--coverage', 'list the selectors that no case matched')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: TestFlags) => runTest(paths, flags, io));
}

async function runTest(paths: readonly string[], flags: TestFlags, io: CliIo): Promise<void> {
  const isWanted = nameFilter(flags.run);
  const load = createPolicyLoader(io.stdin);
  const files: TestedFile[] = [];
  const tested: Tested[] = [];
  for (const path of await findTestFiles(paths)) {
    const one = await testFile(path, load, isWanted, io);
    files.push(one.file);
    tested.push(...one.tested);
  }
  const report: TestReport = { files, coverage: coverageByFile(tested) };
  const counts = countsOf(report);
  if (counts.passed + counts.failed + counts.problems === 0)
    throw new CliError(`no case has a name that matches ${JSON.stringify(flags.run)}`);
  await writeOut(io.stdout, await formatReport(report, flags, io));
  if (counts.problems > 0) io.setExitCode(2);
  else if (counts.failed > 0) io.setExitCode(1);
}

function nameFilter(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  try {
    const regex = new RegExp(pattern);
    return (name) => regex.test(name);
  } catch (error) {
    throw new CliError(`--run: ${error instanceof Error ? error.message : String(error)}`);
  }
}

type Tested = { readonly policies: readonly LoadedPolicy[]; readonly cases: readonly CaseResult[] };

async function testFile(
  path: string,
  load: PolicyLoader,
  isWanted: (name: string) => boolean,
  io: CliIo,
): Promise<{ readonly file: TestedFile; readonly tested: readonly Tested[] }> {
  const startedMs = performance.now();
  const read = await readTestDocuments(path, io.stdin);
  const problems: LocatedProblem[] = [...read.problems];
  const tested: Tested[] = [];
  let skippedCount = 0;
  for (const document of read.documents) {
    const shape = readTestFile(document);
    if (!shape.ok) {
      problems.push(...shape.problems);
      continue;
    }
    const loaded = await policiesOf(path, document, shape.file, load);
    if (!loaded.ok) {
      problems.push(...loaded.problems);
      continue;
    }
    const run = runTests(document, shape.file, loaded.policies, isWanted);
    if (run.ok) {
      tested.push({ policies: loaded.policies, cases: run.cases });
      skippedCount += run.skippedCount;
    } else {
      problems.push(...run.problems);
    }
  }
  if (read.documents.length === 0 && problems.length === 0) throw new CliError(`${shownName(path)}: there are no tests in it`);
  const cases = tested.flatMap((one) => one.cases);
  return { file: { file: shownName(path), problems, cases, skippedCount, durationMs: performance.now() - startedMs }, tested };
}

/** A policy may be tested by several files: what one of them matches is covered. */
function coverageByFile(tested: readonly Tested[]): TestReport['coverage'] {
  const files = new Map<string, readonly LoadedPolicy[]>();
  for (const { policies } of tested) {
    for (const policy of policies)
      files.set(
        policy.file,
        policies.filter(({ file }) => file === policy.file),
      );
  }
  return [...files].map(([file, policies]) => {
    const cases = tested.filter((one) => one.policies.some((policy) => policy.file === file)).flatMap((one) => one.cases);
    return { file, selectors: coverageOf(policies, cases) };
  });
}

async function formatReport(report: TestReport, flags: TestFlags, io: CliIo): Promise<string> {
  switch (flags.output) {
    case 'text':
      return textReport(report, styleOf(io, 'stdout'), flags.coverage === true ? 'with coverage' : 'without');
    case 'json':
      return jsonReport(report);
    case 'junit':
      return (await import('./test-junit.ts')).junitReport(report);
  }
}
