import type { CompletedCommand, Completion } from './completion-model.ts';
import { shellQuote } from './completion-quote.ts';

/** For bash 4 and later; needs no other package. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  return `# bash completion of palisade. Written by "palisade completion bash".
${bashFunctions(commands)}
complete -F _palisade palisade kubectl-palisade
`;
}

/** A program \`kubectl_complete-palisade\` in the path, which kubectl asks to complete \`kubectl palisade\`. */
export function kubectlCompletion(commands: readonly CompletedCommand[]): string {
  return `#!/usr/bin/env bash
# Completion of "kubectl palisade": put this file into the path as kubectl_complete-palisade, executable.
# Written by "palisade completion kubectl".
${bashFunctions(commands)}
COMP_WORDS=(palisade "$@")
COMP_CWORD=$#
COMPREPLY=()
_palisade 2>/dev/null
((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"
# 0: the shell may complete as it likes; 4: nothing but these.
if [[ \${_palisade_files:-} ]]; then echo :0; else echo :4; fi
`;
}

function bashFunctions(commands: readonly CompletedCommand[]): string {
  return `_palisade_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_palisade_files() {
  _palisade_files=1
  compopt -o filenames 2>/dev/null
  local files
  mapfile -t files < <(compgen -f -- "$current")
  COMPREPLY+=("\${files[@]}")
}
_palisade_kernels() {
  local before=""
  [[ $current == *,* ]] && before="\${current%,*},"
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "\${current##*,}")
  ((\${#COMPREPLY[@]} > 0)) || _palisade_files
}
_palisade() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" index
  COMPREPLY=()
  # bash takes --output=json for three words.
  if [[ $current == "=" ]]; then current=""; elif [[ $previous == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$command \${COMP_WORDS[index]}" in
${commandCases(commands)}
    esac
  done
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case "$command" in
${commands.map(({ words, flags }) => `      ${shellQuote(words.join(' '))}) _palisade_words ${shellQuote(flags.flatMap(({ names }) => names).join(' '))} ;;`).join('\n')}
    esac
    return
  fi
  case "$command" in
${commands.map((command) => `    ${shellQuote(command.words.join(' '))}) ${complete(argumentOf(command))} ;;`).join('\n')}
  esac
}`;
}

function commandCases(commands: readonly CompletedCommand[]): string {
  return commands
    .filter(({ words }) => words.length > 0)
    .map(({ words }) => {
      const pattern = `${words.slice(0, -1).join(' ')} ${words.at(-1) ?? ''}`;
      return `      ${shellQuote(pattern)}) command=${shellQuote(words.join(' '))} ;;`;
    })
    .join('\n');
}

function valueCases({ words, flags }: CompletedCommand): string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === null) return [];
    const pattern = names.map((name) => shellQuote(`${words.join(' ')} ${name}`)).join('|');
    return [`    ${pattern}) ${complete(value)}; return ;;`];
  });
}

function argumentOf({ commands, argument }: CompletedCommand): Completion {
  return commands.length > 0 ? { kind: 'words', words: commands } : argument;
}

function complete(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `_palisade_words ${shellQuote(completion.words.join(' '))}`;
    case 'files':
      return '_palisade_files';
    case 'kernels':
      return `_palisade_kernels ${shellQuote(completion.words.join(' '))}`;
    case 'unknown':
      return ':';
  }
}
