import type { CompletedCommand, CompletedFlag, Completion } from './completion-model.ts';
import { shellQuote } from './completion-quote.ts';

export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const describe = (path: readonly string[]): string =>
    commands
      .filter(({ words }) => words.length === path.length + 1 && words.slice(0, -1).join(' ') === path.join(' '))
      .map(({ words, description }) => described(words.at(-1) ?? '', description))
      .join(' ');
  return `#compdef palisade kubectl-palisade
# zsh completion of palisade. Written by "palisade completion zsh".
_palisade() {
  local command="" index
  local -a described
  for ((index = 2; index < CURRENT; index++)); do
    case "$command \${words[index]}" in
${commands
  .filter(({ words }) => words.length > 0)
  .map(
    ({ words }) =>
      `      ${shellQuote(`${words.slice(0, -1).join(' ')} ${words.at(-1) ?? ''}`)}) command=${shellQuote(words.join(' '))} ;;`,
  )
  .join('\n')}
    esac
  done
  case "$command \${words[CURRENT-1]}" in
${commands.flatMap(valueCases).join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$command" in
${commands.map(({ words, flags }) => `      ${shellQuote(words.join(' '))}) described=(${flags.flatMap(flagWords).join(' ')}) ;;`).join('\n')}
    esac
    _describe -o flag described
    return
  fi
  case "$command" in
${commands
  .map(({ words, commands: below, argument }) => {
    const action = below.length > 0 ? `described=(${describe(words)}); _describe command described` : complete(argument);
    return `    ${shellQuote(words.join(' '))}) ${action} ;;`;
  })
  .join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _palisade "$@"; else compdef _palisade palisade kubectl-palisade; fi
`;
}

function described(word: string, description: string): string {
  const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
  return shellQuote(`${escape(word)}:${escape(description)}`);
}

function flagWords({ names, description }: CompletedFlag): readonly string[] {
  return names.map((name) => described(name, description));
}

function valueCases({ words, flags }: CompletedCommand): string[] {
  return flags.flatMap(({ names, value }) => {
    if (value === null) return [];
    const pattern = names.map((name) => shellQuote(`${words.join(' ')} ${name}`)).join('|');
    return [`    ${pattern}) ${complete(value)}; return ;;`];
  });
}

function complete(completion: Completion): string {
  switch (completion.kind) {
    case 'words':
      return `compadd -- ${completion.words.map(shellQuote).join(' ')}`;
    case 'files':
      return '_files';
    case 'kernels':
      return `compset -P '*,'; compadd -- ${completion.words.map(shellQuote).join(' ')} || _files`;
    case 'unknown':
      return ':';
  }
}
