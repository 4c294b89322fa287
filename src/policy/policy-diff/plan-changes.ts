import { actionWords } from './action-words.ts';
import { filterClause } from '../explain/filter-clauses.ts';
import { scopeSentences, workloadClause } from '../explain/scope-sentences.ts';
import { placeName } from '../explain/value-names.ts';
import { orQuoted, shortened } from '../explain/words.ts';
import type { LabelSelector, Plan, PlanAction, PlanFilter, PlanHook, PlanSelector, PolicyMode } from '../plan.ts';
import { quote } from '../problem.ts';
import { hookName, hookNames } from '../policy-tests/hook-names.ts';

export type ComparedPolicy = { readonly plan: Plan; readonly mode: PolicyMode; readonly nodeSelector: LabelSelector | null };

export type PlanChange = {
  /** `spec.lsmhooks[0].selectors[1]`, in the policy where it is; `spec`. */
  readonly path: string;
  /** Without a full stop. */
  readonly sentence: string;
  /**
   * A search over calls can tell whether it matters. What it cannot see (rates, contents of events, nodes, how a hook is attached) is a
   * difference in any case.
   */
  readonly isSearchable: boolean;
};

const unnamed = (): undefined => undefined;

/** What is written differently, in sentences. */
export function planChanges(before: ComparedPolicy, after: ComparedPolicy): readonly PlanChange[] {
  return [
    ...(before.mode === after.mode ? [] : [changed('spec', `the mode is ${after.mode}, was ${before.mode}`)]),
    ...scopeChanges(before, after),
    ...optionChanges(before.plan, after.plan),
    ...hookChanges(before.plan.hooks, after.plan.hooks),
    ...loaderChanges(before.plan, after.plan),
    ...enforcerChanges(before.plan, after.plan),
  ];
}

function changed(path: string, sentence: string): PlanChange {
  return { path, sentence, isSearchable: true };
}

function unseen(path: string, sentence: string): PlanChange {
  return { path, sentence, isSearchable: false };
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function scopeChanges(before: ComparedPolicy, after: ComparedPolicy): readonly PlanChange[] {
  const [was, is] = [before, after].map(({ plan }) => scopeSentences(plan.scope, null).join(', '));
  const [nodesWere, nodesAre] = [before, after].map(({ plan, nodeSelector }) => scopeSentences(plan.scope, nodeSelector).join(', '));
  return [
    ...(isSame(before.plan.scope, after.plan.scope) ? [] : [changed('spec', `it is about: ${is}; was about: ${was}`)]),
    ...(isSame(before.nodeSelector, after.nodeSelector)
      ? []
      : [unseen('spec.nodeSelector', `it runs for: ${nodesAre}; ran for: ${nodesWere}`)]),
  ];
}

function optionChanges({ options: was }: Plan, { options: is }: Plan): readonly PlanChange[] {
  const names = [...new Set([...keysOf(was), ...keysOf(is)])];
  return names
    .filter((name) => was[name] !== is[name])
    .map((name) => {
      const text = (value: string | number | boolean | null | undefined): string => String(value ?? 'the default');
      const sentence = `${OPTIONS[name]} is ${text(is[name])}, was ${text(was[name])}`;
      return { path: 'spec.options', sentence, isSearchable: name === 'onUnknown' || name === 'onPending' };
    });
}

const OPTIONS: Readonly<Record<keyof Plan['options'], string>> = {
  onUnknown: 'palisade.dev/on-unknown',
  onPending: 'palisade.dev/on-pending',
  substitute: 'palisade.dev/substitute',
  eventRatePerSecond: 'palisade.dev/event-rate (per second)',
  overrideMethod: 'override-method',
  singleKprobes: 'disable-kprobe-multi',
  singleUprobes: 'disable-uprobe-multi',
  sleepablePreloadEntries: 'sleepable-preload-size',
};

function keysOf(options: Plan['options']): readonly (keyof Plan['options'])[] {
  return Object.keys(options).filter((name): name is keyof Plan['options'] => Object.hasOwn(OPTIONS, name));
}

/** Hooks of the same name are pairs, in their order. */
function hookChanges(before: readonly PlanHook[], after: readonly PlanHook[]): readonly PlanChange[] {
  const left = Map.groupBy(before, fileOrName);
  const right = Map.groupBy(after, fileOrName);
  const names = [...new Set([...left.keys(), ...right.keys()])];
  const changes = names.flatMap((name) => {
    const was = left.get(name) ?? [];
    const is = right.get(name) ?? [];
    return Array.from({ length: Math.max(was.length, is.length) }, (_, at) => oneHookChanges(was[at], is[at])).flat();
  });
  // Functions of a list have the same changes each.
  const known = new Set<string>();
  return changes.filter(({ path, sentence }) => !known.has(`${path} ${sentence}`) && known.add(`${path} ${sentence}`));
}

/** A hook in a program can have several places, and as many names. */
function fileOrName(hook: PlanHook): string {
  return hook.kind === 'uprobe' ? `uprobe:${hook.user?.file ?? hook.target}` : hookName(hook);
}

function oneHookChanges(was: PlanHook | undefined, is: PlanHook | undefined): readonly PlanChange[] {
  if (was === undefined) return is === undefined ? [] : [changed(is.path, `${namesOf(is)} is watched, was not`)];
  if (is === undefined) return [changed(was.path, `${namesOf(was)} is no longer watched`)];
  const name = namesOf(is);
  const reading = isSame(was.args, is.args) ? [] : [unseen(is.path, `${name} reads ${argumentList(is)}; read ${argumentList(was)}`)];
  return [
    ...(was.message === is.message ? [] : [changed(is.path, `the message is ${quote(is.message)}, was ${quote(was.message)}`)]),
    ...(isSame(was.tags, is.tags)
      ? []
      : [unseen(is.path, `the tags are ${orQuoted(is.tags) || 'none'}, were ${orQuoted(was.tags) || 'none'}`)]),
    ...reading,
    ...otherHookChanges(name, was, is),
    ...selectorChanges(was, is),
  ];
}

function namesOf(hook: PlanHook): string {
  return shortened(hookNames(hook)).join(', ');
}

function argumentList(hook: PlanHook): string {
  const names = hook.args.map((arg) => `${placeName(hook, arg, unnamed)} as ${arg.type}`);
  return names.length === 0 ? 'nothing' : shortened(names).join(', ');
}

const ATTACHMENT = ['syscall', 'ignoreMissing', 'returns', 'returnSocket', 'generated', 'user'] as const;

function otherHookChanges(name: string, was: PlanHook, is: PlanHook): readonly PlanChange[] {
  return ATTACHMENT.filter((field) => !isSame(was[field], is[field])).map((field) => {
    const text = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value).slice(0, 200));
    return unseen(is.path, `${WORDS[field]} of ${name} is ${text(is[field])}, was ${text(was[field])}`);
  });
}

