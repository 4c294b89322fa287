import { ENGINE_BINARY_BYTES, ENGINE_BYTES } from '../../src/policy/bind/engine-features.ts';
import { OPTION_NAMES } from '../../src/policy/compile/options.ts';
import { UNSUPPORTED_OPTIONS } from '../../src/policy/compile/unsupported.ts';
import { LIMITS } from '../../src/policy/limits.ts';
import { type LanguageFacts, notInEngine } from './language-page.ts';
import { table } from './markdown.ts';

/** What compiles and no engine runs yet, what is refused, and the bounds: the generated part of docs/limits.md. */
export function limitsPart(facts: readonly LanguageFacts[]): string {
  const bounds: [string, number | string][] = [
    ['hooks of a policy', LIMITS.hooksPerPolicy],
    ['selectors of a hook and policy', LIMITS.selectorsPerHook],
    ['arguments of a hook and policy', LIMITS.argsPerHook],
    ['index of an argument of a function', `0 to ${LIMITS.maxArgIndex}`],
    ['filters on arguments of a selector', LIMITS.filtersPerSelector],
    ['filters of a selector in all', LIMITS.allFiltersPerSelector],
    ['actions of a selector', LIMITS.actionsPerSelector],
    ['values of a filter', LIMITS.valuesPerFilter],
    ['inode numbers of an entry of matchNamespaces', LIMITS.inodesPerFilter],
    ['value of Equal, NotEqual, In, NotIn, Prefix, NotPrefix', `${LIMITS.equalBytes} bytes`],
    ['value of Postfix, NotPostfix', `${LIMITS.postfixBytes} bytes`],
    ['value of SubString, SubStringIgnCase', `${LIMITS.substringBytes} bytes, ${LIMITS.substringsPerFilter} values`],
    ['path of matchBinaries', `${LIMITS.binaryBytes} bytes`],
    ['steps of resolve', LIMITS.resolveSteps],
    ['expressions of CelExpr of a hook and policy', `${LIMITS.celPerHook}, of ${LIMITS.celNodes} operands and operators each`],
    ['functions of an enforcer', LIMITS.enforcerCalls],
    ['symbols, offsets or addresses of a uprobe', LIMITS.probePoints],
    ['message, tag', `${LIMITS.messageBytes}, ${LIMITS.tagBytes} bytes (longer ones are cut, with a warning)`],
    ['compiled policy', `${LIMITS.planBytes} bytes`],
  ];
  const refused = facts.filter(({ row, bound }) => row.value !== undefined && bound.length === 0 && row.field !== 'spec.options[].name');
  return [
    '### What the engine of this version does not run yet',
    '',
    'The whole language compiles, is explained and tested, and [language.md](language.md) shows every part of it. A hook that needs something',
    'of this list is refused by every node with the reason `NotInEngine`, and by the webhook if no node can have it.',
    '',
    ...table(['where', 'not yet'], notInEngine(facts)),
    '',
    "So are hooks on system calls of another ABI than the machine's (`i386/sys_openat`, `__ia32_sys_openat`).",
    '',
    `So are values of Equal and Prefix over ${ENGINE_BYTES.Equal} bytes, and paths of binaries over ${ENGINE_BINARY_BYTES} bytes.`,
    '',
    '### What is refused',
    '',
    'The API server stores it if the webhook is not there; the compiler refuses it with the path of the field.',
    '',
    ...table(
      ['where', 'value', 'why'],
      refused.map(({ row, compiled }) => [`\`${row.field}\``, `\`${row.value}\``, compiled.replace('refused: ', '')]),
    ),
    '',
    '| option | instead |',
    '|---|---|',
    ...[...UNSUPPORTED_OPTIONS].map(([name, hint]) => `| ${name} | ${hint} |`),
    '',
    `Options that work: ${OPTION_NAMES.join(', ')}.`,
    '',
    '### Bounds',
    '',
    '| what | at most |',
    '|---|---|',
    ...bounds.map(([what, bound]) => `| ${what} | ${bound} |`),
  ].join('\n');
}
