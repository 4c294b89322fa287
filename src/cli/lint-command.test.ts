import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from './testing/run-cli.ts';
import { sarifSchema } from './testing/sarif-schema.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'palisade-lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: watch-shadow
spec:
  podSelector: {}
  lsmhooks:
  - hook: file_open
    args:
    - index: 0
      type: file
    selectors:
    - matchArgs:
      - index: 0
        operator: Equal
        values: ["/etc/shadow"]
`;
const BAD = GOOD.replace('operator: Equal', 'operator: Equals');
const UNKNOWN_HOOK = GOOD.replace('hook: file_open', 'hook: file_opne');
const OTHER = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n';

function write(name: string, text: string | Uint8Array): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const jsonSchema = z.object({
  summary: z.record(z.string(), z.int()),
  findings: z.array(
    z.object({
      file: z.string(),
      line: z.int(),
      column: z.int(),
      severity: z.enum(['error', 'warning', 'note']),
      code: z.string(),
      field: z.string(),
      message: z.string(),
      kernels: z.array(z.string()).optional(),
    }),
  ),
  policies: z.array(
    z.object({
      name: z.string(),
      digest: z.string().length(64),
      kernels: z.array(z.object({ kernel: z.string(), loads: z.boolean(), effective: z.string(), reasons: z.array(z.string()) })),
    }),
  ),
});

/** A process for each question, on a machine that has others to do. */
const timing = { timeout: 60_000 };

describe('palisade lint', timing, () => {
  it('says nothing on standard output about good policies, and sums up on standard error', async () => {
    const file = write('good.yaml', GOOD);
    expect(await runCli(['lint', file])).toEqual({
      code: 0,
      stdout: '',
      stderr: '1 policy in 1 file: no problems (no kernel was asked for names: --kernels all)\n',
    });
  });

  it('names file, line and column of a problem, what is wrong and what would be right', async () => {
    const file = write('bad.yaml', BAD);
    const { code, stdout, stderr } = await runCli(['lint', file]);
    expect(stdout).toBe(
      `${file}:15:19: error: WrongValue: spec.lsmhooks[0].selectors[0].matchArgs[0].operator: "Equals" is not one of its values; did you mean "Equal"?\n`,
    );
    expect(stderr).toBe('1 policy in 1 file: 1 error\n');
    expect(code).toBe(1);
  });

  it('reads what Helm and Kustomize print: other kinds are skipped, one bad document does not hide another', async () => {
    const stream = [
      OTHER,
      BAD,
      '# left of a condition\n',
      '{ not yaml\n',
      UNKNOWN_HOOK.replace('watch', 'see').replace('file_opne', '""'),
    ].join('---\n');
    const { code, stdout, stderr } = await runCli(['lint', '-'], { stdin: stream });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(': ').slice(0, 3).join(' '))).toEqual([
      'stdin:20:19 error WrongValue',
      expect.stringMatching(/^stdin:2\d:\d+ error NotYaml$/),
      expect.stringMatching(/^stdin:3\d:\d+ error \w+$/),
    ]);
    expect(stderr).toBe('2 policies in 1 file: 3 errors; 1 other object skipped\n');
    expect(code).toBe(1);
  });

  it('warns of two policies with one name in what is applied together', async () => {
    const { code, stdout } = await runCli(['lint', '-'], { stdin: `${GOOD}---\n${GOOD}` });
    expect(stdout).toBe(
      'stdin:21:9: warning: RepeatedName: metadata.name: stdin#1 has this name as well, and the later one replaces the other\n',
    );
    expect(code).toBe(0);
  });

  it('skips a test of policies, also where it is named, as commit hooks do', async () => {
    const file = write('named.test.yaml', 'cases:\n- name: none\n  args: []\n  expect: allow\n');
    expect(await runCli(['lint', file])).toMatchObject({ code: 0, stdout: '' });
  });

  it('walks through folders, and leaves alone what is hidden or was never meant as a policy', async () => {
    const root = path.join(folder, 'tree');
    write('tree/a/b/bad.yml', BAD);
    write(
      'tree/policy.json',
      JSON.stringify({
        apiVersion: 'cilium.io/v1alpha1',
        kind: 'TracingPolcy',
        metadata: { name: 'x' },
        spec: { lsmhooks: [{ hook: 'file_open' }] },
      }),
    );
    write('tree/package.json', '{"name": "web"}');
    write('tree/Chart.yaml', 'apiVersion: v2\nname: web\n');
    write('tree/templates/deployment.yaml', '{{ if .Values.on }}\nkind: Deployment\n{{ end }}\n');
    write('tree/a/bad.test.yaml', 'cases:\n- name: none\n  args: []\n  expect: allow\n');
    write('tree/notes.txt', BAD);
    write('tree/.git/bad.yaml', BAD);
    symlinkSync(root, path.join(root, 'a/loop'));
    const { code, stdout, stderr } = await runCli(['lint', 'tree'], { cwd: folder });
    expect(stdout.split('\n').map((line) => line.split(':')[0])).toEqual(['tree/a/b/bad.yml', 'tree/policy.json', '']);
    expect(stderr).toBe('2 policies in 6 files: 2 errors; 4 other objects skipped\n');
    expect(code).toBe(1);
  });

  it('leaves alone the schemas with which editors check policies, where they lie beside them', async () => {
    write('edited/good.yaml', GOOD);
    copyFileSync(path.join(import.meta.dirname, '../../schemas/tracingpolicy.json'), path.join(folder, 'edited/tracingpolicy.json'));
    const { code, stderr } = await runCli(['lint', 'edited', '--kernels', '6.12'], { cwd: folder });
    expect(stderr).toBe('1 policy in 2 files: no problems; 1 other object skipped\n');
    expect(code).toBe(0);
  });

  it('waits on no pipe that lies in a folder, and for what cannot be read says so and goes on', async () => {
    write('odd/bad.yaml', BAD);
    symlinkSync('nowhere', path.join(folder, 'odd/a.yaml'));
    execFileSync('mkfifo', [path.join(folder, 'odd/pipe.yaml')]);
    const { code, stdout, stderr } = await runCli(['lint', 'odd'], { cwd: folder });
    expect(stdout).toContain('odd/bad.yaml:15:19: error');
    expect(stderr).toBe('palisade: odd/a.yaml: no such file or directory\n1 policy in 1 file: 1 error; 1 file not read\n');
    expect(code).toBe(2);
  });

  it('takes an empty standard input for a command before it that failed', async () => {
    const { code, stderr } = await runCli(['lint', '-']);
    expect(stderr).toContain('palisade: stdin: there is nothing in it');
    expect(code).toBe(2);
  });

  it('of a template that is about policies, says that it is no YAML', async () => {
    write('chart/policy.yaml', `{{ if .Values.on }}\n${GOOD}{{ end }}\n`);
    const { code, stdout } = await runCli(['lint', path.join(folder, 'chart')]);
    expect(stdout).toContain('NotYaml');
    expect(code).toBe(1);
  });

  it('could not run: no such file, no permission, no policies in sight, unknown flags and formats', async () => {
    const none = await runCli(['lint', path.join(folder, 'none.yaml')]);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toMatch(/^palisade: .*none\.yaml: no such file or directory$/m);
    mkdirSync(path.join(folder, 'empty'), { recursive: true });
    expect((await runCli(['lint', 'empty'], { cwd: folder })).stderr).toBe('palisade: no *.yaml, *.yml or *.json in empty\n');
    const flag = await runCli(['lint', '--strct', 'x']);
    expect(flag).toMatchObject({ code: 2, stdout: '' });
    expect(flag.stderr).toContain('Did you mean --strict?');
    expect(await runCli(['lint', '-o', 'xml', 'x'])).toMatchObject({ code: 2, stdout: '' });
    expect(await runCli(['lint'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('could not run: a file that cannot be read although it is there', async () => {
    const { code, stderr } = await runCli(['lint', '/proc/self/mem']);
    expect(stderr).toMatch(/^palisade: \/proc\/self\/mem: i\/o error$/m);
    expect(code).toBe(2);
  });

  it('survives hostile bytes with a located error', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(',')}]\n`)
      .join('')}`;
    const files = [
      write('hostile/bomb.yaml', `# TracingPolicy\n${bomb}`),
      write('hostile/bytes.yaml', Buffer.concat([Buffer.from('kind: TracingPolicy\nname: '), Buffer.from([0xff, 0xfe, 0x80])])),
      write('hostile/deep.yaml', `kind: TracingPolicy\nspec: ${'['.repeat(5000)}${']'.repeat(5000)}\n`),
      write('hostile/twice.yaml', GOOD.replace('spec:', 'spec: {}\nspec:')),
    ];
    const { code, stdout } = await runCli(['lint', ...files]);
    expect(code).toBe(1);
    for (const file of files) expect(stdout).toMatch(new RegExp(`${path.basename(file)}:[0-9]+:[0-9]+: error: `));
  });
});

