import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { CliError } from '../cli/cli-io.ts';
import { policiesOf } from '../cli/policy-test-files.ts';
import { compile } from './compile.ts';
import { readDocuments } from './document/read-documents.ts';
import { parse } from './parse.ts';
import { readTestFile, runTests } from './policy-tests/run-tests.ts';
import { isJsonObject } from './plain-json.ts';
import { PROBLEM_CODES } from './problem-codes.ts';
import type { Problem } from './problem.ts';
import { compiled, policyObject } from './testing/policies.ts';
import { PROBLEM_EXAMPLES } from './testing/problem-examples/all.ts';
import type { ProblemExample } from './testing/problem-examples/example.ts';
import { POLICY_UNDER_TEST } from './testing/problem-examples/tests.ts';

const codes = PROBLEM_CODES.map(({ name }) => name);

function specOf(text: string): object {
  const spec: unknown = parseYaml(text);
  return isJsonObject(spec) ? spec : {};
}

function problemsOfObject(object: unknown): readonly Problem[] {
  const parsed = parse(object);
  const result = parsed.ok ? compile(parsed.value) : parsed;
  return result.ok ? result.warnings : result.problems;
}

function problemsOfFile(bytes: Uint8Array): readonly Problem[] {
  const { documents, problems } = readDocuments('policy.yaml', bytes);
  return [...problems.map(({ problem }) => problem), ...documents.flatMap(({ object }) => problemsOfObject(object))];
}

async function problemsOfTests(text: string): Promise<readonly Problem[]> {
  const [document] = readDocuments('policy.test.yaml', Buffer.from(text)).documents;
  if (document === undefined) throw new Error('no document');
  const read = readTestFile(document);
  if (!read.ok) return read.problems.map(({ problem }) => problem);
  const { plan, mode } = compiled(policyObject(specOf(POLICY_UNDER_TEST)));
  const found = await policiesOf('policy.test.yaml', document, read.file, (file) =>
    file === 'policy.yaml'
      ? Promise.resolve({ ok: true, policies: [{ file, name: 'policy', plan, mode }] })
      : Promise.reject(new CliError(`${file}: no such file`)),
  );
  const run = found.ok ? runTests(document, read.file, found.policies, () => true) : found;
  return run.ok ? [] : run.problems.map(({ problem }) => problem);
}

async function problemsOf({ of }: ProblemExample, text: string | Uint8Array): Promise<readonly Problem[]> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  switch (of) {
    case 'file':
      return problemsOfFile(bytes);
    case 'test file':
      return problemsOfTests(bytes.toString());
    default:
      return problemsOfObject(policyObject(specOf(bytes.toString()), of === 'spec' ? 'TracingPolicy' : 'TracingPolicyNamespaced'));
  }
}

describe('the catalogue of problems', () => {
  it.each(codes)(
    '%s: its example of what is wrong is found, with its severity, and its example of what is right is right',
    async (code) => {
      const example = PROBLEM_EXAMPLES[code];
      const wrong = await problemsOf(example, example.wrong);
      const right = await problemsOf(example, example.right);
      expect(wrong).toContainEqual(expect.objectContaining({ code, severity: example.severity }));
      expect(right.filter((problem) => problem.severity === 'error' || problem.code === code)).toEqual([]);
    },
  );

  it('tells of the field, what is wrong, and mostly what would be right', async () => {
    const silent: string[] = [];
    for (const code of codes) {
      const example = PROBLEM_EXAMPLES[code];
      const found = (await problemsOf(example, example.wrong)).filter((problem) => problem.code === code);
      if (found.every((problem) => problem.hint === undefined)) silent.push(code);
      expect(found.every((problem) => problem.message.length > 0 && !problem.message.endsWith('.'))).toBe(true);
    }
    // Here the message leaves no question.
    expect(silent.length).toBeLessThan(codes.length / 4);
  });

  it('has no code that nothing uses, and each stands in docs/errors.md with its anchor', () => {
    const root = path.join(import.meta.dirname, '../..');
    const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/(\.test\.ts|testing\/.*|problem-codes\.ts)$/.test(name))
      .map((name) => readFileSync(path.join(root, 'src', name), 'utf8'))
      .join('\n');
    const page = readFileSync(path.join(root, 'docs/errors.md'), 'utf8');
    expect(codes.filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
    expect(codes.filter((code) => !page.includes(`<a id="${code}">`))).toEqual([]);
  });
});
