import { expect, it } from 'vitest';
import { testPolicy } from '../../src/linker/testing/policies.ts';
import { hookEvent } from '../../src/nodeagent/events/hook-event.ts';
import { figure } from '../cluster/tests/figures.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { KernelName } from '../vm/kernels.ts';
import type { KernelUnderTest } from './kernel-under-test.ts';
import { methodsOf, pathsOf } from './record-facts.ts';

const SIGKILL = 9;
const nobody = { process: { exec_id: '', pid: 0, uid: 0, binary: '', flags: '', start_time: '', tid: 0 } };

/** `vfs_open` is on every tested kernel, and no LSM hook stands for it: only probes watch it. */
function onOpen(name: string, prefix: string, action: string, options = ''): ReturnType<typeof testPolicy> {
  return testPolicy(
    name,
    `${options}
kprobes:
- call: vfs_open
  syscall: false
  args: [{index: 0, type: path}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [${prefix}]}]
    matchActions: [{action: ${action}}]`,
  );
}

const alone = onOpen('alone', '/t/secret/', 'Sigkill', "options: [{name: disable-kprobe-multi, value: '1'}]");
const shared = onOpen('shared', '/t/', 'Post');

/** Probes that a policy wants alone (`disable-kprobe-multi`): perf events, beside one link for many where the kernel has those. */
export function describeSingleProbes(name: KernelName, kernel: () => KernelUnderTest): void {
  it('attaches a probe of its own for a policy that wants it, beside that of others on the same function; both act', async () => {
    const running = await kernel().apply([alone, shared]);
    figure(`${name}: probes on vfs_open`, methodsOf(running));
    const hasMany = kernel().facts().facts['kprobe_multi'] === true;
    expect(methodsOf(running).split(', ').toSorted()).toEqual(['kprobe', hasMany ? 'kprobe_multi' : 'kprobe']);
    kernel().records.clear();
    const [killed, free] = await kernel().actAll([{ path: '/t/secret/one' }, { path: '/t/free/one' }]);
    expect([killed?.status, free?.status]).toEqual([-SIGKILL, 0]);
    const matchesOf = (pid: number | undefined): number[] =>
      kernel()
        .records.hooks()
        .filter(({ task }) => task.key.tgid === pid)
        .flatMap((record) => record.matches.map((match) => match.policy));
    const numbers = [running.get('alone')?.number, running.get('shared')?.number];
    const isComplete = (): boolean => new Set(matchesOf(killed?.pid)).size === 2 && matchesOf(free?.pid).length > 0;
    await waitUntil('the records of both', () => (isComplete() ? true : undefined), { timeoutMs: 15_000 });
    const seen = kernel().records.hooks();
    expect(new Set(matchesOf(killed?.pid))).toEqual(new Set(numbers));
    // Of it the kernel opens the program, too.
    expect(new Set(matchesOf(free?.pid))).toEqual(new Set(numbers.slice(1)));
    expect(seen.flatMap(pathsOf)).toContain('/t/secret/one');
    expect((await kernel().counters()).recursionMisses).toBe(0n);
  });

  it('keeps a single probe over kill -9 of the loader where links of probes can be pinned, and takes it off with its policy', async () => {
    const isPinned = kernel().facts().facts['pin_kprobe'] === true;
    const notes = (await kernel().apply([alone, shared])).get('alone')?.hooks.flatMap((hook) => hook.notes);
    expect(notes).toEqual(isPinned ? [] : ['NotPersistent']);
    const hello = await kernel().restartLoader();
    expect(hello.activeHooks.some((hook) => hook.method === 'kprobe:vfs_open')).toBe(isPinned);
    expect((await kernel().act({ path: '/t/secret/one' })).status).toBe(isPinned ? -SIGKILL : 0);
    await kernel().apply([alone, shared]);
    expect((await kernel().act({ path: '/t/secret/one' })).status).toBe(-SIGKILL);
    await kernel().apply([shared]);
    expect((await kernel().act({ path: '/t/secret/one' })).status).toBe(0);
    const used = (await kernel().client().hello()).activeHooks.map((hook) => hook.method);
    expect(used).toEqual([kernel().facts().facts['kprobe_multi'] === true ? 'kprobe_multi:vfs_open' : 'kprobe:vfs_open']);
  });

  it("shares one hook between system calls named plainly and with the machine's ABI, and names the kernel's function in events", async () => {
    const on = (call: string, policy: string) =>
      testPolicy(
        policy,
        `kprobes:
- call: ${call}
  syscall: true
  args: [{index: 1, type: string}]
  selectors:
  - matchArgs: [{index: 1, operator: Equal, values: [/t/free/one]}]
    matchActions: [{action: Post}]`,
      );
    await kernel().apply([on('x64/sys_openat', 'with-abi'), on('sys_openat', 'plain')]);
    expect((await kernel().client().hello()).activeHooks).toHaveLength(1);
    kernel().records.clear();
    const { pid } = await kernel().act({ path: '/t/free/one' });
    await kernel().records.atLeast(1);
    const [record, ...more] = kernel().records.hooks();
    if (record === undefined) throw new Error('no record');
    expect(more).toEqual([]);
    expect(record.task.key.tgid).toBe(pid);
    const names = record.matches.map((match): [string, string] => {
      const { generation, hook } = record.header;
      const meaning = kernel().meanings.match(generation, hook, match.policy, match.selector);
      if (meaning === undefined) throw new Error(`policy ${match.policy} is not known`);
      const event = hookEvent(record, match, meaning, nobody, kernel().facts().arch);
      if (!('process_kprobe' in event)) throw new Error('no event of a kprobe');
      return [event.process_kprobe.policy_name, event.process_kprobe.function_name];
    });
    expect(new Map(names)).toEqual(
      new Map([
        ['plain', '__x64_sys_openat'],
        ['with-abi', '__x64_sys_openat'],
      ]),
    );
  });
}
