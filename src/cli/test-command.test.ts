import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCli } from './testing/run-cli.ts';
import { createScratchFolder } from './testing/scratch-folder.ts';

const { folder, write } = createScratchFolder('test');

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
        - matchArgs: [{ index: 0, operator: Equal, values: [/etc/gshadow] }]
`;
const GOOD = `cases:
  - name: shadow is denied
    args: [/etc/shadow]
    expect: deny EPERM
  - name: passwd is not
    args: [/etc/passwd]
    expect: nothing
`;
write('good/deny-shadow.yaml', POLICY);
const good = write('good/tests/deny-shadow.test.yaml', GOOD);
write('good/values.yaml', 'cases: 1\n');

describe('palisade test', { timeout: 60_000 }, () => {
  it('runs the test files of a folder, beside their policies or below them, and is content', async () => {
    const { code, stdout, stderr } = await runCli(['test', path.join(folder, 'good')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('  ✓ shadow is denied\n  ✓ passwd is not\n2 cases in 1 file: 2 passed\n');
  });

  it('ends with 1 when a case fails, and says which filter decided', async () => {
    write('bad/deny-shadow.yaml', POLICY);
    const file = write('bad/deny-shadow_test.yaml', GOOD.replace('expect: nothing', 'expect: deny'));
    const { code, stdout } = await runCli(['test', file]);
    expect(code).toBe(1);
    expect(stdout).toContain('  ✗ passwd is not\n');
    expect(stdout).toContain(`${file}:5:11\n      expected  deny\n      happened  allow\n`);
    expect(stdout).toMatch(
      /selectors\[0\] did not match\n\s+no\s+the path of the file in argument 0.* is "\/etc\/shadow"; here: "\/etc\/passwd"/,
    );
    expect(stdout).toContain('2 cases in 1 file: 1 passed, 1 failed');
  });

  it('says of a policy in place of its tests where these would be', async () => {
    const { code, stdout } = await runCli(['test', path.join(folder, 'good/deny-shadow.yaml')]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/NotAnObject: .*is a policy and no test file; its tests are in NAME\.test\.yaml beside it/);
    expect(stdout).toContain('1 problem');
  });

  it('lists selectors that no case matched, if asked', async () => {
    const { code, stdout } = await runCli(['test', good, '--coverage']);
    expect(code).toBe(0);
    expect(stdout).toContain('coverage: 1 of 2 selectors');
    expect(stdout).toContain('deny-shadow spec.lsmhooks[0].selectors[1] (lsm:file_open) is matched by no case');
  });

  it('runs only cases of the name that is asked for, and does not take none for a success', async () => {
    const some = await runCli(['test', good, '--run', 'shadow']);
    expect(some.stdout).toContain('1 case in 1 file: 1 passed, 1 not run');
    const none = await runCli(['test', good, '--run', 'sudoers']);
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('no case has a name that matches "sudoers"');
    expect((await runCli(['test', good, '--run', '('])).code).toBe(2);
  });

  it('ends with 2 where a test file or its policy is wrong, and tells the place', async () => {
    write('wrong/deny-shadow.yaml', POLICY);
    const wrong = write('wrong/deny-shadow.test.yaml', `cases:\n  - name: x\n    args: [/a, /b]\n    expect: allow\n`);
    const orphan = write('wrong/orphan.test.yaml', GOOD);
    const elsewhere = write('wrong/elsewhere.test.yaml', `policy: none.yaml\n${GOOD}`);
    write('wrong/broken.yaml', POLICY.replace('Equal', 'Equals'));
    const broken = write('wrong/broken.test.yaml', GOOD);
    const empty = write('wrong/empty.test.yaml', 'policy: deny-shadow.yaml\n');
    const { code, stdout } = await runCli(['test', wrong, orphan, elsewhere, broken, empty]);
    expect(code).toBe(2);
    expect(stdout).toContain(`${wrong}:3:16: NotRead: cases[0].args[1]`);
    expect(stdout).toContain(`NoSuchPolicy: policy: there is no ${JSON.stringify(path.join(folder, 'wrong/orphan.yaml'))}`);
    expect(stdout).toContain(`${elsewhere}:1:9: NoSuchPolicy`);
    expect(stdout).toContain(`${path.join(folder, 'wrong/broken.yaml')}:11:45: WrongValue`);
    expect(stdout).toContain('MissingField: cases: is required');
    expect((await runCli(['test', path.join(folder, 'none')])).code).toBe(2);
    expect((await runCli(['test', path.join(folder, 'good', 'deny-shadow.yaml')])).code).toBe(2);
  });

  it('writes JUnit, with what is not XML escaped', async () => {
    write('junit/deny-shadow.yaml', POLICY);
    const file = write('junit/deny-shadow.test.yaml', 'cases:\n  - name: "a <b> & \\"c\\" \\u0001"\n    args: [/x]\n    expect: deny\n');
    const { code, stdout } = await runCli(['test', file, '-o', 'junit']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="palisade test" tests="1" failures="1" errors="0" time="/,
    );
    expect(stdout).toContain('name="a &lt;b&gt; &amp; &quot;c&quot; \ufffd"');
    expect(stdout).toContain('<failure type="verdict" message="expected deny, happened allow">');
    expect(stdout.trimEnd().endsWith('</testsuites>')).toBe(true);
  });

  it('writes JSON for programs', async () => {
    const { stdout } = await runCli(['test', good, '-o', 'json']);
    const report = z
      .object({
        summary: z.record(z.string(), z.int()),
        files: z.array(
          z.object({
            file: z.string(),
            problems: z.array(z.unknown()),
            cases: z.array(z.object({ name: z.string(), line: z.int(), passed: z.boolean(), hook: z.string(), happened: z.string() })),
          }),
        ),
        coverage: z.array(z.object({ file: z.string(), selectors: z.array(z.object({ path: z.string(), matchCount: z.int() })) })),
      })
      .parse(JSON.parse(stdout));
    expect(report.summary).toEqual({ files: 1, cases: 2, passed: 2, failed: 0, skipped: 0, problems: 0 });
    expect(report.files[0]?.cases[0]).toEqual({
      name: 'shadow is denied',
      line: 2,
      passed: true,
      hook: 'lsm:file_open',
      happened: 'deny EPERM',
    });
    expect(report.coverage[0]?.selectors.map(({ matchCount }) => matchCount)).toEqual([1, 0]);
  });
});
