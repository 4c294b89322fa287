import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  PAL_C_LOST,
  PAL_C_MATCH,
  PAL_C_POST,
  PAL_C_RATE_LIMITED,
  PAL_C_UNKNOWN,
  PAL_C_WOULD_DENY,
  PAL_HV_LATE,
} from '../../src/abi/layout.ts';
import { fileOpenPolicy, testPolicy } from '../../src/linker/testing/policies.ts';
import { textTlv } from '../../src/protocol/loader-frames.ts';
import { figure } from '../cluster/tests/figures.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { KernelName } from '../vm/kernels.ts';
import { describeExecve } from './execve-suite.ts';
import { describeExemptions } from './exempt-suite.ts';
import { underHammer } from './hammer.ts';
import { actor, bootKernel, type KernelUnderTest } from './kernel-under-test.ts';
import { describeOracle } from './oracle-suite.ts';
import { gaps, methodsOf, pathsOf } from './record-facts.ts';
import { describeSingleProbes } from './single-probe-suite.ts';
import { changed, killOnExecve, kprobe, onSecret, secret } from './suite-policies.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';
const EPERM = 1;
const SIGKILL = 9;

/** Steps of a generation at which a loader may be killed; the engine must not care. */
const faultPoints = isDeep
  ? ['begin', 'hook_open', 'hook_load', 'data', 'node', 'before_journal', 'before_flip', 'after_flip']
  : ['before_flip', 'after_flip'];

/** Changes of data, as many as there is time for, then some of structure: the verifier is slow under emulation and load. */
const flipping = isDeep ? { dataMs: 240_000, structure: 10 } : { dataMs: 15_000, structure: 2 };

/** Expedited grace periods: many more flips in the same time, each of them harder on what still runs the old generation. */
const bootArguments = 'rcupdate.rcu_expedited=1';

