import { Option, type Command } from 'commander';
import { formatLocated } from '../policy/document/locate.ts';
import { type DiffPolicy, type PolicyDiff, diffPolicies } from '../policy/policy-diff/diff-policies.ts';
import { CliError, type CliIo, writeOut } from './cli-io.ts';
import { jsonReport, textReport } from './diff-report.ts';
import { styleOf } from './output-style.ts';
import { checkPolicy, readPolicyFiles, shownName } from './policy-files.ts';

type DiffFlags = { readonly output: 'text' | 'json'; readonly timeout: string };

const MAX_EXAMPLES = 5;
const MAX_TIMEOUT_S = 600;

const EXAMPLES = `
Examples:
  palisade diff old.yaml new.yaml
  git show main:policy.yaml | palisade diff - policy.yaml
  palisade diff old.yaml new.yaml -o json

Says what is written differently, and looks for calls that are treated differently: from the values of both policies, their neighbours, and
what could not be read. Each is printed as a case for "palisade test" (docs/policy-tests.md). That none is found is no proof that there is
none, unless the plans are the same.

Exit codes: 0 the same as far as can be found, 1 they differ, 2 could not run.`;

export function addDiffCommand(program: Command, io: CliIo): void {
  program
    .command('diff')
    .description('Say what changes between two policies, with a call that is treated differently')
    .argument('<before>', 'file with the policy or policies as they were; - for standard input')
    .argument('<after>', 'file with the policy or policies as they are')
    .addOption(new Option('-o, --output <format>', 'for people, or programs').choices(['text', 'json']).default('text'))
    .option('--timeout <seconds>', 'how long to look for an example', '2')
    .addHelpText('after', EXAMPLES)
    .action((before: string, after: string, flags: DiffFlags) => runDiff(before, after, flags, io));
}

async function runDiff(before: string, after: string, flags: DiffFlags, io: CliIo): Promise<void> {
  const timeoutS = Number(flags.timeout);
  if (!(timeoutS > 0 && timeoutS <= MAX_TIMEOUT_S))
    throw new CliError(`--timeout: ${JSON.stringify(flags.timeout)} is not 1 to ${MAX_TIMEOUT_S}`);
  const [was, is] = [await goodPolicies(before, io), await goodPolicies(after, io)];
  if (was === null || is === null) {
    io.setExitCode(2);
    return;
  }
  const limits = { nowMs: () => performance.now(), searchMs: timeoutS * 1000, maxExamples: MAX_EXAMPLES };
  const diff = diffPolicies(was, is, limits);
  const names = { before: shownName(before), after: shownName(after) };
  await writeOut(io.stdout, flags.output === 'json' ? jsonReport(diff, names) : textReport(diff, names, styleOf(io, 'stdout')));
  if (differs(diff)) io.setExitCode(1);
}

function differs({ examples, changes }: PolicyDiff): boolean {
  return examples.length > 0 || changes.some(({ isSearchable }) => !isSearchable);
}

async function goodPolicies(path: string, io: CliIo): Promise<readonly DiffPolicy[] | null> {
  const files = await readPolicyFiles([path], io.stdin);
  const checked = files.documents.map(checkPolicy);
  const problems = [...files.problems, ...checked.flatMap((one) => (one.ok ? [] : one.problems))];
  for (const problem of problems) io.stderr.write(`palisade: ${formatLocated(problem)}\n`);
  if (problems.length > 0) return null;
  return checked.flatMap((one): readonly DiffPolicy[] => {
    if (!one.ok) return [];
    const { policy, compiled } = one;
    const name = policy.namespace === null ? policy.name : `${policy.namespace}/${policy.name}`;
    return [{ name, plan: compiled.plan, mode: compiled.mode, nodeSelector: compiled.nodeSelector }];
  });
}
