import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { runCli } from './testing/run-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'palisade-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SEED = 'examples/seed/block-etc-writes.yaml';
const BAD = 'e2e/fixtures/bad/01-misspelt-field.yaml';

/** A process for each question, on a machine that has others to do. */
const timing = { timeout: 60_000 };

describe('palisade explain', timing, () => {
  it('says in sentences what a policy does, to whom, where, and at what cost', async () => {
    const { code, stdout, stderr } = await runCli(['explain', SEED, '--kernels', '5.10,6.1,6.12']);
    expect(stderr).toBe('');
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(stdout).toMatch(/^TracingPolicy block-etc-writes kills\.\n/);
    expect(text).toContain('If its pod is not in the Kubernetes namespace "kube-system" (never true outside pods), and');
    expect(text).toContain(
      'the path of the file in argument 0 (file) begins with "/etc/" then the process is killed (SIGKILL), the call itself is not denied, and an event is sent.',
    );
    expect(text).toContain('Kernels 5.10: loads, and kills (kprobe):');
    expect(text).toContain('6.1, 6.12: loads, and kills (lsm).');
    expect(text).toContain('Cost Medium.');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(code).toBe(0);
  });

  it('gives programs the same, and says why a policy cannot be explained', async () => {
    const { code, stdout, stderr } = await runCli(['explain', SEED, BAD, '-o', 'json', '--kernels', '6.12']);
    const schema = z.array(z.object({ title: z.string(), explanation: z.object({ summary: z.string() }), kernels: z.array(z.unknown()) }));
    expect(schema.parse(JSON.parse(stdout))).toMatchObject([
      { title: 'TracingPolicy block-etc-writes', explanation: { summary: 'kills' }, kernels: [{ kernels: ['6.12'], loads: true }] },
    ]);
    expect(stderr).toMatch(/01-misspelt-field\.yaml:\d+:\d+: UnknownField: /);
    expect(code).toBe(1);
  });
});

