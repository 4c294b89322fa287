import { CAPABILITIES, capabilityNumber } from '../capabilities.ts';
import { parseInteger } from '../integers.ts';
import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import { isNamespaceName } from '../names.ts';
import type { LinuxNamespace, PlanFilter } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { BinaryFilterSpec, CapabilityFilterSpec, NamespaceFilterSpec } from '../schema/selectors.ts';
import { integerSet, textSet } from '../value-sets.ts';
import { checkText, isCountUsable } from './arg-filters.ts';
import { notSupported, refuseFields } from './unsupported.ts';

export function compileBinaryFilter(sink: ProblemSink, path: string, filter: BinaryFilterSpec): PlanFilter | undefined {
  refuseFields(sink, path, filter, ['followChildren']);
  if (filter.operator !== 'In' && filter.operator !== 'NotIn') {
    notSupported(sink, fieldPath(path, 'operator'), `operator ${filter.operator} on binaries is not supported yet`, 'works: In, NotIn');
    return undefined;
  }
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, filter.values)) {
    return undefined;
  }
  for (const [index, value] of filter.values.entries()) {
    checkText(sink, fieldPath(at, index), value, LIMITS.binaryBytes, filter.operator);
    if (value !== '' && !value.startsWith('/')) {
      sink.error('BadValue', fieldPath(at, index), `${quote(value)} never matches: it is no absolute path`);
    }
  }
  return { on: 'binary', operator: filter.operator, values: textSet(filter.values) };
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
  if (!isCountUsable(sink, at, values)) {
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
      const hint = isNamespaceName(value) ? 'for Kubernetes namespaces use "namespace: Pod"' : undefined;
      sink.error('BadNamespaceValue', fieldPath(at, index), `${quote(value)} is neither host_ns nor an inode number`, hint);
    }
  }
  return { on: 'namespace', namespace: LINUX_NAMESPACES[namespace], operator, values: [...integerSet(numbers), ...host] };
}

export function compileCapabilityFilter(sink: ProblemSink, path: string, filter: CapabilityFilterSpec): PlanFilter | undefined {
  const at = fieldPath(path, 'values');
  if (!isCountUsable(sink, at, filter.values)) {
    return undefined;
  }
  let mask = 0n;
  for (const [index, name] of filter.values.entries()) {
    const number = capabilityNumber(name);
    if (number === undefined) {
      const hint = didYouMean(name, CAPABILITIES) ?? prefixHint(name);
      sink.error('UnknownCapability', fieldPath(at, index), `Linux has no capability ${quote(name)}`, hint);
    } else {
      mask |= 1n << BigInt(number);
    }
  }
  return {
    on: 'capability',
    set: CAPABILITY_SETS[filter.type],
    operator: filter.operator,
    mask: String(mask),
    isNamespaceCapability: filter.isNamespaceCapability,
  };
}

const CAPABILITY_SETS = { Effective: 'effective', Permitted: 'permitted', Inheritable: 'inheritable' } as const;

/** For those who forgot the prefix: four more letters are too far for a likeness. */
function prefixHint(name: string): string | undefined {
  const prefixed = `CAP_${name.toUpperCase()}`;
  return capabilityNumber(prefixed) === undefined ? didYouMean(prefixed, CAPABILITIES) : `did you mean "${prefixed}"?`;
}
