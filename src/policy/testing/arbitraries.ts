/** Random policies over the whole language, as specs that compile; calls for them are in `call-arbitraries.ts`. */
import fc from 'fast-check';
import { CAPABILITIES } from '../capabilities.ts';
import type { ArgTypeName } from '../schema/arguments.ts';
import { filterOn, filterOnAll, someOf } from './argument-arbitraries.ts';
import { BINARIES, INODES, NAMESPACES, PIDS } from './call-arbitraries.ts';

/** Part of a spec. */
type Part = Readonly<Record<string, unknown>>;

/** A member that is there once in `of` times. */
function sometimes(of: number, name: string, value: fc.Arbitrary<unknown>): fc.Arbitrary<Part> {
  return fc.oneof({ weight: of - 1, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: value.map((each) => ({ [name]: each })) });
}

function merged(...parts: readonly fc.Arbitrary<Part>[]): fc.Arbitrary<Part> {
  return fc.tuple(...parts).map((each): Part => Object.assign({}, ...each));
}

const membership = fc.constantFrom('In', 'NotIn');

const binaries = fc.array(
  fc.oneof(
    fc.record({ operator: membership, values: someOf(BINARIES), followChildren: fc.boolean() }),
    fc.record({ operator: fc.constantFrom('Prefix', 'NotPrefix'), values: someOf(['/bin/', '/usr', '/bin/sh']) }),
    fc.record({ operator: fc.constantFrom('Postfix', 'NotPostfix'), values: someOf(['sh', '3', '/nc']) }),
  ),
  { minLength: 1, maxLength: 1 },
);

const pids = fc.record({
  operator: membership,
  values: someOf(PIDS),
  isNamespacePID: fc.boolean(),
  followForks: fc.boolean(),
});

const namespaces = fc.oneof(
  fc.record({ namespace: fc.constant('Pod'), operator: membership, values: someOf(NAMESPACES) }),
  fc.record({
    namespace: fc.constantFrom('Mnt', 'Pid', 'Net'),
    operator: membership,
    values: someOf(['host_ns', ...INODES.map(String)]),
  }),
);

const capabilities = fc.record({
  type: fc.constantFrom('Effective', 'Permitted', 'Inheritable'),
  operator: membership,
  isNamespaceCapability: fc.boolean(),
  values: someOf(CAPABILITIES.slice(0, 5)),
});

const podSelector = fc.constantFrom<Part>(
  {},
  { matchLabels: { app: 'web' } },
  { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] },
  { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'default' } },
);
const containerSelector = fc.constantFrom<Part>(
  {},
  { matchLabels: { name: 'main' } },
  { matchExpressions: [{ key: 'repo', operator: 'In', values: ['docker.io/library/nginx'] }] },
);

const list = (entry: fc.Arbitrary<unknown>): fc.Arbitrary<unknown[]> => fc.array(entry, { minLength: 1, maxLength: 2 });

/** Everything of a selector that is about the process. */
const aboutProcess = merged(
  sometimes(4, 'matchBinaries', binaries),
  sometimes(12, 'matchParentBinaries', binaries),
  sometimes(8, 'matchPIDs', list(pids)),
  sometimes(5, 'matchNamespaces', list(namespaces)),
  sometimes(6, 'matchCapabilities', list(capabilities)),
  sometimes(12, 'matchNamespaceChanges', list(fc.record({ operator: membership, values: someOf(['Mnt', 'Net', 'Uts']) }))),
  sometimes(12, 'matchCapabilityChanges', list(capabilities)),
  sometimes(8, 'label', fc.constant('one')),
);

