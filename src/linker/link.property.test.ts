import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOfPlan } from '../policy/digest.ts';
import { evaluate, combine } from '../policy/evaluate/evaluate.ts';
import type { ArgValue, HookCall, ProcessFacts, Workload } from '../policy/evaluate/event.ts';
import type {
  LinuxNamespace,
  Plan,
  PlanAction,
  PlanArg,
  PlanArgType,
  PlanFilter,
  PlanHook,
  PlanSelector,
  PolicyMode,
} from '../policy/plan.ts';
import { link } from './link.ts';
import type { LinkPod, LinkPolicy } from './link-input.ts';
import { decodeSelector } from './linked-node.ts';
import { classRow, scopeRows } from './scope.ts';
import { type ModelTask, type ModelValue, runModel } from './testing/model.ts';
import { testInput } from './testing/kernels.ts';

const NAMESPACES: readonly LinuxNamespace[] = [
  'uts',
  'ipc',
  'mnt',
  'pid',
  'pid_for_children',
  'net',
  'time',
  'time_for_children',
  'cgroup',
  'user',
];
const TEXTS = [
  '/etc/',
  '/etc/passwd',
  '/etc/passwd-',
  '/etc',
  '/e',
  '/var/lib/x',
  'passwd',
  'd',
  'wd',
  'häuser',
  'x'.repeat(255),
  `${'x'.repeat(255)}y`,
  'y',
];
const BINARIES = ['/bin/sh', '/bin/cat', '/usr/bin/python3', '/bin/s'];
const INTS = [0n, 1n, 2n, -1n, 127n, 128n, 255n, 256n, 65_535n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, -0x8000_0000n, 0x1_0000_0000n];
const INT_TYPES: readonly PlanArgType[] = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'];
const PODS: readonly LinkPod[] = [
  { uid: 'p1', namespace: 'default', labels: { app: 'a' } },
  { uid: 'p2', namespace: 'default', labels: { app: 'b' } },
  { uid: 'p3', namespace: 'kube-system', labels: {} },
];

const action: fc.Arbitrary<PlanAction> = fc.oneof(
  fc.constant<PlanAction>({ type: 'post' }),
  fc.constant<PlanAction>({ type: 'nopost' }),
  fc.constant<PlanAction>({ type: 'sigkill' }),
  fc.constantFrom(-1, -13, -2, -5).map((errno): PlanAction => ({ type: 'override', errno })),
);
const args: fc.Arbitrary<readonly PlanArg[]> = fc
  .tuple(
    fc.constantFrom<PlanArgType>('file', 'path', 'string'),
    fc.constantFrom<PlanArgType>('string', 'path'),
    fc.constantFrom(...INT_TYPES),
    fc.constantFrom(...INT_TYPES),
  )
  .map((types) => types.map((type, index) => ({ index, type, label: '' })));

function some<T>(values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 4 });
}