describe('palisade lint --kernels', timing, () => {
  const bound = write('bound.yaml', GOOD);

  it('tells per kernel what a policy comes to', async () => {
    const { code, stdout } = await runCli(['lint', bound, '--kernels', '5.10,6.12']);
    expect(stdout).toMatch(/POLICY +5\.10 +6\.12\nwatch-shadow +observe.* +observe/);
    expect(code).toBe(0);
  });

  it('takes a hook that a kernel lacks for an error there, with a name that is near', async () => {
    const file = write('unknown-hook.yaml', UNKNOWN_HOOK);
    const { code, stdout } = await runCli(['lint', file, '-o', 'json', '--kernels', 'all']);
    const { findings, policies } = jsonSchema.parse(JSON.parse(stdout));
    expect(findings).toMatchObject([
      {
        file,
        line: 8,
        column: 11,
        severity: 'error',
        code: 'LsmHookNotFound',
        field: 'spec.lsmhooks[0].hook',
        kernels: ['5.10', '6.1', '6.12', '7.x'],
      },
    ]);
    expect(findings[0]?.message).toContain('file_open');
    expect(policies[0]?.kernels.map(({ loads }) => loads)).toEqual([false, false, false, false]);
    expect(code).toBe(1);
  });

  it('takes what is less than wished for a warning, which --strict counts', async () => {
    const file = write(
      'degraded.yaml',
      GOOD.replace('lsmhooks:\n  - hook: file_open', 'kprobes:\n  - call: security_file_open\n    syscall: false'),
    );
    const { code, stdout } = await runCli(['lint', file, '-o', 'json', '--kernels', '5.10']);
    const { findings, policies } = jsonSchema.parse(JSON.parse(stdout));
    expect(findings).toMatchObject([{ severity: 'warning', code: 'NotPersistent', kernels: ['5.10'] }]);
    expect(policies[0]?.kernels).toEqual([{ kernel: '5.10', loads: true, effective: 'observe', reasons: ['NotPersistent'] }]);
    expect(code).toBe(0);
    expect(await runCli(['lint', file, '--kernels', '5.10', '--strict', '-q'])).toMatchObject({ code: 1, stderr: '' });
  });

  it('refuses kernels that it does not know', async () => {
    const { code, stderr } = await runCli(['lint', bound, '--kernels', '6.13']);
    expect(stderr).toContain('kernel "6.13" is not known; known are 5.10, 6.1, 6.12, 7.x');
    expect(code).toBe(2);
  });
});

