import { Option, type Command } from 'commander';
import { readDocuments } from '../policy/document/read-documents.ts';
import { CliError, type CliIo, tell, writeOut } from './cli-io.ts';
import type { NamedKernel } from './kernel-choice.ts';
import { kernelsOption } from './kernels-option.ts';
import { type LintedFile, lintFile } from './lint-file.ts';
import { type Finding, countFindings } from './lint-finding.ts';
import { type LintReport, jsonReport, summaryLine, textReport, totalCounts } from './lint-report.ts';
import { startProgress } from './lint-progress.ts';
import { TEST_FILE, onlyMeantPolicies } from './meant-policies.ts';
import { styleOf } from './output-style.ts';
import { type FoundFile, STDIN, findPolicyFiles, readFileBytes, shownName } from './policy-files.ts';

type LintFlags = {
  readonly output: 'text' | 'json' | 'github' | 'sarif';
  readonly strict?: true;
  readonly quiet?: true;
  readonly kernels?: readonly string[];
};

/** More than a person or a scanner looks at; less than hurts. */
const MAX_FINDINGS = 20_000;

const EXAMPLES = `
Examples:
  palisade lint policy.yaml
  palisade lint policies/                              all *.yaml, *.yml and *.json in it and below (hidden ones are left out)
  helm template chart/ | palisade lint -               objects of other kinds are skipped
  palisade lint policies/ --kernels 5.10,6.12          what would load there, and what would be less than wished
  palisade lint policies/ --kernels all --strict       for a pipeline that lets nothing doubtful through
  palisade lint policies/ --kernels node.kernel        a kernel of your own (palisade-loader record > node.kernel)
  palisade lint . -o sarif > palisade.sarif            for code scanning; "-o github" annotates a pull request

Without --kernels, names of functions, LSM hooks and tracepoints are not looked up: a misspelt one is found on the node.
With --kernels, a hook that cannot be had on one of the kernels asked for is an error, whatever the reason, and one that works with less
than wished is a warning. Findings go to standard output, the summary to standard error. docs/errors.md explains every code.

Exit codes: 0 nothing wrong (warnings allowed), 1 problems found (with --strict also warnings), 2 could not run, or not read a file.`;

export function addLintCommand(program: Command, io: CliIo, version: string): void {
  program
    .command('lint')
    .description('Check policies in files, also against kernels, without a cluster')
    .argument('<files...>', 'files, folders, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'for people, programs, GitHub Actions, or code scanning')
        .choices(['text', 'json', 'github', 'sarif'])
        .default('text'),
    )
    .addOption(kernelsOption('also bind on these: versions with commas between, "all", or files ("palisade facts" lists them)'))
    .option('--strict', 'warnings count as problems')
    .option('-q, --quiet', 'no summary, and errors only')
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: LintFlags) => runLint(paths, flags, io, version));
}

async function runLint(paths: readonly string[], flags: LintFlags, io: CliIo, version: string): Promise<void> {
  const kernels = flags.kernels === undefined ? [] : (await import('./kernel-choice.ts')).readKernels(flags.kernels);
  const report = await lintPaths(paths, kernels, io);
  const shown = flags.quiet === true ? withoutRemarks(report) : report;
  await writeOut(io.stdout, await formatReport(shown, flags.output, io, version));
  const counts = totalCounts(report);
  for (const message of report.unread) tell(io, message);
  if (flags.quiet !== true) io.stderr.write(`${summaryLine(report)}\n`);
  if (report.unread.length > 0) io.setExitCode(2);
  else if (counts.error > 0 || (flags.strict === true && counts.warning > 0)) io.setExitCode(1);
}

async function lintPaths(paths: readonly string[], kernels: readonly NamedKernel[], io: CliIo): Promise<LintReport> {
  const files = await findPolicyFiles(paths);
  if (files.length === 0) throw new CliError(`no *.yaml, *.yml or *.json in ${paths.map(shownName).join(', ')}`);
  const progress = startProgress(io, files.length, () => performance.now());
  const linted: LintedFile[] = [];
  const findings: Finding[] = [];
  const unread: string[] = [];
  let leftOut = countFindings([]);
  for (const [index, file] of files.entries()) {
    progress.at(index);
    const result = await lintOne(file, kernels, io);
    if (result instanceof CliError) {
      unread.push(result.message);
      continue;
    }
    const room = MAX_FINDINGS - findings.length;
    findings.push(...result.findings.slice(0, room));
    const beyond = countFindings(result.findings.slice(room));
    leftOut = { error: leftOut.error + beyond.error, warning: leftOut.warning + beyond.warning, note: leftOut.note + beyond.note };
    linted.push({ ...result, findings: [] });
  }
  progress.end();
  return {
    findings,
    policies: linted.flatMap(({ policies }) => policies),
    fileCount: linted.length,
    policyCount: linted.reduce((sum, { policyCount }) => sum + policyCount, 0),
    skippedCount: linted.reduce((sum, { skippedCount }) => sum + skippedCount, 0),
    leftOut,
    unread,
  };
}

/** A file that cannot be read does not hide what is wrong in others. */
async function lintOne(file: FoundFile, kernels: readonly NamedKernel[], io: CliIo): Promise<LintedFile | CliError> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBytes(file.path, io.stdin);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  if (file.path === STDIN && bytes.length === 0) return new CliError('stdin: there is nothing in it; did the command before it fail?');
  const read = readDocuments(shownName(file.path), bytes);
  return lintFile(file.isNamed && !TEST_FILE.test(file.path) ? read : onlyMeantPolicies(read, bytes), kernels);
}

function withoutRemarks(report: LintReport): LintReport {
  return { ...report, findings: report.findings.filter(({ severity }) => severity === 'error') };
}

async function formatReport(report: LintReport, format: LintFlags['output'], io: CliIo, version: string): Promise<string> {
  switch (format) {
    case 'text':
      return textReport(report, styleOf(io, 'stdout'));
    case 'json':
      return jsonReport(report);
    case 'github': {
      const { githubLine } = await import('./lint-github.ts');
      return report.findings.map(githubLine).join('');
    }
    case 'sarif':
      return (await import('./lint-sarif.ts')).sarifReport(report, version);
  }
}
