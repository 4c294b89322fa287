import { OPTION_NAMES } from '../../src/policy/compile/options.ts';
import { UNSUPPORTED_OPTIONS } from '../../src/policy/compile/unsupported.ts';
import { LIMITS } from '../../src/policy/limits.ts';

/** What is refused, and the bounds: the generated part of docs/limits.md. */
export function limitsPart(): string {
  const bounds: [string, number | string][] = [
    ['hooks of a policy', LIMITS.hooksPerPolicy],
    ['selectors of a hook and policy', LIMITS.selectorsPerHook],
    ['arguments of a hook and policy', LIMITS.argsPerHook],
    ['index of an argument of a function', `0 to ${LIMITS.maxArgIndex}`],
    ['filters on arguments of a selector', LIMITS.filtersPerSelector],
    ['actions of a selector', LIMITS.actionsPerSelector],
    ['values of a filter', LIMITS.valuesPerFilter],
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
  return [
    '### Fields and values that are refused',
    '',
    'The API server stores them if the webhook is not there; the compiler refuses them with `NotSupported` and the path of the field.',
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
