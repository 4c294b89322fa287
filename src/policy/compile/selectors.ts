import { LIMITS } from '../limits.ts';
import type { PlanAction, PlanFilter, PlanSelector } from '../plan.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { ArgFilterSpec, SelectorSpec } from '../schema/selectors.ts';
import { compileActions } from './actions.ts';
import { compileArgFilter } from './arg-filters.ts';
import type { FilterContext } from './declared.ts';
import type { HookContext } from './hook-context.ts';
import { type Block, type ExpandedSelector, expandMacros } from './macros.ts';
import {
  compileBinaryFilter,
  compileCapabilityChangeFilter,
  compileCapabilityFilter,
  compileNamespaceChangeFilter,
  compileNamespaceFilter,
  compilePidFilter,
} from './process-filters.ts';
import { compileWorkload, isEverything } from './workloads.ts';

/** Never empty: a hook without selectors reports every call. */
export function compileSelectors(
  sink: ProblemSink,
  hookPath: string,
  context: HookContext,
  specs: readonly SelectorSpec[],
): readonly PlanSelector[] {
  const path = fieldPath(hookPath, 'selectors');
  if (specs.length > LIMITS.selectorsPerHook) {
    sink.error('TooManySelectors', path, `${specs.length} selectors`, `at most ${LIMITS.selectorsPerHook}`);
    return [];
  }
  if (specs.length === 0) {
    return [{ path: hookPath, filters: [], actions: [{ type: 'post' }] }];
  }
  const { macros, lists, budget } = context.policy;
  const selectors = specs.flatMap((spec, index) => {
    const at = fieldPath(path, index);
    const expanded = expandMacros(sink, at, spec, macros);
    return budget.take(expanded.spec, lists) ? [compileSelector(sink, at, context, expanded)] : [];
  });
  const expressions = selectors
    .flatMap(({ filters, returnFilters = [] }) => [...filters, ...returnFilters])
    .filter(({ on }) => on === 'cel');
  if (expressions.length > LIMITS.celPerHook) {
    sink.error('CelTooLarge', path, `${expressions.length} expressions`, `at most ${LIMITS.celPerHook}`);
  }
  return selectors;
}

function compileSelector(sink: ProblemSink, path: string, context: HookContext, expanded: ExpandedSelector): PlanSelector {
  const { spec, pathOf } = expanded;
  checkReturn(sink, context, expanded);
  checkFilterCount(sink, pathOf('matchArgs'), (spec.matchArgs ?? []).length + (spec.matchData ?? []).length);
  checkFilterCount(sink, pathOf('matchReturnArgs'), (spec.matchReturnArgs ?? []).length);
  const each = <Spec>(block: Block, specs: readonly Spec[] | undefined, compileOne: CompileFilter<Spec>): PlanFilter[] =>
    (specs ?? []).flatMap((entry, index) => compileOne(sink, fieldPath(pathOf(block), index), entry) ?? []);
  const values = (block: FilterContext['block'], specs: readonly ArgFilterSpec[] | undefined): PlanFilter[] => {
    const filterContext = { block, kind: context.kind, args: context.args, lists: context.policy.lists };
    return each(block, specs, (into, at, entry) => compileArgFilter(into, at, entry, filterContext));
  };
  const actions = actionsOf(sink, context, expanded, 'matchActions');
  const filters = [
    ...each('matchNamespaces', spec.matchNamespaces, compileNamespaceFilter),
    ...each('matchBinaries', spec.matchBinaries, (into, at, entry) => compileBinaryFilter(into, at, entry, 'process')),
    ...each('matchParentBinaries', spec.matchParentBinaries, (into, at, entry) => compileBinaryFilter(into, at, entry, 'parent')),
    ...each('matchPIDs', spec.matchPIDs, compilePidFilter),
    ...each('matchCapabilities', spec.matchCapabilities, compileCapabilityFilter),
    ...each('matchNamespaceChanges', spec.matchNamespaceChanges, compileNamespaceChangeFilter),
    ...each('matchCapabilityChanges', spec.matchCapabilityChanges, compileCapabilityChangeFilter),
    ...values('matchArgs', spec.matchArgs),
    ...values('matchData', spec.matchData),
  ];
  if (filters.length > LIMITS.allFiltersPerSelector) {
    sink.error('TooManyFilters', path, `${filters.length} filters in all`, `at most ${LIMITS.allFiltersPerSelector}`);
  }
  return {
    path,
    filters,
    actions: actions.length === 0 ? [{ type: 'post' }] : actions,
    ...labelOf(sink, path, spec.label ?? ''),
    ...workloadOf(sink, path, context, spec),
    // Where the return is not watched there is nothing that they could be about, and a problem that says so.
    ...notEmpty('returnFilters', context.returns ? values('matchReturnArgs', spec.matchReturnArgs) : []),
    ...notEmpty('returnActions', actionsOf(sink, context, expanded, 'matchReturnActions')),
  };
}

