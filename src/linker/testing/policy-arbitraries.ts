/** Random sets of policies that share one hook, for comparing tables (and kernels) with the reference evaluator. */
import fc from 'fast-check';
import { digestOfPlan } from '../../policy/digest.ts';
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
} from '../../policy/plan.ts';
import type { LinkPolicy } from '../link-input.ts';
import { integerOf } from '../slot-type.ts';

/** In the order of the engine's numbers, PAL_NS_*. */
export const LINUX_NAMESPACES: readonly LinuxNamespace[] = [
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

/** What policies are made of: values are drawn from small sets, so that about a third of all filters match. */
export type PolicyAlphabet = {
  readonly args: fc.Arbitrary<readonly PlanArg[]>;
  readonly texts: readonly string[];
  readonly ints: readonly bigint[];
  readonly binaries: readonly string[];
  /** Kubernetes namespaces. */
  readonly podNamespaces: readonly string[];
  /** Filters that every selector has besides its own. */
  readonly always: readonly PlanFilter[];
  readonly maxPolicies: number;
};

const action: fc.Arbitrary<PlanAction> = fc.oneof(
  fc.constant<PlanAction>({ type: 'post' }),
  fc.constant<PlanAction>({ type: 'nopost' }),
  fc.constant<PlanAction>({ type: 'sigkill' }),
  fc.constantFrom(-1, -13, -2, -5).map((errno): PlanAction => ({ type: 'override', errno })),
);

export function policySets(alphabet: PolicyAlphabet): fc.Arbitrary<readonly LinkPolicy[]> {
  const entry = fc.record({ plan: planOf(alphabet), mode: fc.constantFrom<PolicyMode>('enforce', 'enforce', 'monitor') });
  return fc
    .array(entry, { minLength: 1, maxLength: alphabet.maxPolicies })
    .map((entries) => entries.map(({ plan, mode }, i) => policyOf(plan, mode, i)));
}

/** The value of a number as an argument of this type shows it. */
export function ofType(value: bigint, type: PlanArgType): bigint {
  const { bytes, signed } = integerOf(type) ?? { bytes: 8, signed: false };
  return signed ? BigInt.asIntN(8 * bytes, value) : BigInt.asUintN(8 * bytes, value);
}

function policyOf(plan: Plan, mode: PolicyMode, i: number): LinkPolicy {
  const { namespace } = plan.scope;
  const kind = namespace === null ? 'TracingPolicy' : 'TracingPolicyNamespaced';
  return { ref: { kind, namespace, name: `p${i}`, uid: `uid-${i}`, generation: 1 }, digest: digestOfPlan(plan), plan, mode };
}

function planOf(alphabet: PolicyAlphabet): fc.Arbitrary<Plan> {
  const everyPod = { matchLabels: {}, matchExpressions: [] };
  const somePods = { matchLabels: { app: 'a' }, matchExpressions: [] };
  return fc.record({
    format: fc.constant(1 as const),
    scope: fc.record({
      namespace: fc.option(fc.constantFrom(...alphabet.podNamespaces), { freq: 3 }),
      podSelector: fc.option(fc.constantFrom(everyPod, somePods), { freq: 2 }),
    }),
    options: fc.record({
      onUnknown: fc.constantFrom('match', 'nomatch', null),
      onPending: fc.constantFrom('wait', 'apply'),
      substitute: fc.constant('none' as const),
      eventRatePerSecond: fc.constant(1000),
    }),
    hooks: fc.oneof(
      { weight: 4, arbitrary: hookOf(alphabet, 0).map((hook) => [hook]) },
      fc.tuple(hookOf(alphabet, 0), hookOf(alphabet, 1)),
    ),
  });
}

function hookOf(alphabet: PolicyAlphabet, index: number): fc.Arbitrary<PlanHook> {
  const path = `spec.lsmhooks[${index}]`;
  return alphabet.args.chain((args) => {
    const selector = fc.record({
      filters: fc.array(filterOn(alphabet, args), { maxLength: 4 }).map((filters) => [...alphabet.always, ...filters]),
      actions: fc.array(action, { minLength: 1, maxLength: 3 }),
    });
    return fc.array(selector, { minLength: 1, maxLength: 5 }).map((selectors) => ({
      kind: 'lsm' as const,
      section: 'lsmhooks' as const,
      index,
      path,
      target: 'file_open',
      syscall: false,
      message: '',
      tags: [],
      args,
      selectors: selectors.map((entry, i): PlanSelector => ({ path: `${path}.selectors[${i}]`, ...entry })),
    }));
  });
}

function filterOn(alphabet: PolicyAlphabet, args: readonly PlanArg[]): fc.Arbitrary<PlanFilter> {
  return fc.oneof(
    ...args.map((arg, position) => ({ weight: 3, arbitrary: argFilter(alphabet, arg, position) })),
    fc.record({ on: fc.constant('binary' as const), operator: fc.constantFrom('In', 'NotIn'), values: some(alphabet.binaries) }),
    fc.record({
      on: fc.constant('namespace' as const),
      namespace: fc.constantFrom(...LINUX_NAMESPACES),
      operator: fc.constantFrom('In', 'NotIn'),
      values: some(['host_ns', '1', '2']),
    }),
    fc.record({ on: fc.constant('podNamespace' as const), operator: fc.constantFrom('In', 'NotIn'), values: some(alphabet.podNamespaces) }),
    fc.record({
      on: fc.constant('capability' as const),
      set: fc.constantFrom('effective', 'permitted', 'inheritable'),
      operator: fc.constantFrom('In', 'NotIn'),
      mask: fc.constantFrom('1', '2', '3', '2097152'),
      isNamespaceCapability: fc.boolean(),
    }),
  );
}

function argFilter(alphabet: PolicyAlphabet, arg: PlanArg, position: number): fc.Arbitrary<PlanFilter> {
  if (/int/.test(arg.type)) {
    return fc.record({
      on: fc.constant('int' as const),
      arg: fc.constant(position),
      operator: fc.constantFrom('Equal', 'NotEqual'),
      values: some(alphabet.ints).map((values) => values.map((value) => String(ofType(value, arg.type)))),
    });
  }
  return fc.record({
    on: fc.constant('bytes' as const),
    arg: fc.constant(position),
    operator: fc.constantFrom('Equal', 'NotEqual', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'),
    values: some(alphabet.texts.filter((text) => Buffer.byteLength(text) <= 248)),
  });
}

function some<T>(values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 4 });
}
