import { beforeEach, describe, expect, test } from 'vitest';
import { compile, type CompiledPolicy } from '../../policy/compile.ts';
import { MAX_BUILDS } from '../../protocol/catalogue.ts';
import { parse } from '../../policy/parse.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { BUILD_NEW, buildFrame, kernelNames, nodes } from '../testing/kernels.ts';
import { goodPolicy, watching } from '../testing/policies.ts';
import { checkFleet, MAX_FACTS_AGE_MS, type FleetProblem } from './check-fleet.ts';
import { createFleetMemory, type FleetMemory } from './fleet-memory.ts';

let clock: FakeClock;
let memory: FleetMemory;

beforeEach(() => {
  clock = createFakeClock();
  memory = createFleetMemory(clock);
  memory.apply(buildFrame(BUILD_NEW));
  memory.applyNames(BUILD_NEW, kernelNames());
});

function compiled(object: unknown): CompiledPolicy {
  const policy = parse(object);
  if (!policy.ok) {
    throw new Error(JSON.stringify(policy.problems));
  }
  const outcome = compile(policy.value);
  if (!outcome.ok) {
    throw new Error(JSON.stringify(outcome.problems));
  }
  return outcome.value;
}

const missing = compiled(watching('no_such_function'));
const check = (policy = missing): readonly FleetProblem[] => checkFleet(policy, memory.view(), clock.monotonicMs());
const severities = (): string[] => check().map((problem) => problem.severity);

describe('what would fail everywhere is refused only if', () => {
  test('the hub has told all that it knows', () => {
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 10) });
    expect(check().map((problem) => problem.reason)).toEqual(['KernelChecksSkipped']);
    memory.apply({ t: 'ready' });
    expect(severities()).toEqual(['refusal']);
  });

  test('at least nine of ten nodes are known', () => {
    memory.apply({ t: 'nodes', full: true, put: [...nodes('known', 9), ...nodes('unknown', 1, { build: null })] });
    memory.apply({ t: 'ready' });
    expect(severities()).toEqual(['refusal']);
    memory.apply({ t: 'nodes', put: nodes('another', 1, { build: null }) });
    expect(severities()).toEqual(['warning']);
  });

  test('the facts are at most ten minutes old', async () => {
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 10) });
    memory.apply({ t: 'ready' });
    await clock.advance(MAX_FACTS_AGE_MS);
    expect(severities()).toEqual(['refusal']);
    await clock.advance(1);
    expect(check().map((problem) => problem.reason)).toEqual(['KernelChecksSkipped']);
    memory.apply({ t: 'alive' });
    expect(severities()).toEqual(['refusal']);
  });

  test('the nodes have not been silent for longer', async () => {
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 10, { silentMs: MAX_FACTS_AGE_MS - 1_000 }) });
    memory.apply({ t: 'ready' });
    expect(severities()).toEqual(['refusal']);
    await clock.advance(2_000);
    memory.apply({ t: 'alive' });
    expect(check().map((problem) => problem.reason)).toEqual(['KernelChecksSkipped']);
  });

  test('there are nodes at all', () => {
    memory.apply({ t: 'ready' });
    expect(check()).toEqual([]);
  });

  test('the names of the kernel have arrived', () => {
    const other = '0c'.repeat(32);
    memory.apply(buildFrame(other));
    memory.apply({ t: 'nodes', full: true, put: [...nodes('n', 5), ...nodes('m', 5, { build: other })] });
    memory.apply({ t: 'ready' });
    expect(severities()).toEqual(['warning']);
  });
});

