import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testPolicy } from '../../src/linker/testing/policies.ts';
import { figure } from '../cluster/tests/figures.ts';
import { bootKernel, type KernelUnderTest } from './kernel-under-test.ts';
import { killOnExecve } from './suite-policies.ts';

const EPERM = 1;
const SIGKILL = 9;

/** As Debian's 5.10 boots by itself: `bpf` is not among the active security modules. */
const bootArguments = 'lsm=lockdown,yama,apparmor';

const isVictim = 'matchArgs: [{index: 0, operator: Equal, values: [/t/bin/victim]}]';

function denySecret(substitute: 'none' | 'kill'): ReturnType<typeof testPolicy> {
  return testPolicy(
    `secret-${substitute}`,
    `options: [{name: palisade.dev/substitute, value: ${substitute}}]
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [/t/secret/]}]
    matchActions: [{action: Override, argError: -1}]`,
  );
}

describe('On 5.10, not preemptible and without the BPF LSM: deny by another way', () => {
  let kernel: KernelUnderTest;
  beforeAll(async () => {
    kernel = await bootKernel('5.10', { bootArguments });
  });
  afterAll(async () => kernel?.[Symbol.asyncDispose]());

  it('denies by fmod_ret, which nothing can skip there', async () => {
    const running = await kernel.apply([denySecret('none')]);
    expect(running.get('secret-none')?.hooks).toMatchObject([{ method: 'fmod_ret', notes: [] }]);
    expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(EPERM);
  });

  it('judges an execve whose path it can read only later by the program that executes, not by the one that is executed', async () => {
    await kernel.apply([killOnExecve('exec', [isVictim, 'matchBinaries: [{operator: In, values: [/t/bin/a]}]'])]);
    const literal = async (binary: string): Promise<string> => (await kernel.vm.machine.run([binary, 'literal'])).stdout.trim();
    expect(await literal('/t/bin/a')).toMatch(/^\d+ -9$/);
    expect(await literal('/t/bin/b')).toMatch(/^\d+ 0$/);
  });
});

describe('On 7.x, preemptible and without the BPF LSM: the named reason why it cannot deny', () => {
  let kernel: KernelUnderTest;
  beforeAll(async () => {
    kernel = await bootKernel('7.x', { bootArguments });
  });
  afterAll(async () => kernel?.[Symbol.asyncDispose]());

  it('refuses a policy that denies, and says that the LSM is not enabled', async () => {
    const result = await kernel.tryApply([denySecret('none')]);
    const [refusal] = result.ok ? [] : result.blamed;
    figure('7.x without the BPF LSM', `${refusal?.failure.reason}: ${refusal?.failure.message}`);
    expect(refusal?.failure.reason).toBe('LSMNotEnabled');
    expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(0);
  });

  it('kills instead where the policy allows that, and says so', async () => {
    const running = await kernel.apply([denySecret('kill')]);
    figure('7.x without the BPF LSM, with substitute kill', JSON.stringify(running.get('secret-kill')?.hooks));
    expect(running.get('secret-kill')?.hooks[0]?.notes).toContain('DegradedKillOnly');
    expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(-SIGKILL);
    expect((await kernel.act({ path: '/t/free/one' })).status).toBe(0);
  });

  it('kills at exec by a path that can only be read late, also when a thread executes it that has lost its number meanwhile', async () => {
    await kernel.apply([killOnExecve('exec', [isVictim])]);
    for (const verb of ['literal', 'literal-thread']) expect((await kernel.runActor(verb)).stdout.trim(), verb).toMatch(/^\d+ -9$/);
  });
});