const NO_ACTION: readonly (readonly Part[])[] = [[], [{ action: 'Post' }], [{ action: 'NoPost' }]];
const LIMITED: readonly (readonly Part[])[] = [[{ action: 'Post', rateLimit: '1m', rateLimitScope: 'process' }]];
const SIGNALS: readonly (readonly Part[])[] = [
  [{ action: 'Sigkill' }],
  [{ action: 'Signal', argSig: 15 }],
  [{ action: 'NoPost' }, { action: 'Signal', argSig: 1 }],
];
const DENIALS: readonly (readonly Part[])[] = [
  [{ action: 'Override', argError: -1 }],
  [{ action: 'Override', argError: -13 }, { action: 'Sigkill' }],
  [
    { action: 'Override', argError: -5 },
    { action: 'Signal', argSig: 15 },
  ],
];
const NOTIFICATIONS: readonly (readonly Part[])[] = [
  [{ action: 'NotifyEnforcer', argError: -1 }],
  [{ action: 'NotifyEnforcer', argSig: 9 }],
  [{ action: 'NotifyEnforcer', argError: -1, argSig: 9 }],
  [{ action: 'CleanupEnforcerNotification' }],
];

const NUMBER_TYPES = ['int', 'int8', 'uint16', 'uint32', 'int64', 'size_t'] as const satisfies readonly ArgTypeName[];
const KERNEL_TYPES = [
  ...NUMBER_TYPES,
  'string',
  'filename',
  'file',
  'file',
  'path',
  'dentry',
  'fd',
  'linux_binprm',
  'kiocb',
  'char_buf',
  'iov_iter',
  'net_device',
  'sockaddr_un',
  'sock',
  'sock',
  'socket',
  'skb',
  'sockaddr',
  'kernel_cap_t',
  'kernel_cap_t',
  'cap_effective',
  'cap_permitted',
  'capability',
  'bpf_cmd',
  'cred',
  'nop',
] as const satisfies readonly ArgTypeName[];

/** What hooks of one kind can read and do, and what a spec says of them besides. */
type HookFamily = {
  readonly section: string;
  readonly types: readonly ArgTypeName[];
  readonly actions: readonly (readonly Part[])[];
  readonly head: fc.Arbitrary<Part>;
  /** `data` and `return` are possible. */
  readonly extras: readonly ('data' | 'return')[];
};

const SECURITY_KPROBE: HookFamily = {
  section: 'kprobes',
  types: KERNEL_TYPES,
  actions: [...NO_ACTION, ...LIMITED, ...SIGNALS, ...DENIALS],
  head: fc.constantFrom('security_file_open', 'security_mmap_file').map((call) => ({ call, syscall: false })),
  extras: ['data', 'return'],
};
const LSM_HOOK: HookFamily = {
  section: 'lsmhooks',
  types: KERNEL_TYPES,
  actions: [...NO_ACTION, ...LIMITED, ...SIGNALS, ...DENIALS],
  head: fc.constantFrom('file_open', 'path_unlink').map((hook) => ({ hook })),
  extras: [],
};
const TRACEPOINT: HookFamily = {
  section: 'tracepoints',
  types: [...NUMBER_TYPES, 'string', 'data_loc', 'syscall64', 'sock', 'auto', 'auto'],
  actions: [...NO_ACTION, ...LIMITED, ...SIGNALS],
  head: fc.constant({ subsystem: 'raw_syscalls', event: 'sys_enter' }),
  extras: [],
};
const FENTRY: HookFamily = {
  section: 'fentries',
  types: KERNEL_TYPES,
  actions: [...NO_ACTION, ...LIMITED],
  head: fc.constant({ call: 'tcp_connect', syscall: false }),
  extras: ['data', 'return'],
};
const UPROBE: HookFamily = {
  section: 'uprobes',
  types: [...NUMBER_TYPES, 'string'],
  actions: [...NO_ACTION, ...SIGNALS, [{ action: 'Override', argError: 7 }], [{ action: 'Override', argRegs: ['rax=1'] }]],
  head: fc.constant({ path: '/bin/bash', symbols: ['readline'] }),
  extras: ['return'],
};
const ENFORCER_TRACEPOINT: HookFamily = { ...TRACEPOINT, actions: [...TRACEPOINT.actions, ...NOTIFICATIONS] };

