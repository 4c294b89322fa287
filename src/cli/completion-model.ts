import type { Argument, Command, Option } from 'commander';

/** What can stand in a place: one of some words, a file, kernels with commas between, or something that only the user knows. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  /** Also files. */
  | { readonly kind: 'kernels'; readonly words: readonly string[] }
  | { readonly kind: 'unknown' };

export type CompletedFlag = {
  /** `-o`, `--output`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Null: it takes no value. */
  readonly value: Completion | null;
};

export type CompletedCommand = {
  /** Words after `palisade`: empty for the program itself, `['facts', 'show']`. */
  readonly words: readonly string[];
  readonly description: string;
  readonly flags: readonly CompletedFlag[];
  /** Names of commands below it. */
  readonly commands: readonly string[];
  readonly argument: Completion;
};

/** Pure: what a shell has to know, of every command, the program first. */
export function completionOf(program: Command, kernels: readonly string[]): readonly CompletedCommand[] {
  const visit = (command: Command, words: readonly string[]): CompletedCommand[] => [
    {
      words,
      description: command.description(),
      flags: [...command.options.filter(({ hidden }) => !hidden).map((option) => flagOf(option, kernels)), HELP],
      commands: command.commands.map((child) => child.name()),
      argument: argumentOf(command.registeredArguments, kernels),
    },
    ...command.commands.flatMap((child) => visit(child, [...words, child.name()])),
  ];
  return visit(program, []);
}

const HELP: CompletedFlag = { names: ['-h', '--help'], description: 'show help', value: null };
const FILES: Completion = { kind: 'files' };

function flagOf(option: Option, kernels: readonly string[]): CompletedFlag {
  const { short, long, description, required, optional, flags, argChoices } = option;
  const takesValue = required || optional;
  return {
    names: [short, long].flatMap((name) => name ?? []),
    description,
    value: takesValue ? valueOf(long === '--kernels' ? 'kernels' : (/[<[]([^>\]]+)/.exec(flags)?.[1] ?? ''), argChoices, kernels) : null,
  };
}

function argumentOf([first]: readonly Argument[], kernels: readonly string[]): Completion {
  if (first === undefined) return { kind: 'words', words: [] };
  const found = valueOf(first.name(), first.argChoices, kernels);
  return found.kind === 'unknown' && /\bfiles?\b/.test(first.description) ? FILES : found;
}

/** By the name that the help shows: `<files...>`, `<path>`, `<kernel>`. */
function valueOf(name: string, choices: readonly string[] | undefined, kernels: readonly string[]): Completion {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (name === 'kernels') return { kind: 'kernels', words: ['all', ...kernels] };
  if (/kernel/.test(name)) return { kind: 'kernels', words: kernels };
  return /file|path|dir|folder/.test(name) ? FILES : { kind: 'unknown' };
}
