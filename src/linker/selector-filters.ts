/** Turns the filters of one selector into planes. */
import { PAL_P_BINARY, PAL_P_NS_PID, PAL_P_PID, PAL_P_SCOPE } from '../abi/layout.ts';
import type { PlanFilter, PlanSelector } from '../policy/plan.ts';
import { addArgumentFilter } from './argument-filters.ts';
import type { FilterContext } from './filter-context.ts';
import type { LinkFailure } from './link-failure.ts';
import type { FilterUse } from './plane-builder.ts';
import { keyedUses } from './process-sets.ts';
import { isScoped } from './scope.ts';
import { addTaskFilter, taskValue } from './task-filters.ts';
import { unknownMatches } from './verdicts.ts';

/** Null: all filters of the selector are in the planes. */
export function addFilters(context: FilterContext, selector: PlanSelector, bit: number): LinkFailure | null {
  const { member } = context;
  const use = { bit, negated: false, unknownMatches: unknownMatches(member, member.hook.selectors.indexOf(selector)) };
  const filters = member.part === 'return' ? (selector.returnFilters ?? []) : selector.filters;
  if (member.part !== 'return' && isScoped(member.policy.plan, selector)) {
    // A pod that is not known is no unreadable value: rows of the classes say what applies to it.
    context.planes.add(taskValue(PAL_P_SCOPE, 0), { ...use, unknownMatches: false }, { kind: 'scope' });
  }
  addSets(context, filters, use);
  for (const filter of filters) {
    const failure = addFilter(context, filter, use);
    if (failure !== null) return { uid: member.policy.ref.uid, path: selector.path, ...failure };
  }
  return null;
}

/** Today's engine walks one table of columns; what a selector asks of sets besides has tables of its own. */
function addSets(context: FilterContext, filters: readonly PlanFilter[], use: FilterUse): void {
  let isFirst = true;
  for (const { set, key, source, negated } of keyedUses(filters)) {
    const number = set.values.length === 0 ? null : (context.input.sets.get(key) ?? null);
    const table = isFirst && source === PAL_P_BINARY ? 'first' : 'further';
    context.planes.add(taskValue(source, 0), { ...use, negated }, { kind: 'set', number, table });
    if (source === PAL_P_BINARY) isFirst = false;
  }
}

function addFilter(context: FilterContext, filter: PlanFilter, use: FilterUse): LinkFailure | null {
  switch (filter.on) {
    // In the rows of the scope classes, and in the sets.
    case 'podNamespace':
    case 'binary':
      return null;
    case 'pid': {
      if (filter.followForks === true) return null;
      const source = filter.isNamespacePid === true ? PAL_P_NS_PID : PAL_P_PID;
      const negated = filter.operator === 'NotIn';
      context.planes.add(taskValue(source, 0), { ...use, negated }, { kind: 'ints', values: filter.values.map(BigInt) });
      return null;
    }
    case 'capability':
    case 'capabilityChange':
    case 'namespace':
    case 'namespaceChange':
      addTaskFilter(context.planes, filter, use, context.input.hostNamespaces);
      return null;
    default:
      return addArgumentFilter(context, filter, use);
  }
}