describe('palisade plan', timing, () => {
  it('shows the plan with its digest, and its bytes have this digest', async () => {
    const json = await runCli(['plan', SEED]);
    const shown = z.object({ digest: z.string(), plan: z.unknown(), policy: z.unknown() }).parse(JSON.parse(json.stdout));
    expect(shown.policy).toEqual({ kind: 'TracingPolicy', name: 'block-etc-writes' });
    const canonical = await runCli(['plan', SEED, '-o', 'canonical']);
    expect(createHash('sha256').update(canonical.stdout).digest('hex')).toBe(shown.digest);
    expect(JSON.parse(canonical.stdout)).toEqual(shown.plan);
    const yaml = await runCli(['plan', SEED, '-o', 'yaml']);
    expect(parseYaml(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });

  it('says what does not compile on standard error, and shows the rest', async () => {
    const { code, stdout, stderr } = await runCli(['plan', SEED, BAD, '-o', 'yaml']);
    expect(stdout).toContain('name: block-etc-writes');
    expect(stderr).toContain('UnknownField');
    expect(code).toBe(1);
  });

  it('does not run several policies into one canonical text', async () => {
    const { code, stdout, stderr } = await runCli(['plan', 'examples/seed', '-o', 'canonical']);
    expect(stderr).toContain('-o canonical shows one');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('palisade facts', timing, () => {
  it('lists the recorded kernels, and what they can do', async () => {
    const { code, stdout } = await runCli(['facts']);
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toMatch(/^KERNEL +RELEASE +ARCH +PREEMPT +DENIES/);
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(['5.10', '6.1', '6.12', '7.x']);
    expect(code).toBe(0);
  });

  it('shows one kernel, also from a file', async () => {
    const known = await runCli(['facts', 'show', '6.12', '-o', 'json']);
    const file = await runCli(['facts', 'show', 'facts/6.12.kernel', '-o', 'json']);
    expect(file.stdout).toBe(known.stdout);
    const schema = z.object({ release: z.string(), facts: z.record(z.string(), z.unknown()), names: z.record(z.string(), z.int()) });
    expect(schema.parse(JSON.parse(known.stdout)).names['functions']).toBeGreaterThan(10_000);
    const text = await runCli(['facts', 'show', '5.10']);
    expect(text.stdout).toMatch(/ {2}bpf_loop +no +bpf_loop is there/);
  });

  it('finds what can be hooked by a part of its name, with its arguments as policies number them', async () => {
    const { code, stdout } = await runCli(['facts', 'find', 'path_unlink', '--kernels', '5.10,6.12']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(/ {3,}/));
    expect(rows[1]).toEqual(['LSM hook', 'path_unlink', '5.10,6.12', '0: const struct path *dir, 1: struct dentry *dentry']);
    expect(rows[2]).toEqual(['function', 'security_path_unlink', '5.10,6.12', '0: const struct path *dir, 1: struct dentry *dentry']);
    expect(code).toBe(0);
    const schema = z.array(z.object({ kind: z.string(), name: z.string(), arguments: z.array(z.string()) }));
    const syscalls = await runCli(['facts', 'find', 'sys_openat', '-o', 'json', '--kernels', '6.12']);
    expect(schema.parse(JSON.parse(syscalls.stdout))[0]).toEqual({
      kind: 'system call',
      name: 'sys_openat',
      arguments: ['0: int dfd', '1: const char * filename', '2: int flags', '3: umode_t mode'],
    });
    expect(await runCli(['facts', 'find', 'no_such_name'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'palisade: nothing has "no_such_name" in its name\n',
    });
    expect((await runCli(['facts', 'find', 'file_opn'])).stderr).toBe(
      'palisade: nothing has "file_opn" in its name; did you mean "file_open"?\n',
    );
  });

  it('shows what differs between two kernels, and nothing between a kernel and itself', async () => {
    const other = await runCli(['facts', 'diff', '5.10', '6.1']);
    expect(other.stdout).toContain('\n- bpf_loop: no\n');
    expect(other.stdout).toContain('\n+ bpf_loop: yes\n');
    expect(other.stdout).toContain('\nLSM hooks\n');
    expect(other.code).toBe(1);
    expect(await runCli(['facts', 'diff', '6.1', '6.1'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('refuses a kernel that is not known, and a file that is none', async () => {
    expect(await runCli(['facts', 'show', '4.19'])).toMatchObject({ code: 2, stderr: expect.stringContaining('known are 5.10') });
    const file = path.join(folder, 'x.kernel');
    writeFileSync(file, 'no kernel\n');
    expect(await runCli(['facts', 'show', file])).toMatchObject({ code: 2, stderr: expect.stringContaining('not a recorded kernel') });
  });
});

describe('The command itself', timing, () => {
  it('shows all commands in groups, without a word as well as with help', async () => {
    const bare = await runCli([]);
    expect(bare.stdout).toMatch(/Policies:\n {2}lint .*\n[^]*Clusters and nodes:\n[^]*Other:\n/);
    expect(bare.code).toBe(0);
    expect(await runCli(['help'])).toEqual(bare);
    expect(await runCli(['--help'])).toEqual(bare);
  });

  it('shows the help of a command, with examples and exit codes', async () => {
    for (const name of ['lint', 'explain', 'plan', 'facts']) {
      const { code, stdout } = await runCli(['help', name]);
      expect(stdout).toContain(`Usage: palisade ${name} `);
      expect(stdout).toContain('\nExamples:\n');
      expect(stdout).toContain('\nExit codes: 0 ');
      expect(code).toBe(0);
    }
  });

  it('suggests the command that is near', async () => {
    expect(await runCli(['lnit'])).toEqual({ code: 2, stdout: '', stderr: 'palisade: unknown command "lnit"; did you mean "lint"?\n' });
    expect((await runCli(['frobnicate'])).stderr).toBe('palisade: unknown command "frobnicate"; "palisade help" lists all\n');
    expect((await runCli(['facts', 'fnd', 'x'])).stderr).toBe('palisade: unknown command "facts fnd"; did you mean "find"?\n');
    expect((await runCli(['node', 'suspnd'])).stderr).toContain('Did you mean suspend?');
  });

  it('says its version, for people and programs', async () => {
    const { stdout } = await runCli(['version', '-o', 'json']);
    const schema = z.strictObject({ version: z.string(), planFormat: z.int(), hubProtocol: z.int(), abi: z.string(), node: z.string() });
    const { version } = schema.parse(JSON.parse(stdout));
    expect((await runCli(['--version'])).stdout).toBe(`${version}\n`);
  });

  it('calls itself what kubectl calls it', () => {
    const plugin = path.join(folder, 'kubectl-palisade');
    symlinkSync(path.join(import.meta.dirname, 'main.ts'), plugin);
    const { stdout } = spawnSync(process.execPath, [plugin, 'help', 'version'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^Usage: kubectl palisade version /);
  });
});
