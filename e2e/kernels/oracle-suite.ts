import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HookRecord } from '../../src/abi/record-types.ts';
import { PAL_C_MATCH } from '../../src/abi/layout.ts';
import { decodeSelector } from '../../src/linker/linked-node.ts';
import type { LinkPolicy } from '../../src/linker/link-input.ts';
import { LINUX_NAMESPACES, policySets } from '../../src/linker/testing/policy-arbitraries.ts';
import { combine, evaluate, type PolicyVerdict } from '../../src/policy/evaluate/evaluate.ts';
import type { HookCall, Workload } from '../../src/policy/evaluate/event.ts';
import type { LinuxNamespace } from '../../src/policy/plan.ts';
import { figure } from '../cluster/tests/figures.ts';
import type { KernelName } from '../vm/kernels.ts';
import type { Act, KernelUnderTest } from './kernel-under-test.ts';

const isDeep = process.env['PALISADE_DEEP'] === '1';
/** Every set of policies is a new program: under emulation the verifier takes seconds. */
const sets = isDeep ? 60 : 8;
const actsPerSet = 40;
const SIGKILL = 9;

const paths = ['/t/a', '/t/a.conf', '/t/secret/one', '/t/secret/two.conf', '/t/free/one', '/t/free/deep/er/file.conf'] as const;
const binaries = ['/t/bin/a', '/t/bin/b', '/t/bin/c'] as const;
const pod = { uid: '77777777-2222-3333-4444-555555555555', namespace: 'default', labels: { app: 'a' } };
const podCgroup = `/sys/fs/cgroup/kubepods/pod${pod.uid}`;

/** What may be denied to the actors never hits what the machine itself lives from. */
const policies = policySets({
  args: fc.constant([{ index: 0, type: 'file', label: '' }]),
  texts: [
    '/t/',
    '/t/a',
    '/t/a.conf',
    '/t/secret/',
    '/t/secret/one',
    '/t/s',
    '/',
    'one',
    '.conf',
    'e',
    '/t/free/deep/er/file.conf',
    '/t/free/deep/er/file.con',
  ],
  ints: [0n],
  binaries,
  podNamespaces: ['default', 'kube-system'],
  always: [{ on: 'bytes', arg: 0, operator: 'Prefix', values: ['/t/a', '/t/free/', '/t/secret/'] }],
  maxPolicies: 10,
});

type RandomAct = { readonly path: string; readonly binary: string; readonly uid: 0 | 1000; readonly inPod: boolean };
const acts: fc.Arbitrary<RandomAct[]> = fc.array(
  fc.record({
    path: fc.constantFrom(...paths),
    binary: fc.constantFrom(...binaries),
    uid: fc.constantFrom<0 | 1000>(0, 1000),
    inPod: fc.boolean(),
  }),
  { minLength: actsPerSet, maxLength: actsPerSet },
);

/** Random policies and calls: the kernel must do, report and count what the reference evaluator says. */
export function describeOracle(name: KernelName, kernelOf: () => KernelUnderTest): void {
  it('gives random policies and calls the verdict, the event and the counts of the reference evaluator', async () => {
    const kernel = kernelOf();
    await kernel.setScope({ pods: [pod], cgroups: [] });
    await kernel.vm.machine.run(['mkdir', '-p', podCgroup]);
    let calls = 0;
    let matches = 0;
    for (const [set, list] of fc.sample(fc.tuple(policies, acts), { numRuns: sets, seed: 20_261_122 })) {
      const outcome = await compare(kernel, set, list);
      calls += list.length;
      matches += outcome;
    }
    figure(`${name}: random policies, calls and matches without a mismatch`, `${sets} sets, ${calls} calls, ${matches} matches`);
  });
}

