import type { Command } from 'commander';
import { formatLocated } from '../policy/document/locate.ts';
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
    .requiredOption('-f, --filename <path...>', 'files or folders; - is standard input')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: CheckFlags) => {
      const files = await readPolicyFiles(flags.filename, io.stdin);
      for (const problem of files.problems) io.stdout.write(`${formatLocated(problem)}\n`);
      if (files.problems.length > 0) io.setExitCode(1);
      for (const { source, kind } of files.skipped) io.stderr.write(`${source}: skipped, ${kind} is no policy\n`);
      for (const document of files.documents) {
        const checked = checkPolicy(document);
        for (const problem of checked.ok ? checked.warnings : checked.problems) io.stdout.write(`${formatLocated(problem)}\n`);
        if (checked.ok)
          io.stdout.write(
            `${checked.source}: ok, plan ${checked.compiled.digest.slice(0, 12)}, ${checked.compiled.plan.hooks.length} hooks\n`,
          );
        else io.setExitCode(1);
      }
    });
}
