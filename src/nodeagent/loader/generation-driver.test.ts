import { describe, expect, it } from 'vitest';
import { TBL_LAYOUT } from '../../abi/layout.ts';
import { type Allocation, EMPTY_ALLOCATION } from '../../linker/allocation.ts';
import { testKernel } from '../../linker/testing/kernels.ts';
import { fileOpenPolicy, testPolicy } from '../../linker/testing/policies.ts';
import { hookOn } from '../../policy/bind/testing/plans.ts';
import { createFakeClock } from '../../telemetry/testing/fake-clock.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { silentLog } from '../../telemetry/log.ts';
import type { EngineResult } from '../state/engine-port.ts';
import { GenerationDriver } from './generation-driver.ts';
import type { LoaderRequest } from './generation-requests.ts';
import { bytesOf, createFakeLoader, type FakeLoader, helloOf, textOf } from './testing/fake-loader.ts';

const etc = fileOpenPolicy('etc', { prefix: '/etc/' });
const opt = fileOpenPolicy('opt', { prefix: '/opt/', errno: -13 });
const team = fileOpenPolicy('team', { prefix: '/srv/' }, { namespace: 'team-a' });
const pod = { uid: '11111111-1111-1111-1111-111111111111', namespace: 'team-a', labels: { app: 'web' } };

function createStore(): { stored: Allocation; load(): Allocation; save(allocation: Allocation): Promise<void> } {
  return {
    stored: EMPTY_ALLOCATION,
    load() {
      return this.stored;
    },
    async save(allocation) {
      this.stored = allocation;
      await Promise.resolve();
    },
  };
}

function start(
  store = createStore(),
  loader = createFakeLoader(),
  kernel = testKernel(),
): { driver: GenerationDriver; loader: FakeLoader; store: ReturnType<typeof createStore> } {
  const driver = new GenerationDriver({ store, clock: createFakeClock(), log: silentLog, metrics: createMetrics() });
  driver.connected(loader, helloOf(loader.state), kernel);
  return { driver, loader, store };
}

function ops(loader: FakeLoader): string[] {
  return loader.requests.map((request) => request.op);
}

function runs(result: EngineResult): string[] {
  if (!result.ok) throw new Error(JSON.stringify(result));
  return [...result.running.keys()].toSorted();
}

function hasTable(request: LoaderRequest): boolean {
  return request.op === 'HOOK';
}

