import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import { type CompiledPolicy, compile } from '../compile.ts';
import { parse } from '../parse.ts';
import { type Problem, formatProblem } from '../problem.ts';
import { dangers } from '../warnings/dangers.ts';

const root = path.join(import.meta.dirname, '../../..');

/** An object as the API server would hand it over. */
export function policyObject(spec: object, kind = 'TracingPolicy'): Record<string, unknown> {
  const namespace = kind === 'TracingPolicyNamespaced' ? { namespace: 'team-a' } : {};
  return { apiVersion: 'cilium.io/v1alpha1', kind, metadata: { name: 'test', uid: 'u-1', generation: 1, ...namespace }, spec };
}

/** Parses and compiles; all problems of both steps, as lines for people. */
export function problemsOf(object: unknown): string[] {
  return findProblems(object).map(formatProblem);
}

/** Without what is valid and dangerous: small policies for tests are, more often than not. `dangersOf` has these. */
export function findProblems(object: unknown): readonly Problem[] {
  const parsed = parse(object);
  if (!parsed.ok) {
    return parsed.problems;
  }
  const result = compile(parsed.value);
  if (!result.ok) {
    return result.problems;
  }
  const left = new Set(dangers(parsed.value, result.value.plan).map(formatProblem));
  return result.warnings.filter((problem) => !left.has(formatProblem(problem)));
}

/** What `compile` warns of in a policy that is valid. Throws if it is not. */
export function dangersOf(object: unknown): readonly Problem[] {
  const parsed = parse(object);
  const result = parsed.ok ? compile(parsed.value) : parsed;
  if (!parsed.ok || !result.ok) {
    throw new Error((result.ok ? [] : result.problems).map(formatProblem).join('\n'));
  }
  const found = new Set(dangers(parsed.value, result.value.plan).map(formatProblem));
  return result.warnings.filter((problem) => found.has(formatProblem(problem)));
}

export function codesOf(object: unknown): string[] {
  return findProblems(object).map((problem) => problem.code);
}

/** Throws with all problems if the object does not compile. */
export function compiled(object: unknown): CompiledPolicy {
  const parsed = parse(object);
  if (!parsed.ok) {
    throw new Error(parsed.problems.map(formatProblem).join('\n'));
  }
  const result = compile(parsed.value);
  if (!result.ok) {
    throw new Error(result.problems.map(formatProblem).join('\n'));
  }
  return result.value;
}

/** A policy with one kprobe. */
export function kprobePolicy(hook: object, spec: object = {}): Record<string, unknown> {
  return policyObject({ kprobes: [{ call: 'security_file_open', syscall: false, args: [{ index: 0, type: 'file' }], ...hook }], ...spec });
}

/** A policy with one lsmhook on file_open that has one selector. */
export function lsmPolicy(selector: object, spec: object = {}): Record<string, unknown> {
  return policyObject({ lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }], selectors: [selector] }], ...spec });
}

export type PolicyFile = { readonly name: string; readonly text: string; readonly object: unknown };

/** All YAML files of a folder of this repository. */
export function policyFiles(folder: string): PolicyFile[] {
  const at = path.join(root, folder);
  return readdirSync(at)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => {
      const text = readFileSync(path.join(at, name), 'utf8');
      return { name, text, object: parseYaml(text) as unknown };
    });
}
