import { z } from 'zod';
import { action } from './actions.ts';
import { labelSelector } from './label-selector.ts';
import { object, position, uint32 } from './primitives.ts';

/** In and NotIn are our spelling of Equal and NotEqual with several values; all others are upstream's. */
export const ARG_OPERATORS = [
  'Equal',
  'NotEqual',
  'In',
  'NotIn',
  'Prefix',
  'NotPrefix',
  'Postfix',
  'NotPostfix',
  'SubString',
  'SubStringIgnCase',
  'GreaterThan',
  'LessThan',
  'GT',
  'LT',
  'InRange',
  'NotInRange',
  'Mask',
  'InMap',
  'NotInMap',
  'SAddr',
  'NotSAddr',
  'DAddr',
  'NotDAddr',
  'SPort',
  'NotSPort',
  'DPort',
  'NotDPort',
  'SPortPriv',
  'NotSportPriv',
  'DPortPriv',
  'NotDPortPriv',
  'Protocol',
  'Family',
  'State',
  'FileType',
  'NotFileType',
  'CapabilitiesGained',
  'CelExpr',
] as const;

export type ArgOperatorName = (typeof ARG_OPERATORS)[number];

export const NAMESPACE_TYPES = [
  'Uts',
  'Ipc',
  'Mnt',
  'Pid',
  'PidForChildren',
  'Net',
  'Time',
  'TimeForChildren',
  'Cgroup',
  'User',
  'Pod',
] as const;

const membership = z.enum(['In', 'NotIn']);
const strings = z.array(z.string());

const argFilter = object(
  {
    index: position.optional().describe('The argument, by its "index" in args.'),
    args: z.array(position).optional().describe('The arguments, by position in the list args; wins over "index".'),
    operator: z.enum(ARG_OPERATORS).describe('How the argument is compared.'),
    values: strings.optional().describe('One of these must fit; for negated operators none may.'),
  },
  'A filter on an argument.',
);

const binaryFilter = object(
  {
    operator: z.enum(['In', 'NotIn', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix']),
    values: strings.describe('Paths of executables.'),
    followChildren: z.boolean().default(false).describe('Descendants of these processes match too.'),
  },
  'A filter on the executable of the process.',
);

const pidFilter = object(
  {
    operator: membership,
    values: z.array(uint32).describe('Process ids.'),
    isNamespacePID: z.boolean().default(false).describe('Ids are those inside the pid namespace of the process.'),
    followForks: z.boolean().default(false).describe('Descendants of these processes match too.'),
  },
  'A filter on the id of the process.',
);

const namespaceFilter = object(
  {
    namespace: z.enum(NAMESPACE_TYPES).describe('Kind of Linux namespace; Pod: the Kubernetes namespace of the pod of the process.'),
    operator: membership,
    values: strings.describe('Inode numbers or host_ns; with Pod: names of Kubernetes namespaces.'),
  },
  'A filter on a namespace of the process.',
);

const namespaceChangeFilter = object(
  { operator: membership, values: strings.describe('Kinds of Linux namespaces.') },
  'A filter on namespaces that changed since the process was executed.',
);

const capabilityFilter = object(
  {
    type: z.enum(['Effective', 'Inheritable', 'Permitted']).default('Effective').describe('The capability set.'),
    operator: membership,
    isNamespaceCapability: z.boolean().default(false).describe('Only capabilities of tasks outside the user namespace of the host count.'),
    values: strings.describe('Names of capabilities, for example CAP_SYS_ADMIN.'),
  },
  'A filter on capabilities of the process.',
);

const workloadFilter = object(
  {
    podSelector: labelSelector('Pods by their labels.').optional(),
    containerSelector: labelSelector('Containers by the fields name and repo.').optional(),
    hostSelector: labelSelector('Null or {}; {}: processes of the host.').optional(),
  },
  'A filter on the workload of the process.',
);

export const selector = object(
  {
    matchArgs: z.array(argFilter).optional().describe('Filters on arguments; all must hold.'),
    matchData: z.array(argFilter).optional().describe('Filters on the values of "data"; all must hold.'),
    matchReturnArgs: z.array(argFilter).optional().describe('Filters on the return value; all must hold.'),
    matchBinaries: z.array(binaryFilter).max(1).optional().describe('Filter on the executable.'),
    matchParentBinaries: z.array(binaryFilter).max(1).optional().describe('Filter on the executable of the parent.'),
    matchPIDs: z.array(pidFilter).optional().describe('Filters on process ids; all must hold.'),
    matchNamespaces: z.array(namespaceFilter).optional().describe('Filters on namespaces; all must hold.'),
    matchNamespaceChanges: z.array(namespaceChangeFilter).optional().describe('Filters on changes of namespaces.'),
    matchCapabilities: z.array(capabilityFilter).optional().describe('Filters on capabilities; all must hold.'),
    matchCapabilityChanges: z.array(capabilityFilter).optional().describe('Filters on changes of capabilities.'),
    matchWorkloads: workloadFilter.optional(),
    matchActions: z.array(action).optional().describe('What happens on a match; none: an event is sent.'),
    matchReturnActions: z.array(action).optional().describe('What happens when the return value matches.'),
    label: z.string().optional().describe('Name of the selector in statistics.'),
    macros: z.array(z.string()).optional().describe('Names of selectorsMacros whose filters are added to this selector.'),
  },
  'Filters that must all hold, and what happens then. The first selector of a hook that matches acts.',
);

export type ArgFilterSpec = z.infer<typeof argFilter>;
export type BinaryFilterSpec = z.infer<typeof binaryFilter>;
export type PidFilterSpec = z.infer<typeof pidFilter>;
export type NamespaceFilterSpec = z.infer<typeof namespaceFilter>;
export type NamespaceChangeFilterSpec = z.infer<typeof namespaceChangeFilter>;
export type CapabilityFilterSpec = z.infer<typeof capabilityFilter>;
export type SelectorSpec = z.infer<typeof selector>;
