/** Turns the filters of one selector into planes. */
import type { SlotFields } from '../abi/hook-config.ts';
import {
  PAL_NS_CGROUP,
  PAL_NS_IPC,
  PAL_NS_MNT,
  PAL_NS_NET,
  PAL_NS_PID,
  PAL_NS_PID_FOR_CHILDREN,
  PAL_NS_TIME,
  PAL_NS_TIME_FOR_CHILDREN,
  PAL_NS_USER,
  PAL_NS_UTS,
  PAL_P_BINARY,
  PAL_P_CAP_EFF,
  PAL_P_CAP_INH,
  PAL_P_CAP_PRM,
  PAL_P_NS,
  PAL_P_SCOPE,
  PAL_P_SLOT,
  PAL_PF_NS_CAP,
} from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import type {
  LinuxNamespace,
  PlanBytesFilter,
  PlanCapabilityFilter,
  PlanFilter,
  PlanNamespaceFilter,
  PlanSelector,
} from '../policy/plan.ts';
import { binarySetKey, mergeBinaryFilters } from './binary-set.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import type { LinkFailure } from './link-failure.ts';
import type { FilterData, FilterUse, PlaneBuilder, PlaneValue } from './plane-builder.ts';
import { isScoped } from './scope.ts';
import type { ArgSlots } from './slot-table.ts';
import { reversed } from './string-trie.ts';
import { unknownMatches } from './verdicts.ts';

export type FilterContext = {
  readonly input: HookInput;
  readonly member: HookMemberInput;
  readonly argSlots: ArgSlots;
  readonly slots: readonly SlotFields[];
  readonly planes: PlaneBuilder;
  /** Selectors by binary set; added to. */
  readonly columns: Map<number, SelectorMask>;
  /** Selectors by slot that they need; added to. */
  readonly need: Map<number, SelectorMask>;
};

const NAMESPACES: Readonly<Record<LinuxNamespace, number>> = {
  uts: PAL_NS_UTS,
  ipc: PAL_NS_IPC,
  mnt: PAL_NS_MNT,
  pid: PAL_NS_PID,
  pid_for_children: PAL_NS_PID_FOR_CHILDREN,
  net: PAL_NS_NET,
  time: PAL_NS_TIME,
  time_for_children: PAL_NS_TIME_FOR_CHILDREN,
  cgroup: PAL_NS_CGROUP,
  user: PAL_NS_USER,
};

const CAPABILITY_SETS = { effective: PAL_P_CAP_EFF, permitted: PAL_P_CAP_PRM, inheritable: PAL_P_CAP_INH } as const;

/** Null: all filters of the selector are in the planes. */
export function addFilters(context: FilterContext, selector: PlanSelector, bit: number): LinkFailure | null {
  const index = context.member.hook.selectors.indexOf(selector);
  const unknown = unknownMatches(context.member, index);
  const use = { bit, negated: false, unknownMatches: unknown };
  if (isScoped(context.member.policy.plan, selector)) {
    // A pod that is not known is no unreadable value: rows of the classes say what applies to it.
    context.planes.add(taskValue(PAL_P_SCOPE, 0), { ...use, unknownMatches: false }, { kind: 'outside' });
  }
  addBinaries(context, selector, use);
  for (const filter of selector.filters) {
    const failure = addFilter(context, filter, use, selector.path);
    if (failure !== null) return failure;
  }
  return null;
}

function addBinaries(context: FilterContext, selector: PlanSelector, use: FilterUse): void {
  const set = mergeBinaryFilters(selector.filters.filter((filter) => filter.on === 'binary'));
  if (set === null) return;
  context.planes.add(taskValue(PAL_P_BINARY, 0), { ...use, negated: set.operator === 'NotIn' }, { kind: 'outside' });
  const number = context.input.binarySets.get(binarySetKey(set));
  if (number !== undefined) addTo(context.columns, number, use.bit);
}

function addFilter(context: FilterContext, filter: PlanFilter, use: FilterUse, path: string): LinkFailure | null {
  switch (filter.on) {
    case 'podNamespace':
    case 'binary':
      return null;
    case 'capability':
      context.planes.add(
        capabilityValue(filter),
        { ...use, negated: filter.operator === 'NotIn' },
        { kind: 'mask', mask: BigInt(filter.mask) },
      );
      return null;
    case 'namespace':
      context.planes.add(
        taskValue(PAL_P_NS, NAMESPACES[filter.namespace]),
        { ...use, negated: filter.operator === 'NotIn' },
        { kind: 'ints', values: namespaceInodes(filter, context.input.hostNamespaces) },
      );
      return null;
    case 'int':
    case 'bytes': {
      const slot = context.argSlots[filter.arg];
      const fields = slot === undefined || slot === null ? undefined : context.slots[slot];
      if (slot === undefined || slot === null || fields === undefined) {
        return {
          reason: 'ArgIndexOutOfRange',
          message: `argument ${filter.arg} is not readable here`,
          uid: context.member.policy.ref.uid,
          path,
        };
      }
      addTo(context.need, slot, use.bit);
      const value: PlaneValue = { source: PAL_P_SLOT, slot, field: 0, storage: fields.storage };
      context.planes.add(
        value,
        { ...use, negated: filter.operator.startsWith('Not') },
        filter.on === 'int' ? intData(filter.values) : bytesData(filter),
      );
      return null;
    }
    default:
      return { reason: 'NotInEngine', message: `filters on ${filter.on} are not run`, uid: context.member.policy.ref.uid, path };
  }
}

function intData(values: readonly string[]): FilterData {
  return { kind: 'ints', values: values.map((value) => BigInt.asUintN(64, BigInt(value))) };
}

function bytesData(filter: PlanBytesFilter): FilterData {
  const values = filter.values.map((value) => Buffer.from(value, 'utf8'));
  switch (filter.operator) {
    case 'Equal':
    case 'NotEqual':
      return { kind: 'strings', equal: values, prefixes: [] };
    case 'Prefix':
    case 'NotPrefix':
      return { kind: 'strings', equal: [], prefixes: values };
    case 'Postfix':
    case 'NotPostfix':
      return { kind: 'suffixes', reversed: values.map(reversed) };
  }
}

/** Without knowledge of pid 1's namespaces `host_ns` fits nothing. */
function namespaceInodes(filter: PlanNamespaceFilter, host: readonly number[]): readonly bigint[] {
  return filter.values.flatMap((value) => {
    const inode = value === 'host_ns' ? host[NAMESPACES[filter.namespace]] : Number(value);
    return inode === undefined ? [] : [BigInt(inode)];
  });
}

function capabilityValue(filter: PlanCapabilityFilter): PlaneValue {
  return taskValue(CAPABILITY_SETS[filter.set], filter.isNamespaceCapability ? PAL_PF_NS_CAP : 0);
}

function taskValue(source: number, field: number): PlaneValue {
  return { source, slot: 0, field, storage: 'task' };
}

function addTo(map: Map<number, SelectorMask>, key: number, bit: number): void {
  map.set(key, (map.get(key) ?? 0n) | bitMask(bit));
}
