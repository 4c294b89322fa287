/** What a plan needs and the engine of this version does not run yet. The first thing found is named. */
import type { Plan, PlanAction, PlanFilter, PlanHook, PlanSelector } from '../plan.ts';
import {
  ARG_MEMBERS,
  ENGINE_ACTIONS,
  ENGINE_ARG_TYPES,
  ENGINE_BINARY_BYTES,
  ENGINE_BINARY_OPERATORS,
  ENGINE_BYTES,
  ENGINE_FILTERS,
  ENGINE_HOOK_KINDS,
  FILTER_BLOCKS,
  HOOK_MEMBERS,
  OPTION_MEMBERS,
  POST_MEMBERS,
  SCOPE_MEMBERS,
  SELECTOR_MEMBERS,
} from './engine-features.ts';
import type { BindFailure } from './bound-hook.ts';
import { quote } from '../problem.ts';
import { REMEDY } from './deny.ts';
import { argField } from './fields.ts';

function notYet(field: string, what: string): BindFailure {
  return { reason: 'NotInEngine', field, message: `the engine of this version does not run ${what} yet${whereIn(field)}` };
}

/** What is inside a hook is named from the hook on: whoever shows a message shows the hook, too. */
function whereIn(field: string): string {
  const inside = /^spec\.\w+\[\d+\]\.(.*)$/.exec(field)?.[1];
  return inside === undefined ? '' : ` (${inside})`;
}

/** Null: the engine runs all of it. */
export function whyNotInEngine(hook: PlanHook): BindFailure | null {
  if (!ENGINE_HOOK_KINDS.has(hook.kind))
    return notYet(hook.path, `hooks of ${hook.kind === 'raw_tracepoint' ? 'raw tracepoints' : hook.section}`);
  const member = firstMember(hook, HOOK_MEMBERS);
  if (member !== undefined)
    return notYet(`${hook.path}.${member}`, hook.generated === undefined ? `"${member}"` : 'lists that the kernel fills');
  for (const [position, arg] of hook.args.entries()) {
    const field = argField(hook, position);
    const argMember = firstMember(arg, ARG_MEMBERS);
    if (argMember !== undefined) return notYet(`${field}.${argMember}`, `"${argMember}"`);
    if (!ENGINE_ARG_TYPES.has(arg.type)) return notYet(`${field}.type`, `arguments of type ${arg.type}`);
  }
  return firstOf(hook.selectors, checkSelector);
}

/** `name`: of an attach point. Calls of another ABI have functions and numbers of their own, and other registers. */
export function whyAbiNotInEngine(name: string, field: string): BindFailure | null {
  return name.includes('/') ? notYet(field, `system calls of another ABI (${quote(name)})`) : null;
}

/** The kernel has a way to deny, and only one that the engine does not go. */
export function denialNotInEngine(field: string): BindFailure {
  const { message, ...rest } = notYet(field, 'denials by bpf_override_return');
  return { ...rest, message: `${message}; ${REMEDY}` };
}

/** What stands beside the hooks. */
export function whyScopeNotInEngine(plan: Plan): BindFailure | null {
  const scope = firstMember(plan.scope, SCOPE_MEMBERS);
  if (scope !== undefined) return notYet(`spec.${scope}`, `"${scope}"`);
  const option = firstMember(plan.options, OPTION_MEMBERS);
  return option === undefined ? null : notYet('spec.options', `the option "${option}"`);
}

export function loaderNotInEngine(): BindFailure {
  return notYet('spec.loader', 'reports of mapped programs');
}

export function enforcerNotInEngine(path: string): BindFailure {
  return notYet(path, 'enforcers');
}

function checkSelector(selector: PlanSelector): BindFailure | null {
  const member = firstMember(selector, SELECTOR_MEMBERS);
  if (member !== undefined) return notYet(`${selector.path}.${member}`, `"${member}"`);
  const filter = firstOf(selector.filters, (entry) => checkFilter(selector, entry));
  if (filter !== null) return filter;
  return firstOf(selector.actions, (action, index) => checkAction(`${selector.path}.matchActions[${index}]`, action));
}

function checkFilter(selector: PlanSelector, filter: PlanFilter): BindFailure | null {
  const field = `${selector.path}.${FILTER_BLOCKS[filter.on]}`;
  if (!ENGINE_FILTERS.has(filter.on)) return notYet(field, FILTER_NAMES[filter.on] ?? 'this filter');
  if (filter.on === 'bytes') {
    const max = ENGINE_BYTES[filter.operator];
    return tooLong(filter.values, max) ? notYet(field, `values of ${filter.operator} over ${max} bytes`) : null;
  }
  if (filter.on !== 'binary') return null;
  if (filter.of !== undefined) return notYet(`${selector.path}.matchParentBinaries`, 'filters on the parent');
  if (filter.followChildren === true) return notYet(field, '"followChildren"');
  if (!ENGINE_BINARY_OPERATORS.has(filter.operator)) return notYet(field, `${filter.operator} on binaries`);
  return tooLong(filter.values, ENGINE_BINARY_BYTES) ? notYet(field, `paths of binaries over ${ENGINE_BINARY_BYTES} bytes`) : null;
}

const FILTER_NAMES: Readonly<Partial<Record<PlanFilter['on'], string>>> = {
  range: 'ranges of numbers (InRange, GT, LT, InMap)',
  mask: 'Mask',
  substring: 'SubString',
  fileType: 'FileType',
  address: 'filters on addresses',
  socket: 'filters on ports, protocols, families and states',
  gained: 'CapabilitiesGained',
  cel: 'CelExpr',
  pid: 'filters on process ids',
  namespaceChange: 'filters on changed namespaces',
  capabilityChange: 'filters on changed capabilities',
};

function checkAction(field: string, action: PlanAction): BindFailure | null {
  if (!ENGINE_ACTIONS.has(action.type)) return notYet(field, `the action ${ACTION_NAMES[action.type] ?? action.type}`);
  if (action.type !== 'post') return null;
  const member = firstMember(action, POST_MEMBERS);
  return member === undefined ? null : notYet(`${field}.${member}`, `"${member}"`);
}

const ACTION_NAMES: Readonly<Partial<Record<PlanAction['type'], string>>> = {
  signal: 'Signal',
  set_registers: 'Override with argRegs',
  redirect: 'Override to another place',
  track_sock: 'TrackSock',
  untrack_sock: 'UntrackSock',
  notify_enforcer: 'NotifyEnforcer',
  cleanup_enforcer: 'CleanupEnforcerNotification',
  get_url: 'GetUrl',
  dns_lookup: 'DnsLookup',
  set: 'Set',
};

/** The spelling of the first member that is there and that the engine would have to know. */
function firstMember<Key extends string>(
  object: Readonly<Partial<Record<Key, unknown>>>,
  spellings: Readonly<Record<Key, string | null>>,
): string | undefined {
  for (const key of keysOf(spellings)) {
    const spelling = spellings[key];
    if (spelling !== null && object[key] !== undefined) return spelling;
  }
  return undefined;
}

function keysOf<Key extends string>(object: Readonly<Record<Key, unknown>>): readonly Key[] {
  // The tables of engine-features.ts have exactly the members that their types name.
  return Object.keys(object).filter((key): key is Key => key in object);
}

function firstOf<T>(items: readonly T[], check: (item: T, index: number) => BindFailure | null): BindFailure | null {
  for (const [index, item] of items.entries()) {
    const found = check(item, index);
    if (found !== null) return found;
  }
  return null;
}

function tooLong(values: readonly string[], maxBytes: number): boolean {
  return values.some((value) => Buffer.byteLength(value) > maxBytes);
}
