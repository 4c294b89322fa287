import { Option, type Command } from 'commander';
import { bind } from '../policy/bind.ts';
import { formatLocated } from '../policy/document/locate.ts';
import { explain } from '../policy/explain/explain.ts';
import { explainKernels } from '../policy/explain/kernel-sentences.ts';
import { formatProblem } from '../policy/problem.ts';
import { argumentNameIn } from './argument-names.ts';
import { type CliIo, writeOut } from './cli-io.ts';
import { type ExplainedPolicy, explainText } from './explain-text.ts';
import { type NamedKernel, readKernels } from './kernel-choice.ts';
import { knownKernels } from './kernel-facts-files.ts';
import { kernelsOption } from './kernels-option.ts';
import { styleOf } from './output-style.ts';
import { type CheckedPolicy, checkPolicy, readPolicyFiles } from './policy-files.ts';

type ExplainFlags = { readonly output: 'text' | 'json'; readonly kernels?: readonly string[] };

/** Readable, also where the terminal is wider. */
const COLUMNS = 100;

const EXAMPLES = `
Examples:
  palisade explain policy.yaml
  palisade explain policy.yaml --kernels 5.10         what it comes to on this kernel (all recorded ones, if not said)
  helm template chart/ | palisade explain -
  palisade explain policies/ -o json

Says in sentences what is watched, when it matches, what happens, to whom, on which kernels, and what it may cost.

Exit codes: 0 explained, 1 a policy does not compile ("palisade lint" says why), 2 could not run.`;

export function addExplainCommand(program: Command, io: CliIo): void {
  program
    .command('explain')
    .description('Say in plain sentences what policies do')
    .argument('<files...>', 'files, folders, or - for standard input')
    .addOption(new Option('-o, --output <format>', 'for people or programs').choices(['text', 'json']).default('text'))
    .addOption(kernelsOption('on these: versions with commas between, "all", or files ("palisade facts" lists them)'))
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: ExplainFlags) => runExplain(paths, flags, io));
}

async function runExplain(paths: readonly string[], flags: ExplainFlags, io: CliIo): Promise<void> {
  const kernels = flags.kernels === undefined && knownKernels().length === 0 ? [] : readKernels(flags.kernels ?? ['all']);
  const files = await readPolicyFiles(paths, io.stdin);
  const checked = files.documents.map(checkPolicy);
  const problems = [...files.problems, ...checked.flatMap((entry) => (entry.ok ? [] : entry.problems))];
  for (const problem of problems) io.stderr.write(`${formatLocated(problem)}\n`);
  if (problems.length > 0) io.setExitCode(1);
  const explained = checked.filter((entry) => entry.ok).map((entry) => explainPolicy(entry, kernels));
  const style = styleOf(io, 'stdout');
  const text =
    flags.output === 'json'
      ? `${JSON.stringify(explained, null, 2)}\n`
      : explained.map((policy) => explainText(policy, style, COLUMNS)).join('\n');
  await writeOut(io.stdout, text);
}

function explainPolicy(checked: CheckedPolicy & { readonly ok: true }, kernels: readonly NamedKernel[]): ExplainedPolicy {
  const { source, policy, compiled, warnings } = checked;
  const newest = kernels.at(-1)?.facts;
  const where = policy.namespace === null ? '' : ` in the namespace ${policy.namespace}`;
  return {
    source,
    title: `${policy.kind} ${policy.name}${where}`,
    explanation: explain(compiled, (hook, index) => (newest === undefined ? undefined : argumentNameIn(newest, hook, index))),
    kernels: explainKernels(kernels.map(({ name, facts }) => ({ kernel: name, hooks: bind(compiled.plan, facts, compiled.mode) }))),
    warnings: warnings.map(({ problem }) => formatProblem(problem)),
  };
}