function filterOn(declared: readonly PlanArg[]): fc.Arbitrary<PlanFilter> {
  const bytes = fc.record({
    on: fc.constant('bytes' as const),
    arg: fc.constantFrom(0, 1),
    operator: fc.constantFrom('Equal', 'NotEqual', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'),
    values: some(TEXTS.filter((text) => text.length <= 240)),
  });
  const int = fc.constantFrom(2, 3).chain((arg) =>
    fc.record({
      on: fc.constant('int' as const),
      arg: fc.constant(arg),
      operator: fc.constantFrom('Equal', 'NotEqual'),
      values: some(INTS).map((values) => values.map((value) => String(ofType(value, declared[arg]?.type ?? 'int64')))),
    }),
  );
  return fc.oneof(
    { weight: 3, arbitrary: bytes },
    { weight: 3, arbitrary: int },
    fc.record({ on: fc.constant('binary' as const), operator: fc.constantFrom('In', 'NotIn'), values: some(BINARIES) }),
    fc.record({
      on: fc.constant('namespace' as const),
      namespace: fc.constantFrom(...NAMESPACES),
      operator: fc.constantFrom('In', 'NotIn'),
      values: some(['host_ns', '1', '2']),
    }),
    fc.record({
      on: fc.constant('podNamespace' as const),
      operator: fc.constantFrom('In', 'NotIn'),
      values: some(['default', 'kube-system']),
    }),
    fc.record({
      on: fc.constant('capability' as const),
      set: fc.constantFrom('effective', 'permitted', 'inheritable'),
      operator: fc.constantFrom('In', 'NotIn'),
      mask: fc.constantFrom('1', '2', '3', '2097152'),
      isNamespaceCapability: fc.boolean(),
    }),
  );
}

function hookOf(target: string, index: number): fc.Arbitrary<PlanHook> {
  return args.chain((declared) =>
    fc
      .array(
        fc.record({ filters: fc.array(filterOn(declared), { maxLength: 4 }), actions: fc.array(action, { minLength: 1, maxLength: 3 }) }),
        { minLength: 1, maxLength: 5 },
      )
      .map((selectors) => ({
        kind: 'lsm' as const,
        section: 'lsmhooks' as const,
        index,
        path: `spec.lsmhooks[${index}]`,
        target,
        syscall: false,
        message: '',
        tags: [],
        args: declared,
        selectors: selectors.map((selector, i): PlanSelector => ({ path: `spec.lsmhooks[${index}].selectors[${i}]`, ...selector })),
      })),
  );
}

const plan: fc.Arbitrary<Plan> = fc.record({
  format: fc.constant(1 as const),
  scope: fc.record({
    namespace: fc.option(fc.constantFrom('default', 'kube-system'), { freq: 3 }),
    podSelector: fc.option(
      fc.constantFrom({ matchLabels: {}, matchExpressions: [] }, { matchLabels: { app: 'a' }, matchExpressions: [] }),
      { freq: 2 },
    ),
  }),
  options: fc.record({
    onUnknown: fc.constantFrom('match', 'nomatch', null),
    onPending: fc.constantFrom('wait', 'apply'),
    substitute: fc.constant('none' as const),
    eventRatePerSecond: fc.constant(1000),
  }),
  hooks: fc.oneof(
    { weight: 4, arbitrary: hookOf('file_open', 0).map((hook) => [hook]) },
    fc.tuple(hookOf('file_open', 0), hookOf('file_open', 1)),
  ),
});

const policies: fc.Arbitrary<readonly LinkPolicy[]> = fc
  .array(fc.record({ plan, mode: fc.constantFrom<PolicyMode>('enforce', 'monitor') }), { minLength: 1, maxLength: 12 })
  .map((entries) =>
    entries.map(({ plan: entry, mode }, i) => ({
      ref: {
        kind: entry.scope.namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced',
        namespace: entry.scope.namespace,
        name: `p${i}`,
        uid: `uid-${i}`,
        generation: 1,
      },
      digest: digestOfPlan(entry),
      plan: entry,
      mode,
    })),
  );

const text = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.tuple(fc.constantFrom(...TEXTS), fc.constantFrom(...TEXTS)).map(([a, b]) => a + b),
);
const memoryValue: fc.Arbitrary<ModelValue> = fc.oneof(
  { weight: 6, arbitrary: text.map((value): ModelValue => ({ kind: 'bytes', value: Buffer.from(value) })) },
  fc.constant<ModelValue>({ kind: 'null' }),
  fc.constant<ModelValue>({ kind: 'unknown' }),
);
const intValue: fc.Arbitrary<ModelValue> = fc
  .constantFrom(...INTS)
  .map((raw): ModelValue => ({ kind: 'int', raw: BigInt.asUintN(64, raw) }));
const registers = fc.tuple(memoryValue, memoryValue, intValue, intValue);
const workload: fc.Arbitrary<Workload> = fc.oneof(
  fc.constant<Workload>({ kind: 'host' }),
  fc.constant<Workload>({ kind: 'unknown' }),
  fc.constant<Workload>({ kind: 'pending', namespace: null }),
  fc.constantFrom(...PODS).map(({ namespace, labels }): Workload => ({ kind: 'pod', namespace, labels })),
);
const inodes = fc.array(fc.constantFrom(0, 1, 2), { minLength: 10, maxLength: 10 });
const process = fc.record({
  binary: fc.option(fc.constantFrom(...BINARIES), { freq: 5 }),
  namespaces: inodes,
  capabilities: fc.record({
    effective: fc.constantFrom(0n, 1n, 2n, 0x1ff_ffff_ffffn),
    permitted: fc.constantFrom(0n, 3n),
    inheritable: fc.constantFrom(0n, 1n),
  }),
  inHostUserNamespace: fc.boolean(),
  workload,
  exempt: fc.boolean(),
});