/** Proof 12 on one kernel: one boot, the tests in their order. */
export function describeKernel(name: KernelName): void {
  describe(`On ${name}: load, deny (or the named reason why not), event, flip under load with zero leaks, kill -9, re-adoption of pins (or NotPersistent)`, () => {
    let kernel: KernelUnderTest;
    const startedMs = performance.now();
    beforeAll(async () => {
      kernel = await bootKernel(name, { bootArguments });
      figure(`${name}: boot, start and probing`, (performance.now() - startedMs) / 1000, 's');
      figure(`${name}: kernel`, `${kernel.hello().release}, preempt=${kernel.facts().preempt}, lsm=${kernel.facts().lsm.join(',')}`);
    });
    afterAll(async () => kernel?.[Symbol.asyncDispose]());

    it('loads a policy, denies what it names to everybody and nothing else, and leaves the file as it was', async () => {
      const fromMs = performance.now();
      const running = await kernel.apply([secret]);
      figure(`${name}: load and flip`, performance.now() - fromMs, 'ms');
      figure(`${name}: deny on file_open by`, methodsOf(running));
      const verdicts = await kernel.actAll([
        { path: '/t/secret/one' },
        { path: '/t/secret/one', uid: 1000, binary: '/t/bin/a' },
        { path: '/t/secret/one', verb: 'write', uid: 1000 },
        { path: '/t/free/one' },
        { path: '/t/a', uid: 1000 },
      ]);
      expect(verdicts.map((verdict) => verdict.status)).toEqual([EPERM, EPERM, EPERM, 0, 0]);
      await kernel.apply([]);
      expect(await kernel.vm.machine.readFile('/t/secret/one')).toBe('text\n');
      expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(0);
    });

    it('sends one event per denied call, which names policy, process, user and path', async () => {
      const running = await kernel.apply([secret]);
      kernel.records.clear();
      const denied = await kernel.act({ path: '/t/secret/one', uid: 1000 });
      const [event, ...more] = await kernel.records.atLeast(1);
      expect(more).toEqual([]);
      expect(event).toMatchObject({
        errno: -EPERM,
        signal: 0,
        task: { key: { tgid: denied.pid }, uid: 1000 },
        matches: [{ policy: running.get('secret')?.number, selector: 0 }],
      });
      expect(event === undefined ? [] : pathsOf(event)).toEqual(['/t/secret/one']);
      const exec = kernel.records.execs().find((record) => record.task.key.tgid === denied.pid);
      expect(exec?.path.toString()).toBe(actor);
      expect(exec?.task.key.execKtimeNs).toBe(event?.task.key.execKtimeNs);
      expect(exec?.args.toString().split('\0')).toContain('/t/secret/one');
    });

    it('counts in monitor mode what it would have denied, and denies nothing', async () => {
      const running = await kernel.apply([fileOpenPolicy('watch', { prefix: '/t/secret/' }, { mode: 'monitor' })]);
      expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(0);
      const number = running.get('watch')?.number ?? -1;
      expect((await kernel.counters()).policies.get(number)?.[PAL_C_WOULD_DENY]).toBe(1n);
    });

    it('kills by a kprobe policy on security_file_open, as the seed block-etc-writes asks', async () => {
      const running = await kernel.apply([
        testPolicy(
          'kill',
          `kprobes:
- call: security_file_open
  syscall: false
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [/t/secret/]}]
    matchCapabilities: [{type: Effective, operator: NotIn, values: [CAP_SYS_ADMIN]}]
    matchActions: [{action: Sigkill}]`,
        ),
      ]);
      figure(`${name}: kill on security_file_open by`, methodsOf(running));
      const verdicts = await kernel.actAll([
        { path: '/t/secret/one', uid: 1000 },
        { path: '/t/secret/one', uid: 0 },
        { path: '/t/a', uid: 1000 },
      ]);
      expect(verdicts.map((verdict) => verdict.status)).toEqual([-SIGKILL, 0, 0]);
    });

    it('kills at exec by path, also when a program forks and execs an untouched string literal', async () => {
      const running = await kernel.apply([
        killOnExecve('exec', ['matchArgs: [{index: 0, operator: In, values: [/t/bin/victim, /t/bin/c]}]']),
      ]);
      figure(`${name}: kill on sys_execve by`, methodsOf(running));
      kernel.records.clear();
      const literal = (await kernel.runActor('literal')).stdout.trim();
      expect(literal).toMatch(/^\d+ -9$/);
      const named = await kernel.act({ path: '/t/a', binary: '/t/bin/c' });
      expect(named.status).toBe(-SIGKILL);
      expect((await kernel.act({ path: '/t/a', binary: '/t/bin/a' })).status).toBe(0);
      const events = await kernel.records.atLeast(2);
      expect(events.map((event) => [event.task.key.tgid, ...pathsOf(event)])).toEqual([
        [Number(literal.split(' ')[0]), '/t/bin/victim'],
        [named.pid, '/t/bin/c'],
      ]);
      const late = events.filter((event) => (event.flags & PAL_HV_LATE) !== 0).length;
      figure(`${name}: of 2 kills at exec decided late, on the faulted path`, late);
    });

    it.each([
      ['longer than any path may be', { verb: 'open-deep', path: '/t/deep' }],
      ['not reachable from the root any more', { verb: 'open-detached', path: '/t/detached' }],
    ] as const)('takes a path that is %s for unknown: a deny holds, a kill does not, unless the policy says otherwise', async (_, act) => {
      await kernel.apply([]);
      expect((await kernel.act(act)).status).toBe(0);
      const statusUnder = async (action: string, onUnknown: string): Promise<readonly number[]> => {
        const running = await kernel.apply([onSecret(`${action.slice(0, 4).toLowerCase()}-${onUnknown}-x`, action, onUnknown)]);
        const { status } = await kernel.act(act);
        const [policy] = running.values();
        return [status, Number((await kernel.counters()).policies.get(policy?.number ?? -1)?.[PAL_C_UNKNOWN] ?? 0n)];
      };
      expect(await statusUnder('Override, argError: -1', '')).toEqual([EPERM, 1]);
      expect(await statusUnder('Override, argError: -1', 'nomatch')).toEqual([0, 0]);
      expect(await statusUnder('Sigkill', '')).toEqual([0, 0]);
      expect(await statusUnder('Sigkill', 'match')).toEqual([-SIGKILL, 1]);
    });

    it('sees an open in an overlay once, by the path that the process sees, and not as the path inside of a layer', async () => {
      const layers = ['mkdir -p /t/layer-a/t/secret /t/layer-b /t/merged', 'echo text > /t/layer-a/t/secret/one'];
      const mount = 'mount -t overlay overlay -o lowerdir=/t/layer-a:/t/layer-b /t/merged';
      const made = await kernel.vm.machine.run(['sh', '-ec', [...layers, mount].join('\n')]);
      expect(made).toMatchObject({ status: 0 });
      await kernel.apply([secret]);
      expect((await kernel.act({ path: '/t/merged/t/secret/one' })).status).toBe(0);
      const running = await kernel.apply([fileOpenPolicy('overlay', { prefix: '/t/merged/', action: 'Post' })]);
      const seen = await kernel.act({ path: '/t/merged/t/secret/one' });
      expect(seen.status).toBe(0);
      const number = running.get('overlay')?.number ?? -1;
      expect((await kernel.counters()).policies.get(number)?.[PAL_C_MATCH]).toBe(1n);
      await kernel.vm.machine.run(['umount', '/t/merged']);
    });

    it('says by name what this kernel cannot do, and loads nothing of such a policy', async () => {
      const generation = kernel.generation();
      const wishes = {
        'deny a system call': [
          testPolicy('syscall', kprobe('sys_openat', 'true', 'Override, argError: -1')),
          /^(OverrideHelperMissing|NotErrorInjectable|FmodRetPreemptible)$/,
        ],
        'watch a function that is not there': [testPolicy('function', kprobe('no_such_function', 'false', 'Post')), /^FunctionNotFound$/],
      } as const;
      for (const [what, [policy, reason]] of Object.entries(wishes)) {
        const result = await kernel.tryApply([policy]);
        const [refusal] = result.ok ? [] : result.blamed;
        figure(`${name}: ${what}`, `${refusal?.failure.reason}: ${refusal?.failure.message}`);
        expect(refusal).toMatchObject({ uid: policy.ref.uid, failure: { reason: expect.stringMatching(reason) } });
      }
      expect(kernel.generation()).toBe(generation);
    });

    it('flips under load, by changes of data and of structure, with zero leaks and every call counted', async () => {
      for (const i of [1, 2]) await kernel.apply(changed(i, 'data'));
      const before = await matches('secret');
      const fromMs = performance.now();
      let flips = 0;
      const load = await underHammer(kernel, async () => {
        for (; performance.now() - fromMs < flipping.dataMs; flips += 1) await kernel.apply(changed(flips, 'data'));
        for (let i = 0; i < flipping.structure; i += 1) await kernel.apply(changed(i, 'structure'));
      });
      const seconds = (performance.now() - fromMs) / 1000;
      figure(`${name}: flips`, `${flips} of data and ${flipping.structure} of structure in ${seconds.toFixed(1)} s`);
      figure(`${name}: denied opens meanwhile`, `${load.deniedCalls}, leaked ${load.leaked}`);
      figure(`${name}: allowed opens meanwhile`, `${load.allowedCalls}, refused ${load.refused}`);
      expect(load.leaked).toBe(0);
      expect(load.refused).toBe(0);
      expect(load.deniedCalls).toBeGreaterThan(0);
      expect((await matches('secret')) - before).toBe(BigInt(load.deniedCalls));
      expect((await kernel.counters()).recursionMisses).toBe(0n);
    });

    it('goes on enforcing after kill -9 of the loader, and the next one adopts what is pinned', async () => {
      await kernel.apply([secret]);
      const { generation, label } = { generation: kernel.generation(), label: await labelNow() };
      const load = await underHammer(kernel, async () => {
        const hello = await kernel.restartLoader();
        expect(hello).toMatchObject({ adopted: true, generation });
        expect(hello.label?.toString('hex')).toBe(label);
        await kernel.apply([secret]);
        expect(kernel.generation()).toBe(generation);
        await kernel.apply(changed(1, 'data'));
        expect(kernel.generation()).toBe(generation + 1);
      });
      figure(`${name}: denied opens over kill -9`, `${load.deniedCalls}, leaked ${load.leaked}`);
      expect({ leaked: load.leaked, refused: load.refused }).toEqual({ leaked: 0, refused: 0 });
    });

    it.each(faultPoints)('leaks nothing when the loader is killed in the middle of a generation, at %s', async (point) => {
      await kernel.apply([secret]);
      const generation = kernel.generation();
      const load = await underHammer(kernel, async () => {
        await kernel.client().send({ op: 'FAULT', tlvs: [textTlv('TEXT', `${point}=kill`)] });
        await expect(kernel.tryApply(changed(1, 'structure'))).rejects.toMatchObject({ code: 'LoaderUnavailable' });
        const hello = await kernel.restartLoader();
        expect(hello).toMatchObject({ adopted: true, generation: point === 'after_flip' ? generation + 1 : generation });
        await kernel.apply(changed(2, 'data'));
      });
      figure(`${name}: denied opens over a kill at ${point}`, `${load.deniedCalls}, leaked ${load.leaked}`);
      expect({ leaked: load.leaked, refused: load.refused }).toEqual({ leaked: 0, refused: 0 });
    });

    it('keeps every event over kill -9: events, counted losses and rate-limited ones add up to the calls', async () => {
      const running = await kernel.apply([fileOpenPolicy('lossless', { prefix: '/t/secret/' })]);
      const number = running.get('lossless')?.number ?? -1;
      kernel.records.clear();
      const load = await underHammer(kernel, async () => {
        await kernel.restartLoader();
      });
      const counters = (await kernel.counters()).policies.get(number) ?? [];
      const [posted, limited, lost] = [PAL_C_POST, PAL_C_RATE_LIMITED, PAL_C_LOST].map((index) => counters[index] ?? 0n);
      if (posted === undefined || limited === undefined || lost === undefined) throw new Error('no counters');
      const events = await waitUntil(
        'the events',
        () => {
          const mine = kernel.records.hooks().filter((record) => record.matches.some((match) => match.policy === number)).length;
          if (BigInt(mine) >= posted - lost) return mine;
          throw new Error(`${mine} of ${posted - lost}`);
        },
        { timeoutMs: 15_000 },
      );
      figure(`${name}: calls = events + lost + rate-limited`, `${load.deniedCalls} = ${events} + ${lost} + ${limited}`);
      expect(BigInt(events) + lost + limited).toBe(BigInt(load.deniedCalls));
    });

    it('counts every event that a full ring could not take, and no loss is without a gap in the numbers', async () => {
      const running = await kernel.apply([onSecret('flood', 'Override, argError: -1', '', 1_000_000)]);
      const number = running.get('flood')?.number ?? -1;
      const flood = async (index: number): Promise<number> => Number((await kernel.counters()).policies.get(number)?.[index] ?? 0n);
      // Threads of one processor: a record before the losses and one after them make them visible.
      const touch = async (): Promise<number> => (await underHammer(kernel, () => Promise.resolve())).deniedCalls;
      const ours = (): number => kernel.records.hooks().filter((record) => record.matches.some((match) => match.policy === number)).length;
      kernel.records.clear();
      const before = await touch();
      await kernel.records.atLeast(before);
      kernel.records.unsubscribe();
      const load = await underHammer(kernel, () =>
        waitUntil('the ring to be full', async () => ((await flood(PAL_C_LOST)) > 1000 ? 'full' : undefined), { timeoutMs: 60_000 }),
      );
      const lost = await flood(PAL_C_LOST);
      await kernel.records.subscribe(kernel.vm.socket);
      await kernel.records.atLeast(before + load.deniedCalls - lost);
      const calls = before + load.deniedCalls + (await touch());
      await kernel.records.atLeast(calls - lost);
      figure(`${name}: calls = events + lost while nobody read`, `${calls} = ${ours()} + ${lost}`);
      expect(ours() + lost).toBe(calls);
      expect(gaps(kernel.records.all())).toBeGreaterThanOrEqual(lost);
    });

    it('tells of hooks whose links cannot be pinned that they are not persistent', async () => {
      const running = await kernel.apply([
        testPolicy(
          'exec-point',
          'tracepoints: [{subsystem: sched, event: sched_process_exec, selectors: [{matchActions: [{action: Post}]}]}]',
        ),
      ]);
      const notes = running.get('exec-point')?.hooks.flatMap((hook) => hook.notes) ?? [];
      const isPinned = kernel.facts().facts['pin_tracepoint'] === true;
      figure(`${name}: tracepoint`, `${methodsOf(running)} ${notes.join(' ')}`);
      expect(notes).toEqual(isPinned ? [] : ['NotPersistent']);
      kernel.records.clear();
      await kernel.act({ path: '/t/a' });
      await kernel.records.atLeast(1);
      const hello = await kernel.restartLoader();
      expect(hello.activeHooks.map((hook) => hook.method)).toEqual(isPinned ? ['tracepoint:sched/sched_process_exec'] : []);
      await kernel.apply([secret]);
    });

    it('numbers both records of a call that more than 16 policies match, so that no reader takes one for the other', async () => {
      const policies = Array.from({ length: 20 }, (_, i) => fileOpenPolicy(`crowd-${i}`, { prefix: '/t/secret/', action: 'Post' }));
      const running = await kernel.apply(policies);
      kernel.records.clear();
      const { pid } = await kernel.act({ path: '/t/secret/one' });
      await kernel.records.atLeast(2);
      const [first, second, ...more] = kernel.records.hooks().filter((record) => record.task.key.tgid === pid);
      if (first === undefined || second === undefined) throw new Error('not two records');
      expect(more).toEqual([]);
      expect([first.matches.length, second.matches.length]).toEqual([16, 4]);
      const matched = [...first.matches, ...second.matches].map((match) => match.policy);
      expect(new Set(matched)).toEqual(new Set([...running.values()].map((policy) => policy.number)));
      const { seq, ...rest } = second.header;
      expect(seq).toBeGreaterThan(first.header.seq);
      expect({ ...rest, seq: first.header.seq, length: first.header.length }).toEqual(first.header);
      expect(second.args).toEqual(first.args);
    });

    describeExecve(() => kernel);

    describeExemptions(() => kernel);

    describeSingleProbes(name, () => kernel);

    describeOracle(name, () => kernel);

    it('leaves nothing behind after a tear-down: no pin, no program, no map, no link', async () => {
      await kernel.apply([secret]);
      const pins = await kernel.client().teardown();
      figure(`${name}: pins removed`, pins);
      await kernel.vm.killLoader();
      expect((await kernel.vm.machine.run(['find', '/sys/fs/bpf', '-mindepth', '1'])).stdout).toBe('');
      const left = await waitUntil(
        'the kernel to let go',
        async () => {
          const objects = await kernel.bpfObjects();
          if (objects.every((count) => count === 0)) return objects;
          throw new Error(`programs, maps, links: ${objects.join(', ')}`);
        },
        { timeoutMs: 20_000 },
      );
      expect(left).toEqual([0, 0, 0]);
      expect((await kernel.act({ path: '/t/secret/one' })).status).toBe(0);
    });

    /** Calls that a running policy has matched. */
    async function matches(uid: string): Promise<bigint> {
      const number = (await kernel.apply(changed(0, 'data'))).get(uid)?.number ?? -1;
      return (await kernel.counters()).policies.get(number)?.[PAL_C_MATCH] ?? 0n;
    }

    async function labelNow(): Promise<string> {
      return (await kernel.client().hello()).label?.toString('hex') ?? '';
    }
  });
}
