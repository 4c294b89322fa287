import type { Examples, ProblemExample } from './example.ts';
import { onFile } from './example.ts';

/** The spec of `policy.yaml`, which the test files below are about. */
export const POLICY_UNDER_TEST = onFile(
  'matchArgs: [{ index: 0, operator: Equal, values: [/etc/shadow] }]',
  'matchActions: [{ action: Override, argError: -1 }]',
);

const cases = (...lines: readonly string[]): string =>
  ['policy: policy.yaml', 'cases:', ...lines.map((line) => `  - ${line}`), ''].join('\n');
const GOOD = '{ name: shadow, hook: "lsm:file_open", args: [/etc/shadow], expect: deny EPERM }';

function tested(wrong: string): ProblemExample {
  return { of: 'test file', severity: 'error', wrong, right: cases(GOOD) };
}

/** What is wrong with files of tests. */
export const TEST_EXAMPLES = {
  NoSuchPolicy: tested(cases(GOOD).replace('policy.yaml', 'policies.yaml')),
  NoSuchHook: tested(cases(GOOD.replace('file_open', 'file_opened'))),
  NotRead: tested(cases(GOOD.replace('[/etc/shadow]', '[/etc/shadow, 2]'))),
  NotGiven: tested(cases(GOOD.replace('args: [/etc/shadow], ', ''))),
  BadTestValue: tested(cases(GOOD.replace('[/etc/shadow]', '[7]'))),
  BadExpectation: tested(cases(GOOD.replace('deny EPERM', 'denies'))),
} satisfies Examples;