describe('linked tables', () => {
  it('give every call the verdict of the reference evaluator, whatever policies share the hook', () => {
    fc.assert(
      fc.property(
        policies,
        fc.option(inodes, { freq: 4 }),
        fc.array(fc.tuple(process, registers), { minLength: 8, maxLength: 8 }),
        (candidates, host, calls) => {
          const node = link(testInput(candidates, { hostNamespaces: host ?? [], pods: PODS }));
          const linkedPolicies = candidates.filter((policy) => node.policies.some((entry) => entry.ref.uid === policy.ref.uid));
          expect(node.problems.filter((problem) => problem.reason !== 'TooManyPlanes' && problem.reason !== 'HookSelectorBudget')).toEqual(
            [],
          );
          const [hook] = node.hooks;
          if (hook === undefined) return;
          for (const [facts, values] of calls) {
            const processFacts = factsOf(facts, host);
            const expected = linkedPolicies.flatMap((policy) =>
              policy.plan.hooks.map((planHook, hookIndex) => ({
                policy,
                hookIndex,
                verdict: evaluate(policy.plan, planHook, policy.mode, callOf(planHook, processFacts, values)),
              })),
            );
            const actual = runModel(hook, node.binarySets, taskOf(facts, hook), values);
            const numberOf = new Map(node.policies.map((entry) => [entry.ref.uid, entry.number]));
            expect(
              actual.matches
                .map((match) => [match.policy, decodeSelector(match.selector), match.known, match.post])
                .map(asText)
                .toSorted(),
            ).toEqual(
              expected
                .flatMap(({ policy, hookIndex, verdict }) =>
                  verdict.selector === null
                    ? []
                    : [[numberOf.get(policy.ref.uid), { hookIndex, selectorIndex: verdict.selector }, !verdict.byUnknown, verdict.post]],
                )
                .map(asText)
                .toSorted(),
            );
            const sum = combine(expected.map((entry) => entry.verdict));
            expect({ errno: actual.errno, kill: actual.kill }).toEqual(sum);
            expect(countBits(actual.wouldKill)).toBe(expected.filter((entry) => entry.verdict.wouldKill).length);
            expect(countBits(actual.wouldDeny)).toBe(expected.filter((entry) => entry.verdict.wouldDeny).length);
          }
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);
});

function taskOf(facts: ProcessShape, hook: Parameters<typeof runModel>[0]): ModelTask {
  const pods = new Map(PODS.map((pod, i) => [i + 3, pod]));
  const { workload: where } = facts;
  const pod = where.kind === 'pod' ? PODS.find((entry) => entry.namespace === where.namespace && entry.labels === where.labels) : undefined;
  const scopeRow =
    pod !== undefined ? classRow(hook.scope, pod) : where.kind === 'pending' ? (scopeRows(hook.scope, pods).get(2) ?? 0n) : 0n;
  return { ...facts, scopeRow, binary: facts.binary === null ? null : Buffer.from(facts.binary) };
}

type ProcessShape = {
  readonly binary: string | null;
  readonly namespaces: readonly number[];
  readonly capabilities: { readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint };
  readonly inHostUserNamespace: boolean;
  readonly workload: Workload;
  readonly exempt: boolean;
};

function factsOf(facts: ProcessShape, host: readonly number[] | null): ProcessFacts {
  return {
    ...facts,
    binary: facts.binary === null ? null : Buffer.from(facts.binary),
    namespaces: byName(facts.namespaces),
    hostNamespaces: host === null ? null : byName(host),
  };
}

function byName(values: readonly number[]): Record<LinuxNamespace, number> {
  const [uts, ipc, mnt, pid, forChildren, net, time, timeForChildren, cgroup, user] = values.map(Number);
  return {
    uts: uts ?? 0,
    ipc: ipc ?? 0,
    mnt: mnt ?? 0,
    pid: pid ?? 0,
    pid_for_children: forChildren ?? 0,
    net: net ?? 0,
    time: time ?? 0,
    time_for_children: timeForChildren ?? 0,
    cgroup: cgroup ?? 0,
    user: user ?? 0,
  };
}

function callOf(hook: PlanHook, facts: ProcessFacts, values: readonly ModelValue[]): HookCall {
  return { process: facts, args: hook.args.map((arg) => argOf(arg, values[arg.index])) };
}

function argOf(arg: PlanArg, value: ModelValue | undefined): ArgValue {
  if (value?.kind === 'int') return { kind: 'int', value: ofType(value.raw, arg.type) };
  return value ?? { kind: 'unknown' };
}

function ofType(value: bigint, type: PlanArgType): bigint {
  const bits = Number(/\d+$/.exec(type)?.[0] ?? 64);
  return type.startsWith('u') ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
}

function asText(value: unknown): string {
  return JSON.stringify(value);
}

function countBits(mask: bigint): number {
  return mask.toString(2).replaceAll('0', '').length;
}