const WORDS: Readonly<Record<(typeof ATTACHMENT)[number], string>> = {
  syscall: 'syscall',
  ignoreMissing: 'ignore.callNotFound',
  returns: 'return',
  returnSocket: 'returnArgAction',
  generated: 'the list',
  user: 'the place in the program',
};

/** Everything of a selector but where it stands. */
export function meaningOfSelector(selector: PlanSelector): string {
  const { path: _, ...meaning } = selector;
  return JSON.stringify(meaning);
}

function selectorChanges(was: PlanHook, is: PlanHook): readonly PlanChange[] {
  const left = was.selectors.map(meaningOfSelector);
  const right = is.selectors.map(meaningOfSelector);
  if (isSame(left, right)) return [];
  if (isSame(left.toSorted(), right.toSorted()))
    return [changed(is.path, 'the selectors are in another order: the first that matches acts')];
  // What is the same at the beginning and at the end is left out; the rest is compared in order.
  let start = 0;
  while (start < Math.min(left.length, right.length) && left[start] === right[start]) start += 1;
  let tail = 0;
  while (tail < Math.min(left.length, right.length) - start && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  const old = was.selectors.slice(start, was.selectors.length - tail);
  const current = is.selectors.slice(start, is.selectors.length - tail);
  return Array.from({ length: Math.max(old.length, current.length) }, (_, at) => {
    const [a, b] = [old[at], current[at]];
    if (a === undefined && b !== undefined) return [changed(b.path, `is new: ${selectorWords(is, b)}`)];
    if (a !== undefined && b === undefined) return [changed(a.path, `is gone: ${selectorWords(was, a)}`)];
    return a === undefined || b === undefined ? [] : oneSelectorChanges(was, a, is, b);
  }).flat();
}

function selectorWords(hook: PlanHook, { filters, actions }: PlanSelector): string {
  const when =
    filters.length === 0 ? 'always' : `if ${shortened(filters.map((filter) => filterClause(hook, filter, unnamed))).join(', and ')}`;
  return `${actionWords(actions)}, ${when}`;
}

function oneSelectorChanges(hook: PlanHook, was: PlanSelector, isHook: PlanHook, is: PlanSelector): readonly PlanChange[] {
  const { path } = is;
  const workload = (selector: PlanSelector): string =>
    selector.workload === undefined ? 'any workload' : workloadClause(selector.workload);
  const actions = (list: PlanSelector['actions'] | undefined): string => (list === undefined ? 'nothing of its own' : actionWords(list));
  return [
    ...filterChanges(path, hook, was.filters, isHook, is.filters),
    ...filterChanges(`${path} at return`, hook, was.returnFilters ?? [], isHook, is.returnFilters ?? []),
    ...(isSame(was.workload, is.workload) ? [] : [changed(path, `is for ${workload(is)}, was for ${workload(was)}`)]),
    ...actionChanges(path, was.actions, is.actions, actions),
    ...actionChanges(`${path} at return`, was.returnActions, is.returnActions, actions),
    ...(was.label === is.label ? [] : [unseen(path, `is called ${quote(is.label ?? '')} in statistics, was ${quote(was.label ?? '')}`)]),
  ];
}

type Actions = PlanSelector['actions'] | undefined;

function actionChanges(path: string, was: Actions, is: Actions, words: (list: Actions) => string): readonly PlanChange[] {
  if (isSame(was, is)) return [];
  const isSearchable = !isSame(was?.map(seenOf), is?.map(seenOf));
  // Rates and what an event carries have no words.
  if (words(was) === words(is)) return [unseen(path, `does otherwise: ${JSON.stringify(is)}; did ${JSON.stringify(was)}`)];
  return [{ path, sentence: `does ${words(is)}; did ${words(was)}`, isSearchable }];
}

/** What a single call shows of an action: that a page is fetched, not which. */
function seenOf(action: PlanAction): unknown {
  switch (action.type) {
    case 'signal':
    case 'override':
    case 'notify_enforcer':
      return action;
    default:
      return action.type;
  }
}

/** Filters on the same thing are pairs; with the same operator only their values are told. */
function filterChanges(
  path: string,
  was: PlanHook,
  before: readonly PlanFilter[],
  is: PlanHook,
  after: readonly PlanFilter[],
): readonly PlanChange[] {
  const gone = before.filter((one) => !after.some((other) => isSame(one, other)));
  const added = after.filter((one) => !before.some((other) => isSame(one, other)));
  const paired = new Set<PlanFilter>();
  const changes = gone.map((one) => {
    const twins = added.filter((other) => !paired.has(other) && isSame(aboutOf(one), aboutOf(other)));
    const twin = twins.find((other) => operatorOf(other) === operatorOf(one)) ?? twins[0];
    if (twin === undefined) return changed(path, `no longer demands that ${filterClause(was, one, unnamed)}`);
    paired.add(twin);
    const values = operatorOf(one) === operatorOf(twin) ? valueChanges(one, twin) : undefined;
    return changed(
      path,
      values === undefined
        ? `demands that ${filterClause(is, twin, unnamed)}; demanded that ${filterClause(was, one, unnamed)}`
        : `${values}: ${filterClause(is, twin, unnamed)}`,
    );
  });
  const fresh = added.filter((one) => !paired.has(one)).map((one) => changed(path, `demands also that ${filterClause(is, one, unnamed)}`));
  return [...changes, ...fresh];
}

/** What of the call a filter looks at. */
function aboutOf(filter: PlanFilter): unknown {
  const about: Record<string, unknown> = { ...filter };
  for (const field of ['operator', 'values', 'ranges', 'mask', 'namespaces', 'expression']) delete about[field];
  return about;
}

function operatorOf(filter: PlanFilter): string {
  return 'operator' in filter ? filter.operator : '';
}

function valueChanges(was: PlanFilter, is: PlanFilter): string | undefined {
  if (!('values' in was) || !('values' in is)) return undefined;
  const before = new Set<string>(was.values);
  const after = new Set<string>(is.values);
  const more = [...after].filter((value) => !before.has(value));
  const less = [...before].filter((value) => !after.has(value));
  const parts = [
    ...(more.length === 0 ? [] : [`${shortened(more.map(quote)).join(', ')} ${more.length === 1 ? 'is' : 'are'} added`]),
    ...(less.length === 0 ? [] : [`${shortened(less.map(quote)).join(', ')} ${less.length === 1 ? 'is' : 'are'} gone`]),
  ];
  return parts.join(', ');
}

function loaderChanges({ loader: was }: Plan, { loader: is }: Plan): readonly PlanChange[] {
  return was === is
    ? []
    : [unseen('spec.loader', is === true ? 'executable mappings are reported' : 'executable mappings are no longer reported')];
}

function enforcerChanges({ enforcer: was }: Plan, { enforcer: is }: Plan): readonly PlanChange[] {
  if (isSame(was?.calls, is?.calls)) return [];
  const list = (calls: readonly string[] | undefined): string => (calls === undefined ? 'nowhere' : shortened(calls).join(', '));
  return [unseen('spec.enforcers', `the enforcer denies in ${list(is?.calls)}; did in ${list(was?.calls)}`)];
}
