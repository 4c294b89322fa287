import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serializePlan, digestOfPlanText } from '../../policy/digest.ts';
import type { Plan } from '../../policy/plan.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { silentLog } from '../../telemetry/log.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import type { LinkPolicy } from '../../linker/link-input.ts';
import type { PlanFailure } from './choose-plans.ts';
import type { EnginePort, EngineResult } from './engine-port.ts';
import { PlanStore } from './plan-store.ts';
import { PolicyRunner } from './policy-runner.ts';

const plan = (target: string): Plan => ({
  format: 1,
  scope: { namespace: null, podSelector: null },
  options: { onUnknown: null, onPending: 'wait', substitute: 'none', eventRatePerSecond: 1000 },
  hooks: [
    {
      kind: 'kprobe',
      section: 'kprobes',
      index: 0,
      path: 'spec.kprobes[0]',
      target,
      syscall: false,
      message: '',
      tags: [],
      args: [],
      selectors: [{ path: 'spec.kprobes[0]', filters: [], actions: [{ type: 'post' }] }],
    },
  ],
});
const text = (target: string): string => serializePlan(plan(target));
const digest = (target: string): string => digestOfPlanText(text(target));
const entry = (uid: string, target: string | null, generation = 1): Entry => ({
  uid,
  kind: 'TracingPolicy',
  namespace: null,
  name: uid,
  generation,
  digest: target === null ? null : digest(target),
  mode: 'enforce',
});
const bad: PlanFailure = { reason: 'FunctionNotFound', message: 'no such function' };

/** A kernel in which plans on these functions do not load. */
function fakeEngine() {
  const state = {
    missing: new Set<string>(),
    crashing: new Set<string>(),
    fault: null as PlanFailure | null,
    active: [] as string[],
    /** Of what was asked for last, the plans that were said to run already. */
    kept: [] as string[],
    flips: [] as string[][],
  };
  const engine: EnginePort = {
    apply: (policies: readonly LinkPolicy[]): Promise<EngineResult> => {
      state.kept = policies.filter(({ runs }) => runs === true).map(({ ref }) => ref.uid);
      if (policies.some(({ plan: { hooks } }) => hooks.some(({ target }) => state.crashing.has(target)))) throw new TypeError('oops');
      if (state.fault !== null) return Promise.resolve({ ok: false, blamed: [], fault: state.fault });
      const blamed = policies.filter(({ plan: { hooks } }) => hooks.some(({ target }) => state.missing.has(target)));
      if (blamed.length > 0)
        return Promise.resolve({ ok: false, blamed: blamed.map(({ ref }) => ({ uid: ref.uid, failure: bad })), fault: null });
      state.active = policies.map(({ ref, plan: { hooks } }) => `${ref.uid}:${hooks[0]?.target ?? ''}`);
      state.flips.push(state.active);
      const running = policies.map(
        ({ ref, digest: id, mode }) =>
          [ref.uid, { uid: ref.uid, generation: ref.generation, digest: id, mode, number: 1, hooks: [] }] as const,
      );
      return Promise.resolve({ ok: true, running: new Map(running) });
    },
  };
  return { state, engine };
}

