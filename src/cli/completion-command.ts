import { Argument, Command } from 'commander';
import { CliError, writeOut } from './cli-io.ts';
import type { CommandContext } from './commands.ts';
import { bashCompletion, kubectlCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { completionOf } from './completion-model.ts';
import { zshCompletion } from './completion-zsh.ts';
import { knownKernels } from './kernel-facts-files.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion, kubectl: kubectlCompletion } as const;
type Shell = keyof typeof SHELLS;

const EXAMPLES = `
Examples:
  source <(palisade completion bash)                                              this shell
  palisade completion bash > /etc/bash_completion.d/palisade                      every shell
  palisade completion zsh > "\${fpath[1]}/_palisade"
  palisade completion fish > ~/.config/fish/completions/palisade.fish
  palisade completion kubectl > ~/bin/kubectl_complete-palisade                   for "kubectl palisade"; make it executable

Completes commands, flags, their values, recorded kernels, and files.`;

export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('Print a script that completes commands in a shell')
    .addArgument(
      new Argument('<shell>', 'which shell; kubectl: a program that kubectl asks for "kubectl palisade"').choices(Object.keys(SHELLS)),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (shell: string) => {
      if (!isShell(shell)) throw new CliError(`no completion for ${JSON.stringify(shell)}`);
      // All commands, in a program of their own: only this one was loaded into the other.
      const { COMMANDS, addCommands } = await import('./commands.ts');
      const all = new Command('palisade');
      await addCommands(all, context, COMMANDS);
      await writeOut(context.io.stdout, SHELLS[shell](completionOf(all, knownKernels())));
    });
}

function isShell(text: string): text is Shell {
  return Object.hasOwn(SHELLS, text);
}
