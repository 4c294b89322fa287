import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { dangersOf } from '../policy/testing/policies.ts';
import { RECORDED, readRecorded } from '../policy/testing/recorded-kernels.ts';
import { type CliRun, runCli } from './testing/run-cli.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'examples');
const FILES = globSync('**/*.yaml', { cwd: FOLDER }).toSorted();
const POLICIES = FILES.filter((name) => !name.endsWith('.test.yaml'));

const scratch = mkdtempSync(path.join(tmpdir(), 'palisade-examples-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Warnings of dangers that an example is meant to have, and why. */
const KNOWN_DANGERS: ReadonlyMap<string, readonly string[]> = new Map([
  // The seed's policy is as it was given: it says writes and sees opens, and its kill lets the open complete. What it matches besides is
  // let go by its filters on CAP_SYS_ADMIN and the namespace only.
  ['seed/block-etc-writes.yaml', ['CommonFile', 'ReadingAsWell', 'KillWithoutDeny']],
  // As it was given: it decides by the text that the program passes to execve.
  ['seed/block-reverse-shell-tools.yaml', ['ArgumentCanChange']],
  // The same, to show a kprobe on a system call in a namespaced policy; execution/deny-shells.yaml is the one to use.
  ['namespaced-shells.yaml', ['ArgumentCanChange']],
]);

const named = z.object({ metadata: z.object({ name: z.string() }) });
const cased = z.object({ cases: z.array(z.object({ host: z.boolean().optional() })) });

function textOf(name: string): string {
  return readFileSync(path.join(FOLDER, name), 'utf8');
}

function objectOf(name: string): unknown {
  return parseYaml(textOf(name));
}

function testFileOf(policy: string): string {
  return path.join(path.dirname(policy), 'tests', path.basename(policy).replace(/\.yaml$/, '.test.yaml'));
}

function yamlBlocks(page: string): readonly string[] {
  return Array.from(page.matchAll(/^```yaml\n([^]+?)^```/gm), ([, block = '']) => block);
}

/** A policy and its tests as two files of a folder of their own. */
function testTogether(name: string, policy: string, tests: string): Promise<CliRun> {
  const folder = mkdtempSync(path.join(scratch, `${name}-`));
  writeFileSync(path.join(folder, `${name}.yaml`), policy);
  writeFileSync(path.join(folder, `${name}.test.yaml`), tests);
  return runCli(['test', folder]);
}

/** What the two policies about modules compare `purpose` with. */
const MODULE_PURPOSES = ['2', '7'];

const TESTS_OF_EGRESS = `pod: { labels: { egress: internal } }
cases:
  - { name: outside, args: { 1: { saddr: 203.0.113.7, sport: 443 } }, expect: deny EACCES }
  - { name: outside by IPv6, args: { 1: { saddr: "2001:db8::7", sport: 443 } }, expect: deny EACCES }
  - { name: inside, args: { 1: { saddr: 10.1.2.3, sport: 443 } }, expect: nothing }
  - { name: local, args: { 1: { family: AF_UNIX } }, expect: nothing }
  - { name: host, args: { 1: { saddr: 203.0.113.7, sport: 443 } }, host: true, expect: nothing }
`;

describe('the library of examples', () => {
  it('loads on all recorded kernels', { timeout: 60_000 }, async () => {
    const { code, stdout } = await runCli(['lint', 'examples/', '--kernels', 'all']);
    expect(stdout).not.toContain('error:');
    expect(code).toBe(0);
  });

  it('does what its tests say, and they try every selector', { timeout: 60_000 }, async () => {
    const { code, stdout } = await runCli(['test', 'examples/', '--coverage']);
    expect(stdout.match(/✗.*|.*is matched by no case/g)).toBe(null);
    expect(stdout).toMatch(/^coverage: (\d+) of \1 selectors$/m);
    expect(code).toBe(0);
  });

  it('has policies of different names, so that all can be applied together', () => {
    const names = POLICIES.map((name) => named.parse(objectOf(name)).metadata.name);
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it('compiles the policy of its page that waits for the engine, whose tests run', { timeout: 60_000 }, async () => {
    const [policy = ''] = yamlBlocks(textOf('README.md'));
    const { code, stdout, stderr } = await testTogether('deny-egress', policy, TESTS_OF_EGRESS);
    expect(`${stdout}${stderr}`).toContain('5 passed');
    expect(code).toBe(0);
  });
});

describe.each(RECORDED)('numbers in the examples, on %s', (name) => {
  it.each(['kernel_read_file_id', 'kernel_load_data_id'])('name every purpose of %s that is about modules, and no other', (purposes) => {
    const values = readRecorded(name).catalogue?.types?.kernel?.enumValues(purposes) ?? new Map<string, bigint>();
    const modules = [...values].filter(([purpose]) => purpose.includes('_MODULE')).map(([, value]) => String(value));
    const others = [...values].filter(([purpose]) => !/_MODULE|_MAX_ID$/.test(purpose)).map(([, value]) => String(value));
    expect(modules).not.toEqual([]);
    expect(MODULE_PURPOSES).toEqual(expect.arrayContaining(modules));
    expect(others.filter((value) => MODULE_PURPOSES.includes(value))).toEqual([]);
    for (const policy of ['kernel/deny-module-loading.yaml', 'kernel/watch-module-loading.yaml']) {
      const asked = textOf(policy).match(/values: \["\d.*/g);
      expect(asked).toEqual(Array.from({ length: 2 }, () => `values: ["${MODULE_PURPOSES.join('", "')}"]`));
    }
  });
});

describe('the page about writing policies', () => {
  const [policy = '', tests = ''] = yamlBlocks(readFileSync(path.join(ROOT, 'docs/writing-policies.md'), 'utf8'));

  it('shows a first version in which its tests find the mistake', { timeout: 60_000 }, async () => {
    const { code, stdout } = await testTogether('keep-api-key', policy, tests);
    expect(stdout).toContain('✗ other files may be opened');
    expect(code).toBe(1);
  });

  it('and a second one that passes', { timeout: 60_000 }, async () => {
    const { code } = await testTogether('keep-api-key', policy.replace('operator: Prefix', 'operator: Equal'), tests);
    expect(code).toBe(0);
  });
});

describe.each(POLICIES)('%s', (name) => {
  it('warns of no danger but of those that are known', () => {
    expect(dangersOf(objectOf(name)).map(({ code }) => code)).toEqual(KNOWN_DANGERS.get(name) ?? []);
  });

  it('has tests, which also leave a process of the host alone or watch one', () => {
    const test = testFileOf(name);
    expect(FILES).toContain(test);
    const { cases } = cased.parse(parseYaml(textOf(test)));
    expect(cases.length).toBeGreaterThanOrEqual(3);
    expect(cases.some(({ host }) => host === true)).toBe(true);
  });

  it('shows editors where its schema is', () => {
    for (const file of [name, testFileOf(name)]) {
      const schema = /^# yaml-language-server: \$schema=(\S+)\n/.exec(textOf(file))?.[1] ?? '';
      const wanted = file === name ? 'tracingpolicy.json' : 'policytests.json';
      expect(path.join(FOLDER, path.dirname(file), schema)).toBe(path.join(ROOT, 'schemas', wanted));
    }
  });
});
