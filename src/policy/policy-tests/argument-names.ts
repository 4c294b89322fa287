import { argumentsOf } from '../filter-arguments.ts';
import type { PlanArg, PlanHook } from '../plan.ts';

/** `args[0]`, `data[1]`, `returnArg`: where the policy lists a value. */
export function placeOf(hook: PlanHook, position: number): string {
  const list = listOf(hook.args[position]);
  const before = hook.args.slice(0, position).filter((arg) => listOf(arg) === list).length;
  return list === 'returnArg' ? list : `${list}[${before}]`;
}

function listOf(arg: PlanArg | undefined): 'args' | 'data' | 'returnArg' {
  if (arg?.from === undefined) return 'args';
  return arg.from === 'return' ? 'returnArg' : 'data';
}

/**
 * The position in `hook.args` of what a test names: a number (of several values of one argument, the argument itself), a label, or a
 * place. Undefined: the hook reads nothing of this name.
 */
export function positionOf(hook: PlanHook, name: string): number | undefined {
  const positions = [...hook.args.keys()];
  const byPlace = positions.find((position) => placeOf(hook, position) === name);
  if (byPlace !== undefined) return byPlace;
  const byLabel = positions.filter((position) => hook.args[position]?.label === name && name !== '');
  if (byLabel.length === 1) return byLabel[0];
  const byNumber = positions.filter((position) => listOf(hook.args[position]) === 'args' && String(hook.args[position]?.index) === name);
  return byNumber.find((position) => hook.args[position]?.resolve === undefined) ?? byNumber[0];
}

/** Names that tests can use, the shortest of each value. */
export function argumentNames(hook: PlanHook): readonly string[] {
  return hook.args.flatMap((_, position) => (placeOf(hook, position) === 'returnArg' ? [] : [shortestName(hook, position)]));
}

/** How a test names the value at this position. */
export function shortestName(hook: PlanHook, position: number): string {
  const index = String(hook.args[position]?.index ?? '');
  if (positionOf(hook, index) === position) return index;
  const label = hook.args[position]?.label ?? '';
  return label !== '' && positionOf(hook, label) === position ? label : placeOf(hook, position);
}

/** Positions that filters look at: when the function is entered, or when it returns. */
export function comparedPositions(hook: PlanHook, when: 'entry' | 'return'): ReadonlySet<number> {
  const filters = hook.selectors.flatMap((selector) => (when === 'entry' ? selector.filters : (selector.returnFilters ?? [])));
  return new Set(filters.flatMap(argumentsOf));
}
