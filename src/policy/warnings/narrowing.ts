/** What of a plan's selectors and filters the warnings look at. */
import { effectOf, isEnforcing } from '../effect.ts';
import type { PlanFilter, PlanHook, PlanSelector } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { quote } from '../problem.ts';

export type Place = { readonly hook: PlanHook; readonly selector: PlanSelector };

/** Every selector with its hook. Hooks of one list have equal selectors: only the first of them counts. */
export function placesOf(hooks: readonly PlanHook[]): readonly Place[] {
  const seen = new Set<string>();
  return hooks.flatMap((hook) => {
    const isRepeated = seen.has(hook.path);
    seen.add(hook.path);
    return isRepeated ? [] : hook.selectors.map((selector) => ({ hook, selector }));
  });
}

/** The selector denies, kills, signals or changes the process, when the function is entered. */
export function enforces({ selector }: Place): boolean {
  return isEnforcing(effectOf(selector.actions));
}

/** `policy-mode: monitor`: nothing is done yet, so that it can be seen what would be. */
export function isMonitor(policy: Policy): boolean {
  return (policy.spec.options ?? []).some(({ name, value }) => name === 'policy-mode' && value === 'monitor');
}

/** The filter says which programs or workloads are meant, and not only which of their calls. */
export function namesSomeProcesses(filter: PlanFilter): boolean {
  switch (filter.on) {
    case 'podNamespace':
    case 'namespace':
    case 'namespaceChange':
      return true;
    case 'binary':
    case 'pid':
    case 'capabilityChange':
      return !filter.operator.startsWith('Not');
    case 'capability':
      return filter.isNamespaceCapability && filter.operator === 'In';
    default:
      return false;
  }
}

/** The filter is about values that the hook reads. */
export function isOnValues(filter: PlanFilter): boolean {
  return 'arg' in filter || filter.on === 'gained' || filter.on === 'cel';
}

/** `"sys_execve"`, `"file_open"`, `"sched/sched_switch"`; of a list its name. */
export function nameOf(hook: PlanHook): string {
  return quote(hook.target);
}

/** Names with blanks between them. */
export function wordSet(names: string): ReadonlySet<string> {
  return new Set(names.split(' '));
}

/** Without what hooks of different kinds put before the same name. */
export function bareName(hook: PlanHook): string {
  return hook.target
    .replace(/^.*\//, '')
    .replace(/^sys_(?:enter_)?/, '')
    .replace(/^security_/, '');
}

/**
 * An earlier selector that does not enforce takes what it matches away from this one: the way to write exceptions. `takes`: whether it
 * could match what is asked about.
 */
export function isExcepted({ hook, selector }: Place, takes: (earlier: PlanSelector) => boolean): boolean {
  const earlier = hook.selectors.slice(0, hook.selectors.indexOf(selector));
  return earlier.some((each) => !enforces({ hook, selector: each }) && takes(each));
}
