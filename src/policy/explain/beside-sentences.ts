import { effectOf, isDenying, isEnforcing } from '../effect.ts';
import { isInScope } from '../evaluate/scope.ts';
import type { LabelSelector, Plan, PlanAction, PlanScope, PlanSelector, PolicyMode } from '../plan.ts';
import { andList, many, shortened } from './words.ts';

/** What is true for all hooks. */
export function besideSentences(plan: Plan, mode: PolicyMode): readonly string[] {
  const { options, enforcer, loader } = plan;
  return [
    ...(mode === 'monitor'
      ? ['monitor mode: nothing is denied, killed or changed; what would have been is counted, and told by events']
      : []),
    ...(loader === true ? ['every program and library that any process maps is reported, with its build id'] : []),
    ...(enforcer === undefined
      ? []
      : [`the enforcer can act in ${many(enforcer.calls.length, 'call')}: ${andList(shortened(enforcer.calls))}`]),
    ...(allActions(plan).some((actions) => isEnforcing(effectOf(actions))) ? [EXEMPT] : []),
    unknownSentence(plan),
    ...pendingSentences(plan),
    ...(options.substitute === 'kill' ? [substituteSentence(options)] : []),
    ...(options.overrideMethod === undefined
      ? []
      : [`calls are denied by ${options.overrideMethod === 'fmod_ret' ? 'fmod_ret' : 'bpf_override_return'} only`]),
    `at most ${options.eventRatePerSecond} events a second for each pod; more are counted, not sent`,
  ];
}

/** When a function is entered, and when it returns. */
export function allActions({ hooks }: Plan): readonly (readonly PlanAction[])[] {
  return hooks.flatMap(({ selectors }) => selectors.flatMap(({ actions, returnActions = [] }) => [actions, returnActions]));
}

const EXEMPT =
  'pid 1, the kubelet and the container runtime (outside of pods) and Palisade itself are exempt: nothing is denied to them, and none is killed';

const UNKNOWN = 'a value that cannot be read (a path that is too long, memory that is not there)';

function unknownSentence(plan: Plan): string {
  const effects = allActions(plan).map(effectOf);
  const denies = effects.some(isDenying);
  const spares = effects.some((effect) => isDenying(effect) && (effect.kill || effect.signal !== null || (effect.notify?.signal ?? 0) > 0));
  const mildly = spares ? '; a rule that denies sends no signal then, and does not kill' : '';
  switch (plan.options.onUnknown) {
    case 'match':
      return `${UNKNOWN} fulfils every condition on it${mildly}`;
    case 'nomatch':
      return `${UNKNOWN} does not fulfil any condition on it`;
    case null:
      return denies
        ? `${UNKNOWN} fulfils the conditions of rules that deny, and of no others${mildly}`
        : `${UNKNOWN} does not fulfil the conditions on it`;
  }
}

/** A kill by a value that nobody could read would hit by accident: the default is another than for what it stands in for. */
function substituteSentence({ onUnknown }: Plan['options']): string {
  const unknown = onUnknown === null ? ', but not for a value that cannot be read' : '';
  return `where a kernel cannot deny, the process is killed instead${unknown}, and the status says so`;
}

/** What is done in a container while nobody knows its pod; rules of which the same is true are told together. */
function pendingSentences(plan: Plan): readonly string[] {
  const told = plan.hooks.flatMap(({ selectors }) =>
    selectors.flatMap((selector) => {
      const sentence = pendingSentence(plan, selector);
      return sentence === null ? [] : [{ path: selector.path, sentence }];
    }),
  );
  const groups = [...Map.groupBy(told, ({ sentence }) => sentence)];
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return [only[0]];
  return groups.map(([sentence, rules]) => `${andList(shortened([...new Set(rules.map(({ path }) => path))]))}: ${sentence}`);
}

/** Null: the rule does not ask for pods. */
function pendingSentence(plan: Plan, selector: PlanSelector): string | null {
  const scopes: readonly Omit<PlanScope, 'namespace'>[] = [plan.scope, ...(selector.workload === undefined ? [] : [selector.workload])];
  const asksForNamespace = plan.scope.namespace !== null || selector.filters.some(({ on }) => on === 'podNamespace');
  const asksForPods = scopes.some(({ podSelector, containerSelector }) => podSelector !== null || containerSelector !== undefined);
  if (scopes.some(({ host }) => host === 'only') || (!asksForNamespace && !asksForPods)) return null;
  if (isInScope({ ...plan, options: { ...plan.options, onPending: 'wait' } }, selector, PENDING)) {
    return 'this holds in containers whose pod is not known yet as well';
  }
  if (isInScope(plan, selector, PENDING)) return 'while the pod of a container is not known yet, this holds there, whatever pod it will be';
  const asksForMore = scopes.some(({ podSelector, containerSelector }) => isNarrow(podSelector) || isNarrow(containerSelector));
  return `while the ${asksForMore ? 'pod' : 'Kubernetes namespace'} of a container is not known yet, nothing is done there`;
}

const PENDING = { kind: 'pending', namespace: null } as const;

function isNarrow(selector: LabelSelector | null | undefined): boolean {
  return (
    selector !== null && selector !== undefined && (Object.keys(selector.matchLabels).length > 0 || selector.matchExpressions.length > 0)
  );
}