describe('palisade lint -o', timing, () => {
  const bad = write('out/it has 100%, and: more/bad.yaml', BAD);
  const relative = path.relative(folder, bad);

  it('github: writes workflow commands, with everything escaped that must be', async () => {
    const { code, stdout } = await runCli(['lint', relative, '-o', 'github'], { cwd: folder });
    expect(stdout).toBe(
      `::error file=out/it has 100%25%2C and%3A more/bad.yaml,line=15,endLine=15,col=19,endColumn=25,title=WrongValue::spec.lsmhooks[0].selectors[0].matchArgs[0].operator: "Equals" is not one of its values; did you mean "Equal"?\n`,
    );
    expect(code).toBe(1);
  });

  it('sarif: writes a log that code scanners take, with a rule for every code', async () => {
    const { code, stdout } = await runCli(['lint', relative, 'out', '-o', 'sarif', '--kernels', 'all'], { cwd: folder });
    const { runs } = sarifSchema.parse(JSON.parse(stdout));
    expect(runs[0]?.tool.driver.rules.map(({ id }) => id)).toEqual(['WrongValue']);
    expect(runs[0]?.tool.driver.rules[0]?.help.markdown).toContain('docs/errors.md#WrongValue');
    expect(runs[0]?.results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'out/it%20has%20100%25%2C%20and%3A%20more/bad.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 15, startColumn: 19, endLine: 15, endColumn: 25 },
    });
    const prints = runs[0]?.results.map(({ partialFingerprints }) => JSON.stringify(partialFingerprints)) ?? [];
    expect(new Set(prints).size).toBe(2);
    expect(code).toBe(1);
  });

  it('sarif: is a log without results where nothing is wrong', async () => {
    const { stdout } = await runCli(['lint', write('fine.yaml', GOOD), '-o', 'sarif']);
    expect(sarifSchema.parse(JSON.parse(stdout)).runs[0]?.results).toEqual([]);
  });

  it('json: has the digest of every plan', async () => {
    const { stdout } = await runCli(['lint', write('fine.yaml', GOOD), '-o', 'json']);
    const { summary, policies } = jsonSchema.parse(JSON.parse(stdout));
    expect(summary).toEqual({ files: 1, policies: 1, skipped: 0, unread: 0, errors: 0, warnings: 0, notes: 0, notShown: 0 });
    expect(policies).toMatchObject([{ name: 'watch-shadow', kernels: [] }]);
  });
});