async function compare(kernel: KernelUnderTest, set: readonly LinkPolicy[], list: readonly RandomAct[]): Promise<number> {
  const running = await kernel.apply(set, [pod]);
  const numbers = new Map([...running.values()].map((policy) => [policy.uid, policy.number]));
  const countsBefore = (await kernel.counters()).policies;
  kernel.records.clear();
  const expected = list.map((act) => expectation(set, numbers, callOf(kernel, act)));
  const actual = await kernel.actAll(list.map(actOf));
  const describeAct = (i: number): string =>
    `${JSON.stringify(list[i])} under ${JSON.stringify(set.map(({ ref, mode, plan }) => [ref.uid, mode, plan]))}`;
  for (const [i, wish] of expected.entries()) expect(actual[i]?.status, describeAct(i)).toBe(wish.status);
  const wanted = expected.filter((entry) => entry.events.length > 0).length;
  const records = await recordsOf(kernel, wanted);
  for (const [i, wish] of expected.entries()) {
    const own = records.filter((record) => record.task.key.tgid === actual[i]?.pid);
    const events = own.flatMap((record) => record.matches.map((match) => eventKey(match.policy, match.selector)));
    expect(events.toSorted(), describeAct(i)).toEqual(wish.events.toSorted());
  }
  const countsAfter = (await kernel.counters()).policies;
  for (const [uid, number] of numbers) {
    const count = (countsAfter.get(number)?.[PAL_C_MATCH] ?? 0n) - (countsBefore.get(number)?.[PAL_C_MATCH] ?? 0n);
    expect([uid, count]).toEqual([uid, BigInt(expected.reduce((sum, entry) => sum + (entry.matched.get(uid) ?? 0), 0))]);
  }
  return expected.reduce((sum, entry) => sum + [...entry.matched.values()].reduce((a, b) => a + b, 0), 0);
}

/** All that came, if fewer came than were wanted: then the comparison says which are missing. */
async function recordsOf(kernel: KernelUnderTest, wanted: number): Promise<readonly HookRecord[]> {
  return wanted === 0 ? [] : await kernel.records.atLeast(wanted).catch(() => kernel.records.hooks());
}

type Expectation = { readonly status: number; readonly events: readonly string[]; readonly matched: ReadonlyMap<string, number> };

function expectation(set: readonly LinkPolicy[], numbers: ReadonlyMap<string, number>, call: HookCall): Expectation {
  const verdicts: PolicyVerdict[] = [];
  const events: string[] = [];
  const matched = new Map<string, number>();
  for (const { ref, plan, mode } of set) {
    for (const [hookIndex, hook] of plan.hooks.entries()) {
      const verdict = evaluate(plan, hook, mode, call);
      verdicts.push(verdict);
      if (verdict.selector === null) continue;
      matched.set(ref.uid, (matched.get(ref.uid) ?? 0) + 1);
      if (verdict.post) events.push(`${numbers.get(ref.uid)} ${hookIndex} ${verdict.selector}`);
    }
  }
  const { errno, kill } = combine(verdicts);
  return { status: kill ? -SIGKILL : errno === null ? 0 : -errno, events, matched };
}

function eventKey(policy: number, selector: number): string {
  const { hookIndex, selectorIndex } = decodeSelector(selector);
  return `${policy} ${hookIndex} ${selectorIndex}`;
}

function actOf({ path, binary, uid, inPod }: RandomAct): Act {
  return { path, binary, uid, ...(inPod ? { cgroup: podCgroup } : {}) };
}

function callOf(kernel: KernelUnderTest, { path, binary, uid, inPod }: RandomAct): HookCall {
  const inodes = kernel.hello().hostNamespaces;
  const namespaces = byName(inodes);
  const all = (1n << 38n) - 1n;
  const workload: Workload = inPod ? { kind: 'pod', namespace: pod.namespace, labels: pod.labels } : { kind: 'host' };
  const held = uid === 0 ? all : 0n;
  return {
    args: [{ kind: 'bytes', value: Buffer.from(path) }],
    process: {
      binary: Buffer.from(binary),
      namespaces,
      hostNamespaces: namespaces,
      capabilities: { effective: held, permitted: held, inheritable: 0n },
      inHostUserNamespace: true,
      workload,
      exempt: false,
    },
  };
}

function byName(inodes: readonly number[]): Record<LinuxNamespace, number> {
  const inode = (name: LinuxNamespace): number => inodes[LINUX_NAMESPACES.indexOf(name)] ?? 0;
  return {
    uts: inode('uts'),
    ipc: inode('ipc'),
    mnt: inode('mnt'),
    pid: inode('pid'),
    pid_for_children: inode('pid_for_children'),
    net: inode('net'),
    time: inode('time'),
    time_for_children: inode('time_for_children'),
    cgroup: inode('cgroup'),
    user: inode('user'),
  };
}