describe('the generation driver', () => {
  it('sends a first set hook by hook, flips, and says how each policy is attached', async () => {
    const { driver, loader } = start();
    const result = await driver.apply([etc, opt], []);
    expect(runs(result)).toEqual(['etc', 'opt']);
    expect(ops(loader)).toEqual(['RESOLVE', 'ZERO', 'BEGIN', 'HOOK', 'DATA', 'NODE', 'COMMIT']);
    expect(loader.state.generation).toBe(1);
    if (!result.ok) throw new Error('not ok');
    expect(result.running.get('etc')).toMatchObject({
      mode: 'enforce',
      hooks: [{ path: 'spec.lsmhooks[0]', name: 'lsm:file_open', method: 'lsm', notes: [] }],
    });
  });

  it('says which hooks a policy can do without and has not got on this kernel', async () => {
    const store = createStore();
    const loader = createFakeLoader();
    const driver = new GenerationDriver({ store, clock: createFakeClock(), log: silentLog, metrics: createMetrics() });
    const catalogue = { functions: new Set(['security_file_open']), lsmHooks: new Set(['file_open']), tracepoints: new Set<string>() };
    driver.connected(loader, helloOf(loader.state), testKernel({ catalogue }));
    const gone = hookOn('kprobe:no_such_function', { ignoreMissing: true });
    const plan = { ...etc.plan, hooks: [...etc.plan.hooks, gone] };
    const result = await driver.apply([{ ...etc, plan }], []);
    if (!result.ok) throw new Error(JSON.stringify(result));
    expect(result.running.get('etc')?.hooks).toEqual([
      { path: 'spec.lsmhooks[0]', name: 'lsm:file_open', method: 'lsm', notes: [] },
      { path: 'spec.kprobes[0]', name: 'kprobe:no_such_function', method: '', notes: ['HookIgnored'] },
    ]);
  });

  it('runs a policy without the hook that its loader cannot find when the policy says that it may be missing', async () => {
    const { driver, loader } = start();
    loader.refuse = (request) =>
      hasTable(request) && textOf(request, 'METHOD').includes('no_such_function')
        ? { stage: 'attach', reason: 'FunctionNotFound', message: 'no such function' }
        : undefined;
    const spec = `kprobes:
- {call: no_such_function, syscall: false, ignore: {callNotFound: true}}
- {call: security_file_open, syscall: false}`;
    const result = await driver.apply([etc, testPolicy('lenient', spec)], []);
    if (!result.ok) throw new Error(JSON.stringify(result));
    expect(result.running.get('lenient')?.hooks).toEqual([
      { path: 'spec.kprobes[0]', name: 'kprobe:no_such_function', method: '', notes: ['HookIgnored'] },
      { path: 'spec.kprobes[1]', name: 'kprobe:security_file_open', method: 'lsm', notes: [] },
    ]);
    expect([...loader.state.hooks.values()]).toEqual(['lsm:file_open']);
    const strict = testPolicy('strict', 'kprobes: [{call: no_such_function, syscall: false}]');
    expect(await driver.apply([etc, strict], [])).toMatchObject({ ok: false, blamed: [{ uid: 'strict' }] });
  });

  it('goes on with the number that the loader names when one was rolled back', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    await driver.apply([etc, opt], []);
    Object.assign(loader.state, { generation: 1, spent: 2, label: null });
    expect(runs(await driver.apply([etc, team], []))).toEqual(['etc', 'team']);
    expect([loader.state.generation, driver.generation]).toEqual([4, 4]);
    await driver.apply([etc], []);
    expect(loader.state.generation).toBe(5);
  });

  it('does nothing at all when the kernel runs the wished set already', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    const before = loader.requests.length;
    expect(runs(await driver.apply([etc], []))).toEqual(['etc']);
    expect(loader.requests.length).toBe(before);
  });

  it('shares hooks that did not change, and lets go of those that are not wished any more', async () => {
    const { driver, loader } = start();
    const exec = testPolicy(
      'exec',
      'kprobes: [{call: sys_execve, syscall: true, args: [{index: 0, type: string}], selectors: [{matchActions: [{action: Post}]}]}]',
    );
    await driver.apply([etc, exec], []);
    expect(loader.state.hooks.size).toBe(3);
    loader.requests.length = 0;
    await driver.apply([etc], []);
    expect(ops(loader)).toEqual(['BEGIN', 'SHARE', 'NODE', 'COMMIT']);
    expect([...loader.state.hooks.values()]).toEqual(['lsm:file_open']);
  });

  it('blames the new policy when a hook that ran before is refused, and leaves the old generation alone', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    loader.refuse = (request) => (hasTable(request) ? { stage: 'load', reason: 'VerifierRejected', message: 'too complex' } : undefined);
    const result = await driver.apply([etc, team], []);
    expect(result).toMatchObject({
      ok: false,
      blamed: [{ uid: 'team', failure: { reason: 'VerifierRejected', stage: 'load', hook: 'lsm:file_open' } }],
    });
    expect(ops(loader).at(-1)).toBe('ABORT');
    expect(loader.state).toMatchObject({ generation: 1, pending: null });
    loader.refuse = () => undefined;
    expect(runs(await driver.apply([etc], []))).toEqual(['etc']);
  });

  it('tries several new policies one by one and blames only those that the hook cannot take', async () => {
    const { driver, loader } = start();
    const bad = fileOpenPolicy('bad', { prefix: '/bad/', errno: -5 });
    loader.refuse = (request) => (hasTable(request) && errorsIn(bytesOf(request, 'TBL')).includes(-5) ? { stage: 'load' } : undefined);
    expect(runs(await driver.apply([opt], []))).toEqual(['opt']);
    const result = await driver.apply([opt, bad, team], []);
    expect(result.ok ? [] : result.blamed.map(({ uid }) => uid)).toEqual(['bad']);
    expect(loader.state).toMatchObject({ generation: 1, pending: null });
  });

  it('tries the next way of attaching when the first one does not attach, and says which it is', async () => {
    const { driver, loader } = start();
    const watch = testPolicy(
      'watch',
      'kprobes: [{call: security_file_open, syscall: false, args: [{index: 0, type: file}], selectors: [{matchActions: [{action: Post}]}]}]',
    );
    loader.refuse = (request) =>
      hasTable(request) && textOf(request, 'METHOD') === 'lsm:file_open' ? { stage: 'attach', reason: 'TrampolineLimit' } : undefined;
    const result = await driver.apply([watch], []);
    if (!result.ok) throw new Error(JSON.stringify(result));
    expect(result.running.get('watch')?.hooks).toMatchObject([{ name: 'kprobe:security_file_open', method: 'kprobe_multi' }]);
  });

  it('lets a kill stand in, where the policy says so, for a deny in a system call that the verifier lets nothing deny in', async () => {
    const { driver, loader } = start(createStore(), createFakeLoader(), testKernel({ preempt: 'voluntary' }));
    const unlink = testPolicy(
      'unlink',
      `options: [{name: palisade.dev/substitute, value: kill}]
kprobes: [{call: sys_unlink, syscall: true, selectors: [{matchActions: [{action: Override, argError: -1}]}]}]`,
    );
    loader.refuse = (request) =>
      hasTable(request) && textOf(request, 'METHOD').startsWith('fmod_ret:') ? { stage: 'load', reason: 'NotErrorInjectable' } : undefined;
    const result = await driver.apply([unlink], []);
    if (!result.ok) throw new Error(JSON.stringify(result));
    expect(result.running.get('unlink')?.hooks).toMatchObject([{ method: 'kprobe_multi', notes: ['DegradedKillOnly'] }]);
  });

  it('reports why when no way of attaching is left', async () => {
    const { driver, loader } = start();
    loader.refuse = (request) => (hasTable(request) ? { stage: 'attach', reason: 'TrampolineLimit', message: 'full' } : undefined);
    expect(await driver.apply([etc], [])).toMatchObject({
      ok: false,
      blamed: [{ uid: 'etc', failure: { reason: 'TrampolineLimit', hook: 'spec.lsmhooks[0]' } }],
    });
  });

  it('blames nobody for a fault of the node', async () => {
    const { driver, loader } = start();
    loader.refuse = (request) => (request.op === 'NODE' ? { stage: 'fill', reason: 'MemoryLimit', errno: 12 } : undefined);
    expect(await driver.apply([etc], [])).toMatchObject({ ok: false, blamed: [], fault: { reason: 'MemoryLimit', errno: 12 } });
  });

  it('a hook for which there is no permission or memory costs the policy that wants it, not the node', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    const exec = testPolicy('exec', 'kprobes: [{call: sys_execve, syscall: true, selectors: [{matchActions: [{action: Post}]}]}]');
    loader.refuse = (request) =>
      hasTable(request) && !textOf(request, 'METHOD').startsWith('lsm') ? { stage: 'attach', reason: 'PermissionDenied' } : undefined;
    expect(await driver.apply([etc, exec], [])).toMatchObject({
      ok: false,
      blamed: [{ uid: 'exec', failure: { reason: 'PermissionDenied' } }],
    });
    loader.refuse = (request) => (hasTable(request) ? { stage: 'fill', reason: 'MemoryLimit' } : undefined);
    expect(await driver.apply([etc, opt], [])).toMatchObject({ ok: false, blamed: [{ uid: 'opt', failure: { reason: 'MemoryLimit' } }] });
  });

  it('adopts what a restarted agent finds running, by its label, without a flip', async () => {
    const { driver, loader, store } = start();
    await driver.apply([etc, team], [pod]);
    loader.requests.length = 0;
    const second = start(store, loader);
    expect(runs(await second.driver.apply([etc, team], [pod]))).toEqual(['etc', 'team']);
    expect(ops(loader)).toEqual(['RESOLVE']);
    expect(second.driver.meanings.match(1, 1, store.stored.policies.numbers.get('etc') ?? 0, 0)).toMatchObject({ policyName: 'etc' });
  });

  it('sends everything again to a loader that lost its kernel objects', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    const fresh = createFakeLoader();
    driver.connected(fresh, helloOf(fresh.state), testKernel());
    await driver.apply([etc], []);
    expect(ops(fresh)).toContain('HOOK');
    expect(fresh.state.generation).toBe(1);
    expect(loader.state.generation).toBe(1);
  });

  it('attaches anew what did not survive the loader, although the label says that all is well', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    loader.state.hooks.clear();
    loader.requests.length = 0;
    driver.connected(loader, helloOf(loader.state), testKernel());
    expect(runs(await driver.apply([etc], []))).toEqual(['etc']);
    expect(ops(loader)).toContain('HOOK');
  });

  it('aborts what an agent that died left pending', async () => {
    const { driver, loader } = start();
    let isPending = true;
    loader.refuse = (request) => (request.op === 'BEGIN' && isPending ? { stage: 'parse', reason: 'ResourceBusy' } : undefined);
    loader.after = (request) => {
      if (request.op === 'ABORT') isPending = false;
    };
    expect(runs(await driver.apply([etc], []))).toEqual(['etc']);
  });

  it('follows the loader when the two disagree about the generation', async () => {
    const { driver, loader } = start();
    await driver.apply([etc], []);
    loader.state.generation = 7;
    expect(runs(await driver.apply([etc, opt], []))).toEqual(['etc', 'opt']);
    expect(loader.state.generation).toBe(8);
  });

  it('a pod that comes while a generation is being made is told to the kernel before the flip', async () => {
    const { driver, loader } = start();
    await driver.apply([team], []);
    loader.requests.length = 0;
    const told: Promise<void>[] = [];
    loader.after = (request) => {
      if (request.op === 'BEGIN') told.push(driver.setScope({ pods: [pod], cgroups: [] }));
    };
    await driver.apply([team, etc], []);
    await Promise.all(told);
    const order = ops(loader);
    expect(order.indexOf('SCOPE')).toBeGreaterThan(order.indexOf('BEGIN'));
    expect(order.indexOf('SCOPE')).toBeLessThan(order.indexOf('COMMIT'));
    // The rows of the new tables know the pod as well.
    const scopeData = loader.requests.filter(
      (request) => request.op === 'DATA' && request.tlvs.some((tlv) => tlv.tag === 50 && tlv.value[0] === 3),
    );
    expect(scopeData).toHaveLength(1);
    expect(order.lastIndexOf('SCOPE')).toBeLessThan(order.indexOf('COMMIT'));
  });

  it('writes the numbers to disk before the generation that uses them begins', async () => {
    const { driver, loader, store } = start();
    let known = -1;
    loader.after = (request) => {
      if (request.op === 'BEGIN') known = store.stored.policies.numbers.get('etc') ?? -1;
    };
    await driver.apply([etc], []);
    expect(known).toBe(1);
  });

  it('an attempt without a loader fails and changes nothing', async () => {
    const { driver } = start();
    driver.disconnected();
    await expect(driver.apply([etc], [])).rejects.toMatchObject({ code: 'LoaderUnavailable' });
  });
});

/** The errors that a table can return. */
function errorsIn(table: Buffer): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => table.readInt32LE(TBL_LAYOUT.at.err + 4 * i));
}
