import { expect, it } from 'vitest';
import { PAL_C_EXEMPT, PAL_C_WOULD_DENY } from '../../src/abi/layout.ts';
import { fileOpenPolicy } from '../../src/linker/testing/policies.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { actor, type KernelUnderTest } from './kernel-under-test.ts';
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

  it('says in monitor mode of an exempt process that it is, and not what would be done to others', async () => {
    const { vm, apply, client, counters } = kernel();
    const running = await apply([fileOpenPolicy('watch', { prefix: '/t/secret/' }, { mode: 'monitor' })]);
    const counted = async () => (await counters()).policies.get(running.get('watch')?.number ?? -1);
    expect(await vm.machine.run(['cp', actor, '/t/bin/kubelet'])).toMatchObject({ status: 0 });
    await client().exempt(['/t/bin/kubelet']);
    await vm.machine.run(['/t/bin/kubelet', 'open', '/t/secret/one']);
    await client().exempt([]);
    const counts = await counted();
    expect([counts?.[PAL_C_EXEMPT], counts?.[PAL_C_WOULD_DENY]]).toEqual([1n, 0n]);
  });
}