/** A hook of this kind, as an entry of its section. */
function hookOf(family: HookFamily): fc.Arbitrary<Part> {
  const types = fc.array(fc.constantFrom(...family.types), { minLength: 1, maxLength: 3 });
  const hasData = family.extras.includes('data') ? fc.boolean() : fc.constant(false);
  const returns = family.extras.includes('return') ? fc.boolean() : fc.constant(false);
  return fc.tuple(types, hasData, returns).chain(([names, withData, withReturn]) =>
    merged(
      family.head,
      fc.constant({ args: names.map((type, index) => (type === 'char_buf' ? { index, type, sizeArgIndex: 2 } : { index, type })) }),
      fc.constant(withData ? { data: [{ index: 0, type: 'int', source: 'current_task', resolve: 'tgid' }] } : {}),
      fc.constant(withReturn ? { return: true, returnArg: { index: 0, type: 'int' } } : {}),
      fc.array(selectorOf(family, names, withData, withReturn), { maxLength: 4 }).map((selectors) => ({ selectors })),
    ),
  );
}

function selectorOf(family: HookFamily, names: readonly ArgTypeName[], withData: boolean, withReturn: boolean): fc.Arbitrary<Part> {
  const onArgs = [...names.flatMap((name, index) => filterOn(index, name)), ...filterOnAll(names), ...filterOnAll(names)];
  const onNumber = fc.oneof(...filterOn(0, 'int'));
  return merged(
    aboutProcess,
    onArgs.length === 0 ? fc.constant({}) : fc.array(fc.oneof(...onArgs), { maxLength: 2 }).map((matchArgs) => ({ matchArgs })),
    withData ? sometimes(3, 'matchData', list(onNumber)) : fc.constant({}),
    withReturn ? sometimes(2, 'matchReturnArgs', list(onNumber)) : fc.constant({}),
    withReturn
      ? sometimes(3, 'matchReturnActions', fc.constantFrom(...NO_ACTION, ...(family.section === 'fentries' ? [] : SIGNALS)))
      : fc.constant({}),
    fc.constantFrom(...family.actions).map((matchActions) => ({ matchActions })),
    sometimes(8, 'matchWorkloads', merged(sometimes(2, 'podSelector', podSelector), sometimes(2, 'containerSelector', containerSelector))),
  );
}

function sectionsOf(families: readonly HookFamily[]): fc.Arbitrary<Part> {
  const hooks = fc
    .constantFrom(...families)
    .chain((family) => fc.array(hookOf(family), { minLength: 1, maxLength: 2 }).map((entries): Part => ({ [family.section]: entries })));
  return merged(hooks);
}

const onUnknown = fc.constantFrom('match', 'nomatch').map((value) => [{ name: 'palisade.dev/on-unknown', value }]);
const onPending = fc.constantFrom('wait', 'apply').map((value) => [{ name: 'palisade.dev/on-pending', value }]);

const scope = merged(sometimes(4, 'podSelector', podSelector), sometimes(5, 'containerSelector', containerSelector));

const enforcing = fc.constantFrom<Part>({ enforcers: [{ calls: ['sys_openat', 'sys_dup'] }] });

/** Specs of the cluster kind that compile. */
export const specArbitrary: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 8,
    arbitrary: merged(
      sectionsOf([LSM_HOOK, LSM_HOOK, SECURITY_KPROBE, SECURITY_KPROBE, TRACEPOINT, FENTRY, UPROBE]),
      scope,
      sometimes(6, 'hostSelector', fc.constant({})),
      fc.oneof(
        { weight: 2, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.oneof(onUnknown, onPending).map((options) => ({ options })) },
        { weight: 1, arbitrary: fc.tuple(onUnknown, onPending).map((options) => ({ options: options.flat() })) },
      ),
    ),
  },
  { weight: 1, arbitrary: merged(sectionsOf([ENFORCER_TRACEPOINT]), enforcing, scope) },
);

/** Specs of the namespaced kind that compile. */
export const namespacedSpecArbitrary: fc.Arbitrary<Part> = merged(
  sectionsOf([LSM_HOOK, SECURITY_KPROBE, TRACEPOINT, FENTRY]),
  scope,
  sometimes(3, 'options', onUnknown),
);
