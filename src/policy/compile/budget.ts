import { LIMITS } from '../limits.ts';
import type { ProblemSink } from '../problem.ts';
import type { ArgFilterSpec, SelectorSpec } from '../schema/selectors.ts';
import type { ListTable } from './lists.ts';

/**
 * What all selectors of a policy may become together. Macros and lists multiply: without a bound a policy of a megabyte could ask for
 * terabytes. Costs are what a plan needs at the very least, so that nothing is refused that would fit.
 */
export type SelectorBudget = {
  /** False after a problem: there is no room for this selector. */
  take(spec: SelectorSpec, lists: ListTable): boolean;
};

const SELECTOR_BYTES = 60;
const FILTER_BYTES = 40;
/** `"1",` */
const VALUE_BYTES = 4;

export function createSelectorBudget(sink: ProblemSink): SelectorBudget {
  let left: number = LIMITS.planBytes;
  const spend = (bytes: number): boolean => {
    if (left >= 0 && left < bytes) {
      sink.error(
        'PlanTooLarge',
        'spec',
        'its selectors, with lists and macros written out, are too large',
        `at most ${LIMITS.planBytes} bytes`,
      );
    }
    left -= bytes;
    return left >= 0;
  };
  return { take: (spec, lists) => left >= 0 && spend(costOf(spec)) && spend(listedCostOf(spec, lists)) };
}

function filtersOf(spec: SelectorSpec): readonly { readonly values?: readonly unknown[] | undefined }[] {
  const { matchBinaries = [], matchParentBinaries = [], matchPIDs = [], matchNamespaces = [] } = spec;
  const { matchNamespaceChanges = [], matchCapabilities = [], matchCapabilityChanges = [] } = spec;
  return [
    ...argFiltersOf(spec),
    ...matchBinaries,
    ...matchParentBinaries,
    ...matchPIDs,
    ...matchNamespaces,
    ...matchNamespaceChanges,
    ...matchCapabilities,
    ...matchCapabilityChanges,
  ];
}

function argFiltersOf({ matchArgs = [], matchData = [], matchReturnArgs = [] }: SelectorSpec): readonly ArgFilterSpec[] {
  return [...matchArgs, ...matchData, ...matchReturnArgs];
}

/** Names of capabilities and namespaces are merged in a plan: they cost nothing there. */
function costOf(spec: SelectorSpec): number {
  const filters = filtersOf(spec);
  return (
    SELECTOR_BYTES + filters.length * FILTER_BYTES + filters.reduce((sum, filter) => sum + (filter.values ?? []).length * VALUE_BYTES, 0)
  );
}

function listedCostOf(spec: SelectorSpec, lists: ListTable): number {
  const references = argFiltersOf(spec).flatMap((filter) => [...new Set(filter.values)].filter((value) => value.startsWith('list:')));
  return references.reduce((sum, reference) => {
    const list = lists.get(reference.slice('list:'.length));
    const names = list === undefined || list.of === 'generated' ? [] : list.names;
    return sum + names.reduce((bytes, name) => bytes + name.length + 3, 0);
  }, 0);
}
