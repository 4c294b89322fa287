import { CAPABILITIES } from '../capabilities.ts';
import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import { isNamespaceName } from '../names.ts';
import { parseInteger } from '../integers.ts';
import type { LinuxNamespace, PlanFilter } from '../plan.ts';
import type { PlanBinaryFilter, PlanCapabilityFilter, PlanNamespaceChangeFilter, PlanPidFilter } from '../plan-process-filters.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type {
  BinaryFilterSpec,
  CapabilityFilterSpec,
  NamespaceChangeFilterSpec,
  NamespaceFilterSpec,
  PidFilterSpec,
} from '../schema/selectors.ts';
import { integerSet, textSet } from '../value-sets.ts';
import { isCountUsable } from './arg-filters.ts';
import { capabilityBit } from './value-capabilities.ts';
import { checkText } from './value-texts.ts';

/** matchBinaries, and matchParentBinaries (`whose: 'parent'`). */
export function compileBinaryFilter(
  sink: ProblemSink,
  path: string,
  filter: BinaryFilterSpec,
  whose: 'process' | 'parent' = 'process',
): PlanBinaryFilter | undefined {
  const { operator } = filter;
  const isMembership = operator === 'In' || operator === 'NotIn';
  if (filter.followChildren && !isMembership) {
    const message = `followChildren does not work with ${operator}`;
    sink.error('FollowChildrenNotPossible', fieldPath(path, 'followChildren'), message, 'use In or NotIn, and whole paths');
    return undefined;
  }
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, filter.values)) {
    return undefined;
  }
  const isPostfix = operator === 'Postfix' || operator === 'NotPostfix';
  for (const [index, value] of filter.values.entries()) {
    checkText(sink, fieldPath(at, index), value, isPostfix ? LIMITS.postfixBytes : LIMITS.binaryBytes, operator);
    if (value !== '' && !isPostfix && !value.startsWith('/')) {
      sink.error('BadValue', fieldPath(at, index), `${quote(value)} never matches: it is no absolute path`);
    }
  }
  return {
    on: 'binary',
    operator,
    values: textSet(filter.values),
    ...(whose === 'parent' ? { of: 'parent' as const } : {}),
    ...(filter.followChildren ? { followChildren: true as const } : {}),
  };
}

export function compilePidFilter(sink: ProblemSink, path: string, filter: PidFilterSpec): PlanPidFilter | undefined {
  if (!isCountUsable(sink, fieldPath(path, 'values'), filter.values)) {
    return undefined;
  }
  return {
    on: 'pid',
    operator: filter.operator,
    values: integerSet(filter.values.map(BigInt)),
    ...(filter.isNamespacePID ? { isNamespacePid: true as const } : {}),
    ...(filter.followForks ? { followForks: true as const } : {}),
  };
}

const LINUX_NAMESPACES: Readonly<Record<Exclude<NamespaceFilterSpec['namespace'], 'Pod'>, LinuxNamespace>> = {
  Uts: 'uts',
  Ipc: 'ipc',
  Mnt: 'mnt',
  Pid: 'pid',
  PidForChildren: 'pid_for_children',
  Net: 'net',
  Time: 'time',
  TimeForChildren: 'time_for_children',
  Cgroup: 'cgroup',
  User: 'user',
};

export function compileNamespaceFilter(sink: ProblemSink, path: string, filter: NamespaceFilterSpec): PlanFilter | undefined {
  const at = fieldPath(path, 'values');
  const { namespace, operator, values } = filter;
  if (!isCountUsable(sink, at, values, namespace === 'Pod' ? LIMITS.valuesPerFilter : LIMITS.inodesPerFilter)) {
    return undefined;
  }
  if (namespace === 'Pod') {
    for (const [index, value] of values.entries()) {
      if (!isNamespaceName(value)) {
        sink.error('BadNamespaceValue', fieldPath(at, index), `${quote(value)} is no name of a Kubernetes namespace`);
      }
    }
    return { on: 'podNamespace', operator, values: textSet(values) };
  }
  const numbers: bigint[] = [];
  let host: readonly string[] = [];
  for (const [index, value] of values.entries()) {
    const number = parseInteger(value);
    if (value === 'host_ns') {
      host = ['host_ns'];
    } else if (number !== undefined && number >= 0n && number <= 0xffff_ffffn) {
      numbers.push(number);
    } else {
      const podHint = isNamespaceName(value) ? 'for Kubernetes namespaces use "namespace: Pod"' : undefined;
      const hint = didYouMean(value, ['host_ns']) ?? podHint;
      sink.error('BadNamespaceValue', fieldPath(at, index), `${quote(value)} is neither host_ns nor an inode number`, hint);
    }
  }
  return { on: 'namespace', namespace: LINUX_NAMESPACES[namespace], operator, values: [...integerSet(numbers), ...host] };
}

