import { spawnSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { bashCompletion, kubectlCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { completionOf } from './completion-model.ts';
import { zshCompletion } from './completion-zsh.ts';
import { kernelsOption } from './kernels-option.ts';

const program = new Command('palisade');
program
  .command('lint')
  .description("Check what's in files")
  .argument('<files...>')
  .addOption(new Option('-o, --output <format>').choices(['text', 'json']))
  .addOption(kernelsOption('on these'))
  .option('--strict', 'no warnings');
const facts = program.command('facts').description('Show: facts');
facts.command('show').argument('<kernel>');
facts.command('diff').argument('<kernel>');
const commands = completionOf(program, ['5.10', '6.1', '6.12']);

/** What bash offers after these words, the last of which is being typed. */
function bashOffers(...words: readonly string[]): readonly string[] {
  const script = `${bashCompletion(commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_palisade 2>/dev/null
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', cwd: import.meta.dirname });
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('Completion in bash', () => {
  it('offers commands, and those below a command', () => {
    expect(bashOffers('palisade', '')).toEqual(['lint', 'facts']);
    expect(bashOffers('palisade', 'f')).toEqual(['facts']);
    expect(bashOffers('palisade', 'facts', '')).toEqual(['show', 'diff']);
  });

  it('offers flags of the command that was typed', () => {
    expect(bashOffers('palisade', 'lint', 'x.yaml', '--s')).toEqual(['--strict']);
    expect(bashOffers('palisade', 'facts', 'show', '-')).toEqual(['-h', '--help']);
  });

  it('offers the values of a flag, also after "="', () => {
    expect(bashOffers('palisade', 'lint', '-o', '')).toEqual(['text', 'json']);
    expect(bashOffers('palisade', 'lint', '--output', '=', 'j')).toEqual(['json']);
  });

  it('offers kernels, also after a comma, and files where none fits', () => {
    expect(bashOffers('palisade', 'lint', '--kernels', '6')).toEqual(['6.1', '6.12']);
    expect(bashOffers('palisade', 'lint', '--kernels', '5.10,6.1')).toEqual(['5.10,6.1', '5.10,6.12']);
    expect(bashOffers('palisade', 'lint', '--kernels', './completion.t')).toEqual(['./completion.test.ts']);
    expect(bashOffers('palisade', 'facts', 'show', '5')).toEqual(['5.10']);
  });

  it('offers files where files are wanted', () => {
    expect(bashOffers('palisade', 'lint', 'completion-f')).toEqual(['completion-fish.ts']);
  });
});

describe('Completion for kubectl', () => {
  it('answers a question with words and what the shell may do beside', () => {
    const ask = (...words: readonly string[]): string =>
      spawnSync('bash', ['-c', kubectlCompletion(commands), 'kubectl_complete-palisade', ...words], {
        encoding: 'utf8',
        cwd: import.meta.dirname,
      }).stdout;
    expect(ask('lint', '-o', '')).toBe('text\njson\n:4\n');
    expect(ask('lint', 'completion-f')).toBe('completion-fish.ts\n:0\n');
  });
});

describe('Completion in other shells', () => {
  it('zsh: describes commands and flags, with what is special to it escaped', () => {
    const script = zshCompletion(commands);
    expect(script).toContain(`'lint:Check what'\\''s in files'`);
    expect(script).toContain(`'facts:Show\\: facts'`);
    expect(script).toContain(`'lint -o'|'lint --output') compadd -- 'text' 'json'; return ;;`);
    expect(script.startsWith('#compdef palisade kubectl-palisade\n')).toBe(true);
  });

  it('fish: has a line for every command, flag and argument', () => {
    const lines = fishCompletion(commands).split('\n');
    expect(lines).toContain(
      `complete -c palisade -n 'not __fish_seen_subcommand_from lint facts' -f -a 'lint' -d 'Check what\\'s in files'`,
    );
    expect(lines).toContain(`complete -c palisade -n '__fish_seen_subcommand_from lint' -l strict -d 'no warnings'`);
    expect(lines).toContain(
      `complete -c palisade -n '__fish_seen_subcommand_from facts; and __fish_seen_subcommand_from show' -F -a '5.10 6.1 6.12'`,
    );
  });
});
