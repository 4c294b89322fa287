/** Random policies over the whole language that share one attach point. */
import type { LabelSelector, Plan, PlanAction, PlanArg, PlanFilter, PlanHook, PlanScope, PlanSelector } from '../../policy/plan.ts';
import type { LinkPod, LinkPolicy } from '../link-input.ts';
import { memberQuery, type Prototype, type Prototypes } from '../prototype.ts';
import type { Random } from './random.ts';
import {
  argumentFilter,
  CAPABILITY_TYPES,
  INT_TYPES,
  POD_NAMESPACES,
  processFilter,
  SHOWN_TYPES,
  SOCKET_TYPES,
  TEXT_TYPES,
} from './random-filters.ts';

export const RANDOM_PODS: readonly LinkPod[] = [
  {
    uid: 'p1',
    namespace: 'default',
    labels: { app: 'a' },
    containers: [
      { id: 'c1', name: 'main', repo: 'docker.io/library/nginx' },
      { id: 'c2', name: 'side', repo: 'example.com/side' },
    ],
  },
  { uid: 'p2', namespace: 'default', labels: { app: 'b' } },
  { uid: 'p3', namespace: 'kube-system', labels: {}, containers: [{ id: 'c3', name: 'main', repo: 'example.com/side' }] },
];

/** Where `resolve` leads on the kernel of the tests. */
const MEMBERS: Readonly<Record<string, readonly number[]>> = {
  comm: [16],
  'mm.owner': [0x8000_0010, 32],
  'f_inode.i_ino': [0x8000_0020, 64],
};

export const RANDOM_PROTOTYPES: Prototypes = new Map(
  Object.entries(MEMBERS).flatMap(([path, steps]): [string, Prototype][] => {
    const prototype: Prototype = { kind: 'member', steps, bytes: 8, signed: false, type: 'ptr' };
    const origins = ['task', ...[0, 1, 2, 3, 4, 5].map((index) => `lsm:file_open#${index}`)];
    return origins.map((origin) => [`member ${origin} ${path}`, prototype]);
  }),
);

/** What an argument and its slot have in common. */
export function placeOf(arg: PlanArg, hook: PlanHook): string {
  if (arg.from === 'return') return 'return';
  const query = memberQuery(arg, hook);
  const prototype = query === null ? undefined : RANDOM_PROTOTYPES.get(query);
  const steps = prototype?.kind === 'member' ? prototype.steps : [];
  return `${arg.from === 'current_task' ? 'task' : `arg${arg.index}`}/${steps.join(',')}${arg.returnCopy === true ? '/copy' : ''}`;
}

const EVERY_ONE: LabelSelector = { matchLabels: {}, matchExpressions: [] };
const LABELLED: LabelSelector = { matchLabels: { app: 'a' }, matchExpressions: [] };
const OTHERS: LabelSelector = { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] };
const CONTAINER: LabelSelector = { matchLabels: { name: 'main' }, matchExpressions: [] };
const IMAGE: LabelSelector = { matchLabels: {}, matchExpressions: [{ key: 'repo', operator: 'NotIn', values: ['example.com/side'] }] };

/** `count` policies; their uids are `uid-0`, `uid-1` and so on. `salt` makes digests differ between sets. */
export function randomPolicies(random: Random, count: number, salt: string): readonly LinkPolicy[] {
  return Array.from({ length: count }, (_, i): LinkPolicy => {
    const plan = randomPlan(random);
    const { namespace } = plan.scope;
    const kind = namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced';
    const mode = random.oneIn(3) ? 'monitor' : 'enforce';
    return { ref: { kind, namespace, name: `p${i}`, uid: `uid-${i}`, generation: 1 }, digest: `${salt}/${i}`, plan, mode };
  });
}

function randomPlan(random: Random): Plan {
  const namespace = random.oneIn(4) ? random.pick(POD_NAMESPACES) : null;
  const hooks = Array.from({ length: random.oneIn(5) ? 2 : 1 }, (_, index) => randomHook(random, index));
  return {
    format: 1,
    scope: { ...randomScope(random), namespace },
    options: {
      onUnknown: random.pick(['match', 'nomatch', null, null]),
      onPending: namespace === null && random.oneIn(3) ? 'apply' : 'wait',
      substitute: 'none',
      eventRatePerSecond: 1000,
    },
    hooks,
  };
}

function randomScope(random: Random): Omit<PlanScope, 'namespace'> {
  const podSelector = random.oneIn(4) ? random.pick([EVERY_ONE, LABELLED, OTHERS]) : null;
  const containers = random.oneIn(8) ? { containerSelector: random.pick([EVERY_ONE, CONTAINER, IMAGE]) } : {};
  if (!random.oneIn(8)) return { podSelector, ...containers };
  return random.oneIn(2) ? { podSelector: null, host: 'only' } : { podSelector, ...containers, host: 'also' };
}

