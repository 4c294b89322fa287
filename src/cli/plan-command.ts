import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import { formatLocated } from '../policy/document/locate.ts';
import { CliError, type CliIo, writeOut } from './cli-io.ts';
import { type CheckedPolicy, checkPolicy, readPolicyFiles } from './policy-files.ts';

type PlanFlags = { readonly output: 'json' | 'yaml' | 'canonical' };

const EXAMPLES = `
Examples:
  palisade plan policy.yaml
  palisade plan policy.yaml -o yaml
  palisade plan policy.yaml -o canonical | sha256sum      the digest: policies that mean the same have the same
  palisade plan policies/ | jq -r '.digest'

A plan is what the controller makes of a policy and sends to the nodes: every default written out, every name in one spelling. docs/plan.md
explains its members.

Exit codes: 0 all policies compile, 1 some do not, 2 could not run.`;

export function addPlanCommand(program: Command, io: CliIo): void {
  program
    .command('plan')
    .description('Show what policies compile to')
    .argument('<files...>', 'files, folders, or - for standard input')
    .addOption(
      new Option('-o, --output <format>', 'JSON, YAML, or the very bytes that are stored and hashed')
        .choices(['json', 'yaml', 'canonical'])
        .default('json'),
    )
    .addHelpText('after', EXAMPLES)
    .action((paths: string[], flags: PlanFlags) => runPlan(paths, flags, io));
}

async function runPlan(paths: readonly string[], { output }: PlanFlags, io: CliIo): Promise<void> {
  const files = await readPolicyFiles(paths, io.stdin);
  const checked = files.documents.map(checkPolicy);
  const problems = [...files.problems, ...checked.flatMap((entry) => (entry.ok ? entry.warnings : entry.problems))];
  for (const problem of problems) io.stderr.write(`${formatLocated(problem)}\n`);
  if (problems.some(({ problem }) => problem.severity === 'error')) io.setExitCode(1);
  const good = checked.filter((entry) => entry.ok);
  if (output === 'canonical' && good.length > 1) throw new CliError(`${good.length} policies: -o canonical shows one`);
  await writeOut(io.stdout, good.map((entry) => planText(entry, output)).join(output === 'yaml' ? '---\n' : ''));
}

function planText({ policy, compiled }: CheckedPolicy & { readonly ok: true }, output: PlanFlags['output']): string {
  if (output === 'canonical') return compiled.text;
  const { kind, namespace, name } = policy;
  const { digest, mode, enforces, nodeSelector, plan } = compiled;
  const shown = { policy: { kind, ...(namespace === null ? {} : { namespace }), name }, digest, mode, enforces, nodeSelector, plan };
  return output === 'yaml' ? stringify(shown) : `${JSON.stringify(shown, null, 2)}\n`;
}
