import type { Examples, ProblemExample } from './example.ts';
import { hook, onFile, pair } from './example.ts';

const OPENED = hook('lsmhooks', 'hook: file_open');
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

function file(wrong: string | Uint8Array, right: string): ProblemExample {
  return { of: 'file', severity: 'error', wrong, right };
}

function document(kind: string, metadata: string, spec = '{ lsmhooks: [{ hook: file_open }] }'): string {
  return `apiVersion: cilium.io/v1alpha1\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

const GOOD = document('TracingPolicy', '{ name: watch }');

/** What is wrong with the text of a file, or with the object as such. */
export const FILE_EXAMPLES = {
  NotYaml: file(GOOD.replace('{ name: watch }', '{ name: watch'), GOOD),
  NotUtf8: file(Buffer.from(GOOD.replace('watch', 'w\xe4tch'), 'latin1'), GOOD),
  DuplicateField: file(
    document('TracingPolicy', '{ name: watch }', '{ lsmhooks: [{ hook: file_open, hook: file_lock }] }'),
    document('TracingPolicy', '{ name: watch }', '{ lsmhooks: [{ hook: file_open }, { hook: file_lock }] }'),
  ),
  BadAlias: file(
    document('TracingPolicy', '{ name: watch }', '{ lsmhooks: [*opened] }'),
    document('TracingPolicy', '{ name: watch }', '{ lsmhooks: [&opened { hook: file_open }, *opened] }'),
  ),
  TooLarge: file(`${GOOD}# ${'x'.repeat(3 << 20)}\n`, GOOD),
  NotAnObject: file('- a list\n', GOOD),
  UnknownKind: file(GOOD.replace('v1alpha1', 'v1'), GOOD),
  BadName: file(
    document('TracingPolicyNamespaced', '{ name: watch }'),
    document('TracingPolicyNamespaced', '{ name: watch, namespace: web }'),
  ),
  TooDeep: file(document('TracingPolicy', '{ name: watch }', nested(200)), GOOD),
  UnknownField: pair(
    onFile('matchArgz: [{ index: 0, operator: Equal, values: [/etc/shadow] }]'),
    onFile('matchArgs: [{ index: 0, operator: Equal, values: [/etc/shadow] }]'),
  ),
  MissingField: pair(hook('lsmhooks', 'message: opened'), hook('lsmhooks', 'hook: file_open', 'message: opened')),
  WrongType: pair(
    onFile('matchArgs: [{ index: 0, operator: Equal, values: [7] }]'),
    onFile('matchArgs: [{ index: 0, operator: Equal, values: ["7"] }]'),
  ),
  WrongValue: pair(
    onFile('matchArgs: [{ index: 0, operator: StartsWith, values: [/etc/] }]'),
    onFile('matchArgs: [{ index: 0, operator: Prefix, values: [/etc/] }]'),
  ),
  OutOfRange: pair(
    onFile('matchBinaries:', '  - { operator: In, values: [/bin/sh] }', '  - { operator: NotIn, values: [/bin/cat] }'),
    onFile('matchBinaries:', '  - { operator: In, values: [/bin/sh] }'),
  ),
  NotSupported: pair(`options: [{ name: palisade.dev/rollout, value: slow }]\n${OPENED}`, OPENED),
  NotInNamespacedPolicy: { of: 'namespaced spec', severity: 'error', wrong: `hostSelector: {}\n${OPENED}`, right: OPENED },
  NoHooks: pair('podSelector: {}\n', `podSelector: {}\n${OPENED}`),
  UnknownOption: pair(
    `options: [{ name: policy-mod, value: monitor }]\n${OPENED}`,
    `options: [{ name: policy-mode, value: monitor }]\n${OPENED}`,
  ),
  RepeatedOption: pair(
    `options:\n  - { name: policy-mode, value: monitor }\n  - { name: policy-mode, value: enforce }\n${OPENED}`,
    `options:\n  - { name: policy-mode, value: monitor }\n${OPENED}`,
  ),
  BadOptionValue: pair(
    `options: [{ name: palisade.dev/event-rate, value: "50" }]\n${OPENED}`,
    `options: [{ name: palisade.dev/event-rate, value: 50/s }]\n${OPENED}`,
  ),
  BadLabelSelector: pair(
    `podSelector: { matchExpressions: [{ key: app, operator: In }] }\n${OPENED}`,
    `podSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] }\n${OPENED}`,
  ),
  LoaderWithScope: pair('loader: true\npodSelector: {}\n', 'loader: true\n'),
} satisfies Examples;