describe('The policy runner', () => {
  let folder = '';
  let clock: FakeClock = createFakeClock();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runner-'));
    clock = createFakeClock();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function start(engine: EnginePort) {
    let notify = (): void => {};
    const suspended = new Set<string>();
    const runner = new PolicyRunner({
      store: new PlanStore({ folder, maxBytes: 1 << 20 }),
      engine,
      suspended: () => suspended,
      pods: () => [],
      retryMs: 1000,
      clock,
      log: silentLog,
      metrics: createMetrics(),
      onSettled: () => notify(),
    });
    await runner.open();
    const settled = (): Promise<void> =>
      new Promise((resolve) => {
        notify = resolve;
      });
    const adopt = async (...entries: Entry[]): Promise<void> => {
      const done = settled();
      await runner.adopt({ digest: setDigest(entries), entries }, 0);
      await done;
    };
    const wake = async (): Promise<void> => {
      const done = settled();
      runner.wake();
      await done;
    };
    const put = (...targets: string[]) => Promise.all(targets.map((target) => runner.storePlan(digest(target), text(target))));
    return { runner, suspended, adopt, wake, put, settled };
  }

  test('enforces after a reboot what is on disk, without a hub', async () => {
    const first = await start(fakeEngine().engine);
    await first.put('open');
    await first.adopt(entry('a', 'open'));
    await first.runner.stop();
    const kernel = fakeEngine();
    const second = await start(kernel.engine);
    await second.wake();
    expect(kernel.state.active).toEqual(['a:open']);
    expect(second.runner.set.digest).toBe(setDigest([entry('a', 'open')]));
  });

  test('replaces a plan that does not load by the last good one before anything is flipped', async () => {
    const kernel = fakeEngine();
    const { runner, adopt, put } = await start(kernel.engine);
    await put('open', 'exec');
    await adopt(entry('a', 'open'), entry('b', 'exec'));
    kernel.state.missing.add('nothing');
    await put('nothing');
    await adopt(entry('a', 'nothing', 2), entry('b', 'exec'));
    expect(kernel.state.flips.every((active) => active.includes('a:open'))).toBe(true);
    expect(runner.choices.map(({ state }) => state)).toEqual(['fallback', 'wished']);
    expect(runner.choices[0]?.failure).toEqual(bad);
  });

  test('says which plans run already, also after a restart: another that grows must not push them out', async () => {
    const first = await start(fakeEngine().engine);
    await first.put('open', 'exec');
    await first.adopt(entry('a', 'open'), entry('b', 'exec'));
    await first.runner.stop();
    const kernel = fakeEngine();
    const { put, adopt } = await start(kernel.engine);
    await put('close');
    await adopt(entry('a', 'close', 2), entry('b', 'exec'));
    expect(kernel.state.kept).toEqual(['b']);
  });

  test('leaves a policy out that never loaded, and runs the others', async () => {
    const kernel = fakeEngine();
    kernel.state.missing.add('nothing');
    const { runner, adopt, put } = await start(kernel.engine);
    await put('open', 'nothing');
    await adopt(entry('a', 'nothing'), entry('b', 'open'));
    expect(kernel.state.active).toEqual(['b:open']);
    expect(runner.choices.map(({ state }) => state)).toEqual(['failed', 'wished']);
  });

  test('leaves out the one plan on which the agent itself fails, and nobody who was suspected before it', async () => {
    const kernel = fakeEngine();
    kernel.state.crashing.add('crash');
    const { runner, adopt, put } = await start(kernel.engine);
    await put('open', 'exec', 'crash', 'close');
    await adopt(entry('a', 'open'), entry('b', 'exec'), entry('c', 'crash'), entry('d', 'close'));
    expect(kernel.state.active).toEqual(['a:open', 'b:exec', 'd:close']);
    expect(runner.choices.map(({ state }) => state)).toEqual(['wished', 'wished', 'failed', 'wished']);
    expect(runner.choices[2]?.failure).toMatchObject({ reason: 'NotSupportedByAgent', message: expect.stringContaining('oops') });
    expect(runner.fault).toBeNull();
  });

  test('keeps what runs while a plan is on its way, and takes the new one when it comes', async () => {
    const kernel = fakeEngine();
    const { adopt, put, wake } = await start(kernel.engine);
    await put('open');
    await adopt(entry('a', 'open'));
    await adopt(entry('a', 'exec', 2));
    expect(kernel.state.active).toEqual(['a:open']);
    expect(kernel.state.flips).toHaveLength(1);
    await put('exec');
    await wake();
    expect(kernel.state.active).toEqual(['a:exec']);
  });

  test('holds what runs when the hub cannot say what is good', async () => {
    const kernel = fakeEngine();
    const { adopt, put } = await start(kernel.engine);
    await put('open');
    await adopt(entry('a', 'open'));
    await adopt(entry('a', null, 2));
    expect(kernel.state.active).toEqual(['a:open']);
  });

  test.each(['ResourceBusy', 'LoadError'] as const)(
    'tries again after a while when %s came up at no hook, and blames no policy',
    async (reason) => {
      const kernel = fakeEngine();
      kernel.state.fault = { reason, message: 'another process holds it' };
      const { runner, adopt, put, settled } = await start(kernel.engine);
      await put('open');
      await adopt(entry('a', 'open'));
      expect(runner.fault?.reason).toBe(reason);
      kernel.state.fault = null;
      const done = settled();
      await clock.advance(1000);
      await done;
      expect(runner.fault).toBeNull();
      expect(kernel.state.active).toEqual(['a:open']);
    },
  );

  test('stops a policy at once when someone suspends it on the node, and forgets none of it', async () => {
    const kernel = fakeEngine();
    const { suspended, adopt, put, wake } = await start(kernel.engine);
    await put('open', 'exec');
    await adopt(entry('a', 'open'), entry('b', 'exec'));
    suspended.add('a');
    await wake();
    expect(kernel.state.active).toEqual(['b:exec']);
    suspended.clear();
    await wake();
    expect(kernel.state.active).toEqual(['a:open', 'b:exec']);
  });
});
