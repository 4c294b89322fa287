import { LIMITS } from '../limits.ts';
import type { PlanFilter, PlanSelector } from '../plan.ts';
import { type ProblemSink, fieldPath } from '../problem.ts';
import type { SelectorSpec } from '../schema/selectors.ts';
import { type ActionContext, compileActions } from './actions.ts';
import { compileArgFilter } from './arg-filters.ts';
import type { DeclaredArg } from './declared.ts';
import { compileBinaryFilter, compileCapabilityFilter, compileNamespaceFilter } from './process-filters.ts';
import { UNSUPPORTED_SELECTOR_FIELDS, refuseFields } from './unsupported.ts';

/** Never empty: a hook without selectors reports every call. */
export function compileSelectors(
  sink: ProblemSink,
  hookPath: string,
  context: ActionContext,
  args: readonly DeclaredArg[],
  specs: readonly SelectorSpec[],
): readonly PlanSelector[] {
  const path = fieldPath(hookPath, 'selectors');
  if (specs.length > LIMITS.selectorsPerHook) {
    sink.error('TooManySelectors', path, `${specs.length} selectors`, `at most ${LIMITS.selectorsPerHook}`);
  }
  if (specs.length === 0) {
    return [{ path: hookPath, filters: [], actions: [{ type: 'post' }] }];
  }
  return specs.map((spec, index) => compileSelector(sink, fieldPath(path, index), context, args, spec));
}

function compileSelector(
  sink: ProblemSink,
  path: string,
  context: ActionContext,
  args: readonly DeclaredArg[],
  spec: SelectorSpec,
): PlanSelector {
  refuseFields(sink, path, spec, UNSUPPORTED_SELECTOR_FIELDS);
  const argFilters = spec.matchArgs ?? [];
  const argsPath = fieldPath(path, 'matchArgs');
  if (argFilters.length > LIMITS.filtersPerSelector) {
    sink.error('TooManyFilters', argsPath, `${argFilters.length} filters`, `at most ${LIMITS.filtersPerSelector}`);
  }
  const each = <Spec>(field: string, specs: readonly Spec[] | undefined, compileOne: CompileFilter<Spec>): PlanFilter[] =>
    (specs ?? []).flatMap((entry, index) => {
      const filter = compileOne(sink, fieldPath(fieldPath(path, field), index), entry);
      return filter === undefined ? [] : [filter];
    });
  return {
    path,
    filters: [
      ...each('matchNamespaces', spec.matchNamespaces, compileNamespaceFilter),
      ...each('matchBinaries', spec.matchBinaries, compileBinaryFilter),
      ...each('matchCapabilities', spec.matchCapabilities, compileCapabilityFilter),
      ...each('matchArgs', argFilters, (into, at, entry) =>
        compileArgFilter(into, at, entry, { block: 'matchArgs', kind: context.kind, args, lists: new Map() }),
      ),
    ],
    actions: compileActions(sink, fieldPath(path, 'matchActions'), context, spec.matchActions ?? []),
  };
}

type CompileFilter<Spec> = (sink: ProblemSink, path: string, spec: Spec) => PlanFilter | undefined;
