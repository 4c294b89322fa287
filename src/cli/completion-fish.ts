import type { CompletedCommand, CompletedFlag, Completion } from './completion-model.ts';
import { fishQuote } from './completion-quote.ts';

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const tops = commands.filter(({ words }) => words.length === 1).map(({ words }) => words[0] ?? '');
  const lines = commands.flatMap((command) => {
    const here = conditionOf(command.words, command.commands, tops);
    const below = commands.filter(({ words }) => words.length === command.words.length + 1 && startsWith(words, command.words));
    return [
      ...below.map(({ words, description }) => line(here, `-f -a ${fishQuote(words.at(-1) ?? '')} -d ${fishQuote(description)}`)),
      ...command.flags.map((flag) => line(conditionOf(command.words, [], tops), flagArguments(flag))),
      ...(below.length > 0 ? [] : argumentLines(here, command.argument)),
    ];
  });
  return `# fish completion of palisade. Written by "palisade completion fish".
complete -c palisade -e
${lines.join('\n')}
complete -c kubectl-palisade -w palisade
`;
}

function line(condition: string, rest: string): string {
  return `complete -c palisade -n ${fishQuote(condition)} ${rest}`;
}

function startsWith(words: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => words[index] === word);
}

function conditionOf(words: readonly string[], below: readonly string[], tops: readonly string[]): string {
  if (words.length === 0) return `not __fish_seen_subcommand_from ${tops.join(' ')}`;
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  const unseen = below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.join(' ')}`];
  return [...seen, ...unseen].join('; and ');
}

function flagArguments({ names, description, value }: CompletedFlag): string {
  const spelled = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  return `${spelled}${value === null ? '' : ` ${valueArguments(value)}`} -d ${fishQuote(description)}`;
}

function valueArguments(value: Completion): string {
  switch (value.kind) {
    case 'words':
      return `-x -a ${fishQuote(value.words.join(' '))}`;
    case 'files':
      return '-r -F';
    case 'kernels':
      // Further ones after a comma: what is before it stays.
      return `-r -F -a ${fishQuote(`(commandline -ct | string replace -r '[^,]*$' '')${value.words.length === 0 ? '' : `{${value.words.join(',')}}`}`)}`;
    case 'unknown':
      return '-x';
  }
}

function argumentLines(condition: string, argument: Completion): readonly string[] {
  switch (argument.kind) {
    case 'words':
      return [line(condition, `-f${argument.words.length === 0 ? '' : ` -a ${fishQuote(argument.words.join(' '))}`}`)];
    case 'files':
      return [line(condition, '-F')];
    case 'kernels':
      return [line(condition, `-F -a ${fishQuote(argument.words.join(' '))}`)];
    case 'unknown':
      return [line(condition, '-f')];
  }
}
