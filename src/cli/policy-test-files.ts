import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { LocatedProblem, PolicyDocument, ReadDocuments } from '../policy/document/document.ts';
import { locateProblems } from '../policy/document/locate.ts';
import { readDocuments } from '../policy/document/read-documents.ts';
import type { TestedPolicy } from '../policy/policy-tests/hook-names.ts';
import type { TestFile } from '../policy/policy-tests/test-schema.ts';
import type { Problem } from '../policy/problem.ts';
import { CliError } from './cli-io.ts';
import { TEST_FILE } from './meant-policies.ts';
import { checkPolicy, findPolicyFiles, readFileBytes, readPolicyFiles, shownName } from './policy-files.ts';

/** Test files among these paths, and below those that are folders. None: a `CliError`. */
export async function findTestFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found = (await findPolicyFiles(paths)).filter((file) => file.isNamed || TEST_FILE.test(file.path));
  if (found.length === 0) throw new CliError(`no *.test.yaml and no *_test.yaml in ${paths.map(shownName).join(', ')}`);
  return [...new Set(found.map(({ path }) => path))];
}

export async function readTestDocuments(path: string, stdin: Readable): Promise<ReadDocuments> {
  return readDocuments(shownName(path), await readFileBytes(path, stdin));
}

/** A policy and the file that it came from. */
export type LoadedPolicy = TestedPolicy & { readonly file: string };

export type LoadedPolicies =
  | { readonly ok: true; readonly policies: readonly LoadedPolicy[] }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] };

/** Reads a policy file once, however many tests name it. */
export type PolicyLoader = (path: string) => Promise<LoadedPolicies>;

export function createPolicyLoader(stdin: Readable): PolicyLoader {
  const loaded = new Map<string, Promise<LoadedPolicies>>();
  return (path) => {
    const known = loaded.get(path) ?? loadPolicies(path, stdin);
    loaded.set(path, known);
    return known;
  };
}

/** All policies of a file, compiled. A file that cannot be read is a `CliError`. */
export async function loadPolicies(path: string, stdin: Readable): Promise<LoadedPolicies> {
  const files = await readPolicyFiles([path], stdin);
  const checked = files.documents.map(checkPolicy);
  const problems = [...files.problems, ...checked.flatMap((one) => (one.ok ? [] : one.problems))];
  if (problems.length > 0) return { ok: false, problems };
  const policies = checked.flatMap((one): readonly LoadedPolicy[] => {
    if (!one.ok) return [];
    const { policy, compiled } = one;
    const name = policy.namespace === null ? policy.name : `${policy.namespace}/${policy.name}`;
    return [{ file: path, name, plan: compiled.plan, mode: compiled.mode }];
  });
  return { ok: true, policies };
}

/** The policies that a test file is about, or why there are none: with the place in the test file where it names them. */
export async function policiesOf(path: string, document: PolicyDocument, file: TestFile, load: PolicyLoader): Promise<LoadedPolicies> {
  const folder = dirname(path);
  const named = file.policy === undefined ? undefined : [file.policy].flat();
  const paths = named === undefined ? [await usualPolicyFile(path)] : named.map((name) => (isAbsolute(name) ? name : join(folder, name)));
  const policies: LoadedPolicy[] = [];
  const problems: LocatedProblem[] = [];
  for (const [index, policyPath] of paths.entries()) {
    const at = Array.isArray(file.policy) ? `policy[${index}]` : 'policy';
    if (policyPath === undefined) {
      const message = `there is no ${usualNames(path)
        .map((one) => JSON.stringify(one))
        .join(' and no ')}`;
      problems.push(...locateProblems(document, [problem('policy', message, 'name the file of the policy, relative to this one')]));
      continue;
    }
    try {
      const read = await load(policyPath);
      if (read.ok) policies.push(...read.policies);
      else problems.push(...read.problems);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      problems.push(...locateProblems(document, [problem(at, error.message)]));
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, policies };
}

function problem(path: string, message: string, hint?: string): Problem {
  return { code: 'NoSuchPolicy', path, message, severity: 'error', ...(hint === undefined ? {} : { hint }) };
}

/** Beside the test, and above a folder `tests`. */
function usualNames(path: string): readonly string[] {
  const name = `${basename(path).replace(TEST_FILE, '')}.yaml`;
  const folder = dirname(path);
  return [join(folder, name), ...(basename(folder) === 'tests' ? [join(dirname(folder), name)] : [])];
}

async function usualPolicyFile(path: string): Promise<string | undefined> {
  if (!TEST_FILE.test(path)) return undefined;
  for (const name of usualNames(path)) {
    for (const candidate of [name, name.replace(/yaml$/, 'yml'), name.replace(/yaml$/, 'json')]) {
      if (await isFile(candidate)) return candidate;
    }
  }
  return undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
