import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, combine } from '../policy/evaluate/evaluate.ts';
import type { ArgValue, HookCall, ProcessFacts, Workload } from '../policy/evaluate/event.ts';
import type { LinuxNamespace, PlanArg, PlanArgType, PlanHook } from '../policy/plan.ts';
import { link } from './link.ts';
import type { LinkPod } from './link-input.ts';
import { decodeSelector } from './linked-node.ts';
import { classRow, scopeRows } from './scope.ts';
import { type ModelTask, type ModelValue, runModel } from './testing/model.ts';
import { testInput } from './testing/kernels.ts';
import { ofType, policySets } from './testing/policy-arbitraries.ts';

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

const policies = policySets({
  args: fc
    .tuple(
      fc.constantFrom<PlanArgType>('file', 'path', 'string'),
      fc.constantFrom<PlanArgType>('string', 'path'),
      fc.constantFrom(...INT_TYPES),
      fc.constantFrom(...INT_TYPES),
    )
    .map((types) => types.map((type, index) => ({ index, type, label: '' }))),
  texts: TEXTS,
  ints: INTS,
  binaries: BINARIES,
  podNamespaces: ['default', 'kube-system'],
  always: [],
  maxPolicies: 12,
});

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
            expect({ errno: actual.errno, kill: actual.kill }).toEqual({ errno: sum.errno, kill: sum.kill });
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

function asText(value: unknown): string {
  return JSON.stringify(value);
}

function countBits(mask: bigint): number {
  return mask.toString(2).replaceAll('0', '').length;
}