describe('the memory of the fleet', () => {
  test('forgets builds and nodes that are gone', () => {
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 2) });
    memory.apply({ t: 'ready' });
    memory.apply({ t: 'nodes', put: [], gone: ['n-0'] });
    expect([...(memory.view()?.nodes.keys() ?? [])]).toEqual(['n-1']);
    memory.apply({ t: 'gone', build: BUILD_NEW });
    expect(memory.builds()).toEqual([]);
    expect(check().map((problem) => problem.reason)).toEqual(['KernelChecksSkipped']);
  });

  test('does not fill up with builds that vanished while there was no connection', () => {
    for (let reconnect = 0; reconnect < 2 * MAX_BUILDS; reconnect += 1) {
      memory.apply({ t: 'welcome', protocol: 1 });
      memory.apply(buildFrame(reconnect.toString(16).padStart(64, '0')));
    }
    expect(memory.builds()).toEqual([BUILD_NEW]);
    memory.apply({ t: 'ready' });
    expect(memory.view()?.builds.size).toBe(2);
  });

  test('a full list replaces what was known before a reconnect, and names are kept', () => {
    memory.apply({ t: 'nodes', full: true, put: nodes('old', 2) });
    memory.apply({ t: 'nodes', full: true, put: nodes('new', 1) });
    memory.apply({ t: 'ready' });
    expect(memory.view()?.nodes.size).toBe(1);
    expect(memory.builds()).toEqual([BUILD_NEW]);
  });
});

test('a policy of hundreds of misspelt hooks gets three suggestions, not hundreds of searches', () => {
  const functions = Array.from({ length: 10_000 }, (_, index) => `kernel_function_number_${index}`);
  memory.applyNames(BUILD_NEW, kernelNames({ functions }));
  memory.apply({ t: 'nodes', full: true, put: nodes('n', 1) });
  memory.apply({ t: 'ready' });
  const kprobes = Array.from({ length: 300 }, (_, index) => ({ call: `kernel_function_nuber_${index}`, syscall: false }));
  const problems = check(compiled({ ...watching('x'), spec: { kprobes } }));
  expect(problems).toHaveLength(300);
  expect(problems.filter((problem) => problem.hint !== undefined)).toHaveLength(3);
  expect(problems[0]?.hint).toContain('kernel_function_number_0');
});

test('what the engine of this version does not run yet is refused by its field, in hooks and beside them', () => {
  memory.apply({ t: 'nodes', full: true, put: nodes('n', 1) });
  memory.apply({ t: 'ready' });
  const policy = compiled(goodPolicy());
  const hooks = policy.plan.hooks.map((hook) => ({ ...hook, args: hook.args.map((arg) => ({ ...arg, resolve: ['f_path'] })) }));
  const problems = check({ ...policy, plan: { ...policy.plan, hooks, loader: true } });
  expect(problems.map(({ severity, reason, path }) => `${severity} ${reason} ${path}`)).toEqual([
    'refusal NotInEngine spec.lsmhooks[0].args[0].resolve',
    'refusal NotInEngine spec.loader',
  ]);
  expect(problems[0]?.message).toContain('the engine of this version does not run "resolve" yet');
});

describe('a kernel whose names may only be asked for', () => {
  const told = (changes: Parameters<typeof kernelNames>[0]) => {
    memory.applyNames(BUILD_NEW, kernelNames(changes));
    memory.apply({ t: 'nodes', full: true, put: nodes('n', 10) });
    memory.apply({ t: 'ready' });
  };
  const onHook = (hook: string) => compiled(goodPolicy({ lsmhooks: [{ hook }] }));

  test('has its LSM hooks, also those that no function is named after', () => {
    told({ lsmHooks: ['file_open', 'inode_free_security_rcu'] });
    expect(check(onHook('inode_free_security_rcu'))).toEqual([]);
    expect(check(onHook('file_opne')).map(({ severity, reason }) => `${severity} ${reason}`)).toEqual(['refusal LsmHookNotFound']);
  });

  test('and which names no LSM hooks at all has those whose function it has', () => {
    told({ lsmHooks: [] });
    expect(check(onHook('file_open'))).toEqual([]);
    expect(check(onHook('inode_free_security_rcu')).map(({ reason }) => reason)).toEqual(['LsmHookNotFound']);
  });

  test.each([
    ['all system calls', { name: 'a', type: 'generated_syscalls' }],
    ['functions by pattern', { name: 'a', type: 'generated_ftrace', pattern: '^tcp_' }],
  ])('is not said to have no functions when a list of %s is what no engine runs yet', (_, list) => {
    told({});
    const problems = check(compiled({ ...watching('x'), spec: { kprobes: [{ call: 'list:a' }], lists: [list] } }));
    expect(problems.map(({ reason }) => reason)).toEqual(['NotInEngine']);
  });
});
