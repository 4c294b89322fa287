import { expect, it } from 'vitest';
import { waitUntil } from '../cluster/wait-until.ts';
import type { KernelUnderTest } from './kernel-under-test.ts';
import { secret } from './suite-policies.ts';

const EPERM = 1;

/** The node's own programs are learned when they are executed: by path, which means nothing where a user can choose his root. */
export function describeExemptions(kernel: () => KernelUnderTest): void {
  it('exempts what the root of the host runs by a listed path, and not what a user calls so behind a root of his own', async () => {
    const { vm, apply, client, records } = kernel();
    const folder = ['mkdir -p /t/jail/opt /t/jail/t/secret', 'cp /t/bin/actor /t/jail/opt/kubelet', 'echo text > /t/jail/t/secret/one'];
    expect(await vm.machine.run(['sh', '-ec', [...folder, 'chmod -R a+rX /t/jail'].join('\n')])).toMatchObject({ status: 0 });
    await apply([secret]);
    await client().exempt(['/opt/kubelet']);
    const inJail = ['chroot', '/t/jail', '/opt/kubelet', 'open', '/t/secret/one'] as const;
    const asRoot = async (): Promise<number> => (await vm.machine.run([...inJail])).status;
    const asUser = async (): Promise<number> => {
      records.clear();
      const { status } = await vm.machine.run(['unshare', '-U', '-r', ...inJail], { uid: 1000 });
      // With the record the loader has seen the exec, and has learned what it learns from it.
      await waitUntil('the record', () => records.execs().find((record) => record.path.toString() === '/opt/kubelet'), {
        timeoutMs: 10_000,
      });
      return status;
    };

    expect([await asUser(), await asUser()]).toEqual([EPERM, EPERM]);
    await waitUntil('the exemption', async () => ((await asRoot()) === 0 ? true : undefined), { timeoutMs: 10_000 });
    await client().exempt([]);
  });
}
