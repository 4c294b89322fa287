import { CAPABILITIES } from '../capabilities.ts';
import type { PlanFilter } from '../plan.ts';
import type {
  PlanBinaryFilter,
  PlanCapabilityChangeFilter,
  PlanCapabilityFilter,
  PlanNamespaceFilter,
  PlanPidFilter,
} from '../plan-process-filters.ts';
import { andList, orList, orQuoted, shortened } from './words.ts';

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
      return filter.operator === 'In'
        ? `the process has entered another ${orList(filter.namespaces)} namespace since its program started`
        : `the process is in the same ${andList(filter.namespaces)} namespace as when its program started`;
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
  const [who, whose] = of === 'parent' ? ['the parent', "the parent's program"] : ['the process', 'the program'];
  const list = orQuoted(values);
  if (followChildren === true) {
    const ever = `${operator === 'NotIn' ? 'never' : 'ever'} ran ${list}`;
    return operator === 'NotIn' ? `${who} and its ancestors ${ever}` : `${who} or one of its ancestors ${ever}`;
  }
  return `${whose} ${BINARY[operator]} ${list}`;
}

function pidText({ operator, values, isNamespacePid, followForks }: PlanPidFilter): string {
  const where = isNamespacePid === true ? ' inside its pid namespace' : '';
  const list = orList(shortened(values));
  const isIt = operator === 'In' ? 'is' : 'is not';
  if (followForks !== true) return `the process id${where} ${isIt} ${list}${isNamespacePid === true ? ' (on the host it is 0)' : ''}`;
  const outside = isNamespacePid === true ? ' (never true on the host)' : '';
  return operator === 'In'
    ? `the process id${where}, or that of an ancestor, is ${list}${outside}`
    : `neither the process id${where} nor that of an ancestor is ${list}${outside}`;
}

function namespaceText({ namespace, operator, values }: PlanNamespaceFilter): string {
  const spaces = values.map((value) => (value === 'host_ns' ? "the host's" : value));
  return `its ${namespace} namespace ${operator === 'In' ? 'is' : 'is not'} ${orList(shortened(spaces))}`;
}

function capabilityText({ set, operator, mask, isNamespaceCapability }: PlanCapabilityFilter): string {
  const has = operator === 'In' ? 'has' : 'does not have';
  return `the process ${has} ${capabilityList(mask)} (${set}${outsideOfHost(isNamespaceCapability)})`;
}

function capabilityChangeText({ set, operator, mask, isNamespaceCapability }: PlanCapabilityChangeFilter): string {
  const has = operator === 'In' ? 'has gained or lost' : 'has neither gained nor lost';
  return `the process ${has} ${capabilityList(mask)} (${set}${outsideOfHost(isNamespaceCapability)}) since its program started`;
}

function outsideOfHost(isNamespaceCapability: boolean): string {
  return isNamespaceCapability ? ", in a user namespace that is not the host's" : '';
}

/** `CAP_CHOWN or CAP_KILL`. */
export function capabilityList(mask: string): string {
  return orList(capabilityNames(mask));
}

/** Of many the first; bits that Linux has no name for as one number. */
export function capabilityNames(mask: string): readonly string[] {
  const named = BigInt(CAPABILITIES.length);
  const nameless = (BigInt(mask) >> named) << named;
  const names = CAPABILITIES.filter((_, number) => ((BigInt(mask) >> BigInt(number)) & 1n) === 1n);
  return shortened([...names, ...(nameless === 0n ? [] : [`0x${nameless.toString(16)}`])]);
}