function randomHook(random: Random, index: number): PlanHook {
  const path = `spec.lsmhooks[${index}]`;
  const returns = random.oneIn(4);
  const args = randomArgs(random, returns);
  const atReturn = args.flatMap((arg, i) => (isReadAtReturn(arg) ? [i] : []));
  const atEntry = args.flatMap((arg, i) => (isReadAtReturn(arg) ? [] : [i]));
  const selectors = Array.from({ length: 1 + random.int(4) }, (_, i): PlanSelector => {
    const about = Array.from({ length: random.int(4) }, () =>
      random.oneIn(2) && atEntry.length > 0 ? argumentFilter(random, args, random.pick(atEntry)) : processFilter(random),
    );
    const ends = returns && random.oneIn(2) ? randomReturn(random, args, atReturn) : {};
    return {
      path: `${path}.selectors[${i}]`,
      filters: about.filter((filter): filter is PlanFilter => filter !== null),
      actions: randomActions(random, args, 'entry'),
      ...(random.oneIn(8) ? { workload: randomScope(random) } : {}),
      ...ends,
    };
  });
  return {
    kind: 'lsm',
    section: 'lsmhooks',
    index,
    path,
    target: 'file_open',
    syscall: false,
    ...(returns ? { returns } : {}),
    ...(returns && random.oneIn(4) && args.some((arg) => arg.from === 'return')
      ? { returnSocket: random.pick(['track', 'untrack'] as const) }
      : {}),
    message: '',
    tags: [],
    args,
    selectors,
  };
}

function isReadAtReturn(arg: PlanArg): boolean {
  return arg.from === 'return' || arg.returnCopy === true;
}

function randomReturn(random: Random, args: readonly PlanArg[], atReturn: readonly number[]): Partial<PlanSelector> {
  const filters = Array.from({ length: 1 + random.int(2) }, () =>
    atReturn.length === 0 ? null : argumentFilter(random, args, random.pick(atReturn)),
  ).filter((filter): filter is PlanFilter => filter !== null && filter.on !== 'cel' && filter.on !== 'gained');
  return {
    ...(filters.length === 0 ? {} : { returnFilters: filters }),
    ...(random.oneIn(2) ? { returnActions: randomActions(random, args, 'return') } : {}),
  };
}

function randomArgs(random: Random, returns: boolean): readonly PlanArg[] {
  const args: PlanArg[] = [];
  for (const index of random.some([0, 1, 2, 3, 4, 5], 5)) {
    const kinds = [TEXT_TYPES, TEXT_TYPES, INT_TYPES, INT_TYPES, SOCKET_TYPES, CAPABILITY_TYPES, SHOWN_TYPES];
    const type = random.pick(random.pick(kinds));
    const resolve = random.oneIn(6) && type !== 'nop' ? { resolve: random.pick(['f_inode.i_ino', 'mm.owner']).split('.') } : {};
    const copied = returns && (type === 'char_buf' || type === 'string') && random.oneIn(2) ? { returnCopy: true as const } : {};
    const sized = type === 'char_buf' ? { sizeIndex: 5 - index } : {};
    args.push({ index, type, label: '', ...resolve, ...copied, ...sized });
  }
  if (random.oneIn(5)) args.push({ index: 0, type: 'string', label: '', from: 'current_task', resolve: ['comm'] });
  if (returns) args.push({ index: 0, type: random.pick(['int32', 'int64', 'file', 'sock', 'string']), label: '', from: 'return' });
  return args;
}

function randomActions(random: Random, args: readonly PlanArg[], at: 'entry' | 'return'): readonly PlanAction[] {
  const arg = random.int(Math.max(1, args.length));
  const choices: readonly PlanAction[] = [
    { type: 'post' },
    { type: 'nopost' },
    { type: 'sigkill' },
    ...(at === 'entry' ? [-1, -13, -2, -5].map((errno): PlanAction => ({ type: 'override', errno })) : []),
    { type: 'signal', signal: 15 },
    { type: 'signal', signal: 10 },
    { type: 'post', rateLimitMs: 1000, rateLimitScope: 'process', kernelStack: true },
    ...(args.length === 0
      ? []
      : ([
          { type: 'track_sock', arg },
          { type: 'untrack_sock', arg },
          { type: 'set', arg, value: 7 },
        ] as const)),
    { type: 'notify_enforcer', errno: random.pick([0, -1]), signal: random.pick([0, 9]) },
    { type: 'cleanup_enforcer' },
    { type: 'get_url', url: 'http://example.com/' },
    { type: 'dns_lookup', name: 'example.com' },
    { type: 'set_registers', registers: ['rax=11'] },
  ];
  // Copies: the position of an action in its selector is told by its identity.
  return Array.from({ length: 1 + random.int(3) }, () => ({ ...random.pick(choices) }));
}
