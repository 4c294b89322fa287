import type { Command } from 'commander';
import { formatProblem } from '../policy/problem.ts';
import type { CliIo } from './cli-io.ts';
import { checkPolicy, readPolicyFiles } from './policy-files.ts';

type CheckFlags = { readonly filename: string[] };

const EXAMPLES = `
Examples:
  palisade check -f policy.yaml
  palisade check -f policies/ -f more.yaml     exit code 1 if one of them would be refused

Says what admission would say without a cluster: shape, types and limits, but not which functions the nodes' kernels have.`;

export function addCheckCommand(program: Command, io: CliIo): void {
  program
    .command('check')
    .description('Check policies in files without a cluster')
    .requiredOption('-f, --filename <path...>', 'files or folders')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: CheckFlags) => {
      for (const document of await readPolicyFiles(flags.filename)) {
        const checked = checkPolicy(document);
        const problems = checked.ok ? checked.warnings : checked.problems;
        for (const problem of problems) {
          const prefix = problem.severity === 'warning' ? 'warning: ' : '';
          io.stdout.write(`${checked.source}: ${prefix}${problem.code}: ${formatProblem(problem)}\n`);
        }
        if (checked.ok)
          io.stdout.write(
            `${checked.source}: ok, plan ${checked.compiled.digest.slice(0, 12)}, ${checked.compiled.plan.hooks.length} hooks\n`,
          );
        else io.setExitCode(1);
      }
    });
}
