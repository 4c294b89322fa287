import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from './testing/run-cli.ts';
import { createScratchFolder } from './testing/scratch-folder.ts';

const { folder, write } = createScratchFolder('diff');

const POLICY = `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: deny-shadow
spec:
  podSelector: {}
  lsmhooks:
    - hook: file_open
      args: [{ index: 0, type: file }]
      selectors:
        - matchArgs: [{ index: 0, operator: Equal, values: [/etc/shadow] }]
          matchActions: [{ action: Override, argError: -1 }]
`;
const before = write('before.yaml', POLICY);
const after = write('after.yaml', POLICY.replace('[/etc/shadow]', '[/etc/shadow, /etc/gshadow]'));

describe('palisade diff', { timeout: 60_000 }, () => {
  it('says what is written differently, and prints a call that is treated differently', async () => {
    const { code, stdout } = await runCli(['diff', before, after]);
    expect(code).toBe(1);
    expect(stdout).toContain('"/etc/gshadow" is added');
    expect(stdout).toContain(`  # ${before}: allow, no event\n  # ${after}: deny EPERM, an event\n`);
    expect(stdout).toContain('    hook: lsm:file_open\n    args: [/etc/gshadow]\n    expect: deny EPERM\n');
  });

  it('prints what can be pasted into a test file', async () => {
    const { stdout } = await runCli(['diff', before, after]);
    const cases = stdout.slice(stdout.indexOf('  # '));
    const file = write('pasted.test.yaml', `policy: after.yaml\ncases:\n${cases}`);
    expect(await runCli(['test', file])).toMatchObject({ code: 0 });
    expect(await runCli(['test', write('other.test.yaml', `policy: before.yaml\ncases:\n${cases}`)])).toMatchObject({ code: 1 });
  });

  it('shows a terminal what policies say, and nothing that it would obey', async () => {
    const labelled = (name: string, label: string): string =>
      write(
        name,
        POLICY.replace('index: 0, type: file }', `index: 0, type: file, label: "${label}" }`).replace(
          'hook: file_open',
          'hook: file_open\n      tags: ["t\\e[31m"]',
        ),
      );
    const { stdout } = await runCli(['diff', labelled('red.yaml', '\\e[31m'), labelled('blue.yaml', '\\e[34m')]);
    expect(stdout).toContain('reads argument 0 (\\x1b[34m) as file; read argument 0 (\\x1b[31m) as file');
    expect(stdout).not.toContain('\u001b');
  });

  it('is content with the same plan, however it is written', async () => {
    const same = write(
      'same.yaml',
      POLICY.replace('index: 0, type: file', 'type: file, index: 0').replace('name: deny-shadow', 'name: other'),
    );
    const { code, stdout } = await runCli(['diff', before, same]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${before} and ${same}: the same plan\n` });
  });

  it('reads one side from standard input, and writes JSON for programs', async () => {
    const { code, stdout } = await runCli(['diff', '-', after, '-o', 'json'], { stdin: POLICY });
    expect(code).toBe(1);
    const report = z
      .object({
        before: z.literal('stdin'),
        after: z.string(),
        samePlan: z.literal(false),
        changes: z.array(z.object({ policy: z.string(), path: z.string(), sentence: z.string(), isSearchable: z.boolean() })),
        examples: z.array(z.object({ hook: z.string(), test: z.object({ args: z.array(z.string()), expect: z.string() }) })),
        search: z.object({ tried: z.int(), complete: z.boolean() }),
      })
      .parse(JSON.parse(stdout));
    expect(report.examples[0]?.test).toMatchObject({ args: ['/etc/gshadow'], expect: 'deny EPERM' });
  });

  it('ends with 2 where a policy does not compile', async () => {
    const bad = write('bad.yaml', POLICY.replace('Equal', 'Equals'));
    const { code, stdout, stderr } = await runCli(['diff', before, bad]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${bad}:11:45: WrongValue`);
    expect((await runCli(['diff', before, path.join(folder, 'none.yaml')])).code).toBe(2);
    expect((await runCli(['diff', before, after, '--timeout', '0'])).code).toBe(2);
  });
});
