import { CAPABILITIES } from '../capabilities.ts';
import type { PlanFilter } from '../plan.ts';
import type {
  PlanBinaryFilter,
  PlanCapabilityChangeFilter,
  PlanCapabilityFilter,
  PlanNamespaceFilter,
  PlanPidFilter,
} from '../plan-process-filters.ts';
import { orList, orQuoted, shortened } from './words.ts';

export type ProcessFilter = Extract<
  PlanFilter,
  { on: 'binary' | 'pid' | 'namespace' | 'namespaceChange' | 'podNamespace' | 'capability' | 'capabilityChange' }
>;

/** A condition on the process that makes the call. */
export function processClause(filter: ProcessFilter): string {
  switch (filter.on) {
    case 'binary':
      return binaryText(filter);
    case 'pid':
      return pidText(filter);
    case 'namespace':
      return namespaceText(filter);
    case 'namespaceChange': {
      const spaces = orList(filter.namespaces);
      return filter.operator === 'In'
        ? `the process has entered another ${spaces} namespace since its program started`
        : `the process is in the same ${spaces} namespace as when its program started`;
    }
    case 'podNamespace': {
      const isIn = filter.operator === 'In' ? 'is' : 'is not';
      return `its pod ${isIn} in the Kubernetes namespace ${orQuoted(filter.values)} (never true outside pods)`;
    }
    case 'capability':
      return capabilityText(filter);
    case 'capabilityChange':
      return capabilityChangeText(filter);
  }
}

const BINARY: Readonly<Record<PlanBinaryFilter['operator'], string>> = {
  In: 'is',
  NotIn: 'is not',
  Prefix: 'begins with',
  NotPrefix: 'does not begin with',
  Postfix: 'ends with',
  NotPostfix: 'does not end with',
};

function binaryText({ operator, values, of, followChildren }: PlanBinaryFilter): string {
  const whose = of === 'parent' ? "the parent's program" : 'the program';
  const list = orQuoted(values);
  if (followChildren === true) {
    const ancestor = `${whose} or that of an ancestor`;
    return operator === 'NotIn' ? `neither ${whose} nor that of an ancestor is ${list}` : `${ancestor} is ${list}`;
  }
  return `${whose} ${BINARY[operator]} ${list}`;
}

function pidText({ operator, values, isNamespacePid, followForks }: PlanPidFilter): string {
  const where = isNamespacePid === true ? ' inside its pid namespace' : '';
  const list = orList(shortened(values));
  const isIt = operator === 'In' ? 'is' : 'is not';
  return `the process id${where} ${isIt} ${list}${followForks === true ? ', also through an ancestor' : ''}`;
}

function namespaceText({ namespace, operator, values }: PlanNamespaceFilter): string {
  const spaces = values.map((value) => (value === 'host_ns' ? "the host's" : value));
  return `its ${namespace} namespace ${operator === 'In' ? 'is' : 'is not'} ${orList(shortened(spaces))}`;
}

function capabilityText({ set, operator, mask, isNamespaceCapability }: PlanCapabilityFilter): string {
  const has = operator === 'In' ? 'has' : 'does not have';
  const where = isNamespaceCapability ? ", in a user namespace that is not the host's" : '';
  return `the process ${has} ${capabilityList(mask)} (${set}${where})`;
}

function capabilityChangeText({ set, operator, mask }: PlanCapabilityChangeFilter): string {
  const has = operator === 'In' ? 'has gained or lost' : 'has neither gained nor lost';
  return `the process ${has} ${capabilityList(mask)} (${set}) since its program started`;
}

/** `CAP_CHOWN or CAP_KILL`. */
export function capabilityList(mask: string): string {
  const bits = BigInt(mask);
  return orList(shortened(CAPABILITIES.filter((_, number) => ((bits >> BigInt(number)) & 1n) === 1n)));
}
