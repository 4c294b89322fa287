/** Planes over the task: its namespaces and capabilities, and what of them changed since exec. */
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
  PAL_P_CAP_EFF,
  PAL_P_CAP_INH,
  PAL_P_CAP_NEW_EFF,
  PAL_P_CAP_NEW_INH,
  PAL_P_CAP_NEW_PRM,
  PAL_P_CAP_PRM,
  PAL_P_NS,
  PAL_P_NS_CHANGED,
  PAL_PF_NS_CAP,
} from '../abi/layout.ts';
import { bitMask } from '../abi/selector-mask.ts';
import type { LinuxNamespace } from '../policy/plan.ts';
import type {
  PlanCapabilityChangeFilter,
  PlanCapabilityFilter,
  PlanNamespaceChangeFilter,
  PlanNamespaceFilter,
} from '../policy/plan-process-filters.ts';
import type { FilterUse, PlaneBuilder } from './plane-builder.ts';
import type { PlaneValue } from './plane-data.ts';

type TaskFilter = PlanCapabilityFilter | PlanCapabilityChangeFilter | PlanNamespaceFilter | PlanNamespaceChangeFilter;

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
const NEW_CAPABILITIES = { effective: PAL_P_CAP_NEW_EFF, permitted: PAL_P_CAP_NEW_PRM, inheritable: PAL_P_CAP_NEW_INH } as const;

export function addTaskFilter(planes: PlaneBuilder, filter: TaskFilter, anyUse: FilterUse, host: readonly number[]): void {
  const use = { ...anyUse, negated: filter.operator === 'NotIn' };
  switch (filter.on) {
    case 'namespace':
      planes.add(taskValue(PAL_P_NS, NAMESPACES[filter.namespace]), use, { kind: 'ints', values: inodesOf(filter, host) });
      return;
    case 'namespaceChange': {
      const mask = filter.namespaces.reduce((bits, namespace) => bits | bitMask(NAMESPACES[namespace]), 0n);
      planes.add(taskValue(PAL_P_NS_CHANGED, 0), use, { kind: 'mask', mask });
      return;
    }
    case 'capability':
    case 'capabilityChange': {
      const source = (filter.on === 'capability' ? CAPABILITY_SETS : NEW_CAPABILITIES)[filter.set];
      planes.add(taskValue(source, filter.isNamespaceCapability ? PAL_PF_NS_CAP : 0), use, { kind: 'mask', mask: BigInt(filter.mask) });
      return;
    }
  }
}

export function taskValue(source: number, field: number): PlaneValue {
  return { source, slot: 0, field, storage: 'task' };
}

/** Without knowledge of pid 1's namespaces `host_ns` fits nothing. */
function inodesOf(filter: PlanNamespaceFilter, host: readonly number[]): readonly bigint[] {
  return filter.values.flatMap((value) => {
    const inode = value === 'host_ns' ? host[NAMESPACES[filter.namespace]] : Number(value);
    return inode === undefined ? [] : [BigInt(inode)];
  });
}
