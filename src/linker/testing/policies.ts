/** Policies for tests, from the text that people write. */
import { parse as parseYaml } from 'yaml';
import { compile } from '../../policy/compile.ts';
import { parse } from '../../policy/parse.ts';
import { formatProblem } from '../../policy/problem.ts';
import type { PolicyMode } from '../../policy/plan.ts';
import type { LinkPolicy } from '../link-input.ts';

/** `spec` is YAML below `spec:`. The uid is the name. */
export function testPolicy(
  name: string,
  spec: string,
  options: { readonly namespace?: string; readonly mode?: PolicyMode } = {},
): LinkPolicy {
  const kind = options.namespace === undefined ? 'TracingPolicy' : 'TracingPolicyNamespaced';
  const metadata = options.namespace === undefined ? { name } : { name, namespace: options.namespace };
  const parsed = parse({ apiVersion: 'cilium.io/v1alpha1', kind, metadata, spec: parseYaml(spec) });
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const compiled = compile(parsed.value);
  if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
  const { plan, digest, mode } = compiled.value;
  return { ref: { kind, namespace: options.namespace ?? null, name, uid: name, generation: 1 }, digest, plan, mode: options.mode ?? mode };
}

export type FileOpenRule = {
  readonly prefix: string;
  readonly action?: string;
  readonly errno?: number;
  readonly binaries?: readonly string[];
};

/** The commonest shape: a prefix of a path, and what happens. */
export function fileOpenPolicy(
  name: string,
  rule: FileOpenRule,
  options: { readonly namespace?: string; readonly mode?: PolicyMode } = {},
): LinkPolicy {
  const action = rule.action ?? 'Override';
  const error = action === 'Override' ? `, argError: ${rule.errno ?? -1}` : '';
  const binaries = rule.binaries === undefined ? '' : `\n    matchBinaries: [{operator: In, values: ${JSON.stringify(rule.binaries)}}]`;
  return testPolicy(
    name,
    `lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [${JSON.stringify(rule.prefix)}]}]${binaries}
    matchActions: [{action: ${action}${error}}]`,
    options,
  );
}
