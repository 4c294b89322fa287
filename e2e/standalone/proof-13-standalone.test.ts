import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figure } from '../cluster/tests/figures.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { bootStandalone, type StandaloneMachine } from './standalone-machine.ts';

const denyPolicy = `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: deny-secret}
spec:
  lsmhooks:
    - hook: file_open
      message: secret
      args: [{index: 0, type: file}]
      selectors:
        - matchArgs: [{index: 0, operator: Equal, values: ["/t/secret"]}]
          matchActions: [{action: Override, argError: -1}]
`;
const killPolicy = `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: kill-nc}
spec:
  kprobes:
    - call: sys_execve
      syscall: true
      args: [{index: 0, type: string}]
      selectors:
        - matchArgs: [{index: 0, operator: In, values: ["/t/nc"]}]
          matchActions: [{action: Sigkill}]
`;
const impossiblePolicy = `apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata: {name: impossible}
spec:
  kprobes:
    - call: no_such_function_anywhere
      syscall: false
`;
const files = new Map([
  ['/t/policies/deny.yaml', denyPolicy],
  ['/t/policies/kill.yaml', killPolicy],
  ['/t/impossible.yaml', impossiblePolicy],
  ['/t/secret', 'not for you\n'],
]);
const startMs = 120_000;

describe.each(['6.1', '6.12'] as const)(
  'Proof 13: standalone on %s without Kubernetes denies, prints the event, and Ctrl-C leaves nothing pinned',
  (kernel) => {
    let host: StandaloneMachine;
    beforeAll(async () => {
      host = await bootStandalone(kernel, files, ['/t/cat', '/t/nc', '/t/sh']);
    });
    afterAll(() => host[Symbol.asyncDispose]());

    const leftovers = async (): Promise<string> =>
      (await host.machine.run(['sh', '-c', 'find /sys/fs/bpf -mindepth 1; ls -d /tmp/palisade-run-* /var/lib/palisade 2>/dev/null; true']))
        .stdout;

    it('denies an open, kills an exec, and prints both', async () => {
      const fromMs = performance.now();
      const run = host.palisadeRun('/t/policies');
      await waitUntil('palisade run to be ready', async () => (run.stderr().includes('Ctrl-C ends') ? true : undefined), {
        timeoutMs: startMs,
      }).catch((error: unknown) => {
        throw new Error(run.stderr(), { cause: error });
      });
      figure(`${kernel}: palisade run is ready after`, (performance.now() - fromMs) / 1000, 's');
      expect(run.stderr()).toMatch(/deny-secret: lsm:file_open by lsm \(enforce/);
      const read = await host.machine.run(['/t/cat', '/t/secret']);
      expect(read.stdout).toBe('');
      expect(read.stderr).toContain('Operation not permitted');
      const shell = await host.machine.run(['/t/sh', '-c', '/t/nc -h; echo "status $?"']);
      expect(shell.stdout).toContain('status 137');
      await waitUntil('both events', async () => (/SIGKILL/.test(run.stdout()) && /OVERRIDE/.test(run.stdout()) ? true : undefined), {
        timeoutMs: 20_000,
      });
      expect(run.stdout()).toMatch(/🔴 OVERRIDE \S+ \/t\/cat \/t\/secret \(deny-secret\)/);
      expect(run.stdout()).toMatch(/🔴 SIGKILL \S+ \/t\/sh \/t\/nc \(kill-nc\)/);
      expect(await leftovers()).not.toBe('');
      run.running.kill(2);
      expect((await run.running.result).status).toBe(0);
      expect(await leftovers()).toBe('');
      expect((await host.machine.run(['/t/cat', '/t/secret'])).stdout).toBe('not for you\n');
    });

    it('where the kernel cannot, it exits 1, names the hook and the reason, and leaves nothing behind', async () => {
      const run = host.palisadeRun('/t/impossible.yaml');
      const { status } = await run.running.result;
      expect(status, run.stderr()).toBe(1);
      expect(run.stderr()).toMatch(/impossible: .*no_such_function_anywhere.*|impossible: spec\.kprobes\[0\].*/);
      expect(run.stderr()).toContain('FunctionNotFound');
      expect(await leftovers()).toBe('');
    });
  },
);