type CompileFilter<Spec> = (sink: ProblemSink, path: string, spec: Spec) => PlanFilter | readonly PlanFilter[] | undefined;

function actionsOf(
  sink: ProblemSink,
  context: HookContext,
  { spec, pathOf }: ExpandedSelector,
  block: 'matchActions' | 'matchReturnActions',
): readonly PlanAction[] {
  const { kind, target, canDeny, args, policy } = context;
  const moment = block === 'matchActions' ? 'entry' : 'return';
  const { hasEnforcer, isNamespaced } = policy;
  return compileActions(sink, pathOf(block), { kind, target, canDeny, args, hasEnforcer, isNamespaced, moment }, spec[block] ?? []);
}

const CAN_RETURN: ReadonlySet<HookContext['kind']> = new Set(['kprobe', 'fentry', 'uprobe']);

/** Filters and actions at the return of a function whose return nobody watches would never be looked at. */
function checkReturn(sink: ProblemSink, context: HookContext, { spec, pathOf }: ExpandedSelector): void {
  for (const block of ['matchReturnArgs', 'matchReturnActions'] as const) {
    if ((spec[block] ?? []).length > 0 && !context.returns) {
      const hint = CAN_RETURN.has(context.kind) ? 'set "return: true" and returnArg' : 'use a kprobe, a fentry or a uprobe';
      sink.error('ReturnNotWatched', pathOf(block), 'the return is not watched: this is never looked at', hint);
    }
  }
}

function checkFilterCount(sink: ProblemSink, path: string, count: number): void {
  if (count > LIMITS.filtersPerSelector) {
    sink.error('TooManyFilters', path, `${count} filters`, `at most ${LIMITS.filtersPerSelector}`);
  }
}

function labelOf(sink: ProblemSink, path: string, label: string): Pick<PlanSelector, 'label'> {
  const bytes = Buffer.byteLength(label);
  if (bytes > LIMITS.selectorLabelBytes) {
    sink.error('ValueTooLong', fieldPath(path, 'label'), `${bytes} bytes is too long`, `at most ${LIMITS.selectorLabelBytes}`);
  }
  return label === '' ? {} : { label: label.toWellFormed() };
}

function workloadOf(sink: ProblemSink, path: string, { policy }: HookContext, spec: SelectorSpec): Pick<PlanSelector, 'workload'> {
  if (spec.matchWorkloads === undefined) {
    return {};
  }
  const at = fieldPath(path, 'matchWorkloads');
  if (policy.isNamespaced && spec.matchWorkloads.hostSelector !== undefined) {
    const message = 'a TracingPolicyNamespaced is about pods only';
    sink.error('NotInNamespacedPolicy', fieldPath(at, 'hostSelector'), message, 'leave hostSelector out');
  }
  const workload = compileWorkload(sink, at, spec.matchWorkloads);
  return isEverything(workload) ? {} : { workload };
}

function notEmpty<Key extends string, Item>(key: Key, items: readonly Item[]): { readonly [Name in Key]?: readonly Item[] };
function notEmpty(key: string, items: readonly unknown[]): object {
  return items.length === 0 ? {} : { [key]: items };
}
