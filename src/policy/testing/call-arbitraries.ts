import fc from 'fast-check';
import type { CapabilitySets, HookCall, Lineage, NamespaceNumbers, ProcessFacts, Workload } from '../evaluate/event.ts';
import type { PlanHook } from '../plan.ts';
import { valueOf } from './argument-arbitraries.ts';

/** Small alphabets, so that policies and processes meet. */
export const BINARIES = ['/bin/nc', '/bin/sh', '/usr/bin/python3'] as const;
export const NAMESPACES = ['default', 'kube-system', 'team-a'] as const;
export const PIDS = [1, 42, 43] as const;
export const INODES = [7, 8, 9] as const;
export const CONTAINERS = [
  { name: 'main', repo: 'docker.io/library/nginx' },
  { name: 'sidecar', repo: 'quay.io/team/proxy' },
] as const;
export const LABELS: readonly Readonly<Record<string, string>>[] = [{}, { app: 'web' }, { app: 'db', tier: 'x' }];

const namespaceNumbers: fc.Arbitrary<NamespaceNumbers> = fc
  .tuple(fc.constantFrom(...INODES), fc.constantFrom(...INODES), fc.constantFrom(...INODES))
  .map(([mnt, pid, net]) => ({
    uts: 1,
    ipc: 1,
    mnt,
    pid,
    pid_for_children: pid,
    net,
    time: 0,
    time_for_children: 0,
    cgroup: 1,
    user: 1,
  }));

const capabilitySet = fc.constantFrom(0n, 1n, 3n, 8n, 15n, 1n << 21n);
const capabilities: fc.Arbitrary<CapabilitySets> = fc.record({
  effective: capabilitySet,
  permitted: capabilitySet,
  inheritable: capabilitySet,
});

const lineage: fc.Arbitrary<Lineage> = fc.record(
  {
    binary: fc.constantFrom(null, ...BINARIES, ...BINARIES).map((text) => (text === null ? null : Buffer.from(text))),
    pid: fc.constantFrom(...PIDS),
    nsPid: fc.constantFrom(null, ...PIDS),
    formerBinaries: fc.constantFrom(...BINARIES).map((text) => [Buffer.from(text)]),
  },
  { requiredKeys: ['binary'] },
);

export const workloadArbitrary: fc.Arbitrary<Workload> = fc.oneof(
  fc.constant<Workload>({ kind: 'host' }),
  fc.constant<Workload>({ kind: 'unknown' }),
  fc.record({ kind: fc.constant('pending' as const), namespace: fc.constantFrom(null, ...NAMESPACES) }),
  {
    weight: 4,
    arbitrary: fc.record(
      {
        kind: fc.constant('pod' as const),
        namespace: fc.constantFrom(...NAMESPACES),
        labels: fc.constantFrom(...LABELS),
        container: fc.constantFrom(...CONTAINERS),
      },
      { requiredKeys: ['kind', 'namespace', 'labels'] },
    ),
  },
);

export const processArbitrary: fc.Arbitrary<ProcessFacts> = fc
  .tuple(
    lineage,
    fc.record(
      {
        namespaces: namespaceNumbers,
        hostNamespaces: fc.option(namespaceNumbers, { nil: null, freq: 5 }),
        execNamespaces: namespaceNumbers,
        capabilities,
        execCapabilities: capabilities,
        inHostUserNamespace: fc.boolean(),
        workload: workloadArbitrary,
        exempt: fc.constantFrom(false, false, false, true),
        ancestors: fc.array(lineage, { maxLength: 3 }),
      },
      { requiredKeys: ['namespaces', 'hostNamespaces', 'capabilities', 'inHostUserNamespace', 'workload', 'exempt'] },
    ),
  )
  .map(([own, facts]) => ({ ...own, ...facts }));

/** Calls that fit a hook, and meet values of `specArbitrary`. */
export function callOf(hook: PlanHook): fc.Arbitrary<HookCall> {
  return fc.record({
    args: fc.tuple(...hook.args.map((arg) => valueOf(arg.type))),
    process: processArbitrary,
    timeMs: fc.nat({ max: 100_000 }),
  });
}