/** Their names in any case, as upstream takes them here. */
const NAMESPACE_BY_NAME: ReadonlyMap<string, LinuxNamespace> = new Map(
  Object.entries(LINUX_NAMESPACES).map(([name, namespace]) => [name.toLowerCase(), namespace]),
);

/** NotIn is upstream's: some namespace of another kind changed. Said of all kinds, it never matches. */
export function compileNamespaceChangeFilter(
  sink: ProblemSink,
  path: string,
  filter: NamespaceChangeFilterSpec,
): PlanNamespaceChangeFilter | undefined {
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, filter.values)) {
    return undefined;
  }
  const namespaces = filter.values.flatMap((value, index): readonly LinuxNamespace[] => {
    const found = NAMESPACE_BY_NAME.get(value.toLowerCase());
    if (found === undefined) {
      const names = Object.keys(LINUX_NAMESPACES);
      const hint = didYouMean(value, names) ?? `one of ${names.join(', ')}`;
      sink.error('BadNamespaceValue', fieldPath(at, index), `${quote(value)} is no kind of Linux namespace`, hint);
      return [];
    }
    return [found];
  });
  const named = new Set(namespaces);
  const wanted = Object.values(LINUX_NAMESPACES).filter((each) => named.has(each) === (filter.operator === 'In'));
  if (filter.operator === 'NotIn' && wanted.length === 0) {
    sink.error('BadValue', at, 'never matches: these are all kinds of namespaces, and NotIn is about the others');
  }
  return { on: 'namespaceChange', operator: 'In', namespaces: wanted.toSorted() };
}

export function compileCapabilityFilter(sink: ProblemSink, path: string, filter: CapabilityFilterSpec): readonly PlanFilter[] {
  const mask = compileMask(sink, fieldPath(path, 'values'), filter.values);
  return mask === undefined ? [] : [{ on: 'capability', ...about(filter), operator: filter.operator, mask }, ...outsideOfHost(filter)];
}

/** NotIn is upstream's: none of these changed, and some other did. */
export function compileCapabilityChangeFilter(sink: ProblemSink, path: string, filter: CapabilityFilterSpec): readonly PlanFilter[] {
  const mask = compileMask(sink, fieldPath(path, 'values'), filter.values);
  if (mask === undefined) {
    return [];
  }
  const others = String(~BigInt(mask) & ALL_CAPABILITIES);
  const change = { on: 'capabilityChange', ...about(filter) } as const;
  if (filter.operator === 'NotIn' && others === '0') {
    sink.error('BadValue', fieldPath(path, 'values'), 'never matches: these are all capabilities, and NotIn is about a change of others');
  }
  return [
    { ...change, operator: filter.operator, mask },
    ...(filter.operator === 'NotIn' ? [{ ...change, operator: 'In' as const, mask: others }] : []),
    ...outsideOfHost(filter),
  ];
}

const ALL_CAPABILITIES = (1n << BigInt(CAPABILITIES.length)) - 1n;

const CAPABILITY_SETS = { Effective: 'effective', Permitted: 'permitted', Inheritable: 'inheritable' } as const;

function about({ type, isNamespaceCapability }: CapabilityFilterSpec): Pick<PlanCapabilityFilter, 'set' | 'isNamespaceCapability'> {
  return { set: CAPABILITY_SETS[type], isNamespaceCapability };
}

/** Capabilities of a namespace are nothing that a task in the user namespace of the host lacks: NotIn never holds for it (as upstream). */
function outsideOfHost({ operator, isNamespaceCapability }: CapabilityFilterSpec): readonly PlanFilter[] {
  return operator === 'NotIn' && isNamespaceCapability
    ? [{ on: 'namespace', namespace: 'user', operator: 'NotIn', values: ['host_ns'] }]
    : [];
}

function compileMask(sink: ProblemSink, path: string, names: readonly string[]): string | undefined {
  return isCountUsable(sink, path, names)
    ? String(names.reduce((bits, name, index) => bits | capabilityBit(sink, fieldPath(path, index), name), 0n))
    : undefined;
}
