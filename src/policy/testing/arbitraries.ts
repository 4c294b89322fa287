import fc from 'fast-check';
import { CAPABILITIES } from '../capabilities.ts';
import type { ArgValue, HookCall, ProcessFacts, Workload } from '../evaluate/event.ts';

/** Small alphabets, so that values of policies and of calls meet. */
export const PATHS = [
  '/etc/shadow',
  '/etc/passwd',
  '/etc/',
  '/etc',
  '/bin/nc',
  '/usr/bin/nc',
  '/tmp/a',
  '/tmp/a.conf',
  '.conf',
  'x',
] as const;
export const BINARIES = ['/bin/nc', '/bin/sh', '/usr/bin/python3'] as const;
export const NAMESPACES = ['default', 'kube-system', 'team-a'] as const;
export const INTEGERS = ['0', '1', '-1', '255', '4294967295', '0x10'] as const;

const valuesOf = <T>(choices: readonly T[]) => fc.uniqueArray(fc.constantFrom(...choices), { minLength: 1, maxLength: 3 });
const membership = fc.constantFrom('In', 'NotIn');
const actions = fc.oneof(
  fc.constant([{ action: 'Post' }]),
  fc.constant([{ action: 'NoPost' }]),
  fc.constant([{ action: 'Sigkill' }]),
  fc.constant([{ action: 'Override', argError: -1 }]),
  fc.constant([{ action: 'Override', argError: -13 }, { action: 'Sigkill' }]),
);

const argFilter = fc.oneof(
  fc.record({
    index: fc.constant(0),
    operator: fc.constantFrom('Equal', 'NotEqual', 'In', 'NotIn', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'),
    values: valuesOf(PATHS),
  }),
  fc.record({
    index: fc.constant(1),
    operator: fc.constantFrom('Equal', 'NotEqual', 'In', 'NotIn'),
    values: valuesOf(INTEGERS.filter((text) => text !== '4294967295')),
  }),
);

const selector = fc.record(
  {
    matchArgs: fc.array(argFilter, { maxLength: 3 }),
    matchBinaries: fc.array(fc.record({ operator: membership, values: valuesOf(BINARIES) }), { maxLength: 1 }),
    matchNamespaces: fc.array(
      fc.oneof(
        fc.record({ namespace: fc.constant('Pod'), operator: membership, values: valuesOf(NAMESPACES) }),
        fc.record({ namespace: fc.constantFrom('Mnt', 'Pid'), operator: membership, values: valuesOf(['host_ns', '7', '8']) }),
      ),
      { maxLength: 2 },
    ),
    matchCapabilities: fc.array(
      fc.record({
        type: fc.constantFrom('Effective', 'Permitted', 'Inheritable'),
        operator: membership,
        isNamespaceCapability: fc.boolean(),
        values: valuesOf(CAPABILITIES.slice(0, 4)),
      }),
      { maxLength: 1 },
    ),
    matchActions: actions,
  },
  { requiredKeys: [] },
);

const labels = fc.constantFrom({}, { app: 'web' }, { app: 'db' });

/** Specs that compile: one lsmhook that reads a file and an integer, with random selectors, scope and options. */
export const specArbitrary = fc.record(
  {
    lsmhooks: fc.array(
      fc.record({
        hook: fc.constantFrom('file_open', 'path_unlink'),
        args: fc.constant([
          { index: 0, type: 'file' },
          { index: 1, type: 'int' },
        ]),
        selectors: fc.array(selector, { maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    podSelector: fc.record({ matchLabels: labels }),
    options: fc
      .record({ unknown: fc.constantFrom('match', 'nomatch', ''), pending: fc.constantFrom('wait', 'apply', '') })
      .map(({ unknown, pending }) => [
        ...(unknown === '' ? [] : [{ name: 'palisade.dev/on-unknown', value: unknown }]),
        ...(pending === '' ? [] : [{ name: 'palisade.dev/on-pending', value: pending }]),
      ]),
  },
  { requiredKeys: ['lsmhooks'] },
);

const namespaceNumbers = fc.constantFrom(7, 8, 9).map((number) => ({
  uts: 1,
  ipc: 1,
  mnt: number,
  pid: number,
  pid_for_children: 1,
  net: 1,
  time: 0,
  time_for_children: 0,
  cgroup: 1,
  user: 1,
}));

const workload: fc.Arbitrary<Workload> = fc.oneof(
  fc.constant<Workload>({ kind: 'host' }),
  fc.constant<Workload>({ kind: 'unknown' }),
  fc.record({ kind: fc.constant('pending' as const), namespace: fc.constantFrom(null, ...NAMESPACES) }),
  fc.record({ kind: fc.constant('pod' as const), namespace: fc.constantFrom(...NAMESPACES), labels }),
);

const process: fc.Arbitrary<ProcessFacts> = fc.record({
  binary: fc.constantFrom(null, ...BINARIES).map((text) => (text === null ? null : Buffer.from(text))),
  namespaces: namespaceNumbers,
  hostNamespaces: fc.option(namespaceNumbers, { nil: null }),
  capabilities: fc.record({
    effective: fc.bigInt({ min: 0n, max: 15n }),
    permitted: fc.bigInt({ min: 0n, max: 15n }),
    inheritable: fc.bigInt({ min: 0n, max: 15n }),
  }),
  inHostUserNamespace: fc.boolean(),
  workload,
  exempt: fc.boolean(),
});

const unreadable = fc.constantFrom<ArgValue>({ kind: 'unknown' }, { kind: 'null' });

/** Calls that fit the hooks of `specArbitrary`. */
export const callArbitrary: fc.Arbitrary<HookCall> = fc.record({
  args: fc.tuple(
    fc.oneof(
      fc.constantFrom(...PATHS).map((text): ArgValue => ({ kind: 'bytes', value: Buffer.from(text) })),
      unreadable,
    ),
    fc.oneof(
      fc.constantFrom(0n, 1n, -1n, 255n, 16n).map((value): ArgValue => ({ kind: 'int', value })),
      unreadable,
    ),
  ),
  process,
});
