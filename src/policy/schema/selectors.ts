import { z } from 'zod';
import { action } from './actions.ts';
import { labelSelector } from './label-selector.ts';
import { object, off, position, uint32 } from './primitives.ts';

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
    index: position.optional().describe('The argument, by its "index" in args (in data: by its position there). Not needed with args.'),
    args: z
      .array(position)
      .optional()
      .describe('The argument by its position in the list args, from 0. CapabilitiesGained takes two: the set before and the set after.'),
    operator: z
      .enum(ARG_OPERATORS)
      .describe(
        'How the value is compared. Texts and paths: Equal, Prefix, Postfix, SubString, SubStringIgnCase. Numbers: Equal, GT, LT (one of the ' +
          'values), InRange, Mask (a bit in common), InMap (many values, ranges, list:NAME). Sockets: SAddr, DAddr, SPort, DPort, SPortPriv ' +
          '(below 1024), Protocol, Family, State. Files: FileType. Capability sets: Equal, Mask, CapabilitiesGained. Several integers: CelExpr. ' +
          'In is Equal, NotIn is NotEqual. An operator that does not fit the type is refused.',
      ),
    values: strings
      .optional()
      .describe(
        'Texts, so quote numbers: ["/etc/shadow"], ["-1", "0x10"]; InRange and ports ["1024:65535"]; addresses ["10.0.0.0/8", "::1"]; names ' +
          '["AF_INET"], ["IPPROTO_TCP"], ["TCP_LISTEN"], ["CAP_SYS_ADMIN"], ["reg"]; CelExpr ["arg0 == 2"]. One must fit; with Not operators ' +
          'none may. None for *Priv and CapabilitiesGained.',
      ),
  },
  'A condition on a value that the hook reads. A value that cannot be read does not match, or as palisade.dev/on-unknown says.',
  'ArgumentFilter',
);

const binaryFilter = object(
  {
    operator: z
      .enum(['In', 'NotIn', 'Prefix', 'NotPrefix', 'Postfix', 'NotPostfix'])
      .describe('In: one of the paths; Prefix, Postfix: begins or ends with one of them.'),
    values: strings.describe(
      'Absolute paths as at execve, links resolved, for example /usr/bin/nc. /bin is a link on many systems: list both. A script counts ' +
        'as its interpreter.',
    ),
    followChildren: off('Descendants count too, also after they execute something else. With In and NotIn.'),
  },
  'A condition on the executable of a process.',
  'BinaryFilter',
);

const pidFilter = object(
  {
    operator: membership.describe('In: one of the ids; NotIn: none of them.'),
    values: z.array(uint32).describe('Process ids (not of threads), for example [1]. Any number of them.'),
    isNamespacePID: off('Ids are those inside the pid namespace of the container; processes of the host then never match.'),
    followForks: off('Descendants of these processes count too.'),
  },
  'A condition on the id of the process.',
  'PidFilter',
);

const namespaceFilter = object(
  {
    namespace: z
      .enum(NAMESPACE_TYPES)
      .describe('Kind of Linux namespace. Pod is ours: the Kubernetes namespace of the pod; processes outside pods never match it.'),
    operator: membership.describe('In: in one of them; NotIn: in none.'),
    values: strings.describe(
      'Inode numbers as in /proc/PID/ns, quoted, or host_ns for that of the host: ["4026531840"]. With Pod: names, ["kube-system"].',
    ),
  },
  'A condition on a namespace that the process is in.',
  'NamespaceFilter',
);

const namespaceChangeFilter = object(
  {
    operator: membership.describe('In: one of these has changed; NotIn: one that is not listed has changed (as upstream).'),
    values: strings.describe('Kinds of Linux namespaces, for example [Mnt, Net, User].'),
  },
  'A condition on namespaces that the process has left since its execve.',
  'NamespaceChangeFilter',
);

const capabilityFilter = object(
  {
    type: z
      .enum(['Effective', 'Inheritable', 'Permitted'])
      .default('Effective')
      .describe('Which set. Effective, the default, is what the kernel checks.'),
    operator: membership.describe('In: at least one of them; NotIn: none.'),
    isNamespaceCapability: off('Only for processes outside the user namespace of the host; with In others never match.'),
    values: strings.describe('Names of capabilities, for example [CAP_SYS_ADMIN, CAP_BPF].'),
  },
  'A condition on the capabilities of the process.',
  'CapabilityFilter',
);

const workloadFilter = object(
  {
    podSelector: labelSelector('Pods by their labels. {}: all pods.').optional(),
    containerSelector: labelSelector('Containers by the fields name and repo (image without tag) in place of labels.').optional(),
    hostSelector: labelSelector('{}: processes of the host too.').optional(),
  },
  'Narrows this selector to some workloads of those that the policy is about.',
  'WorkloadFilter',
);

export const selector = object(
  {
    matchArgs: z
      .array(argFilter)
      .optional()
      .describe(
        'Conditions on arguments that args lists, for example {index: 0, operator: Prefix, values: [/etc/]}. All entries must hold; the values of ' +
          'one entry are alternatives.',
      ),
    matchData: z.array(argFilter).optional().describe('Conditions on values that data lists, by their position there.'),
    matchReturnArgs: z
      .array(argFilter)
      .optional()
      .describe('Conditions on the return value, for example {index: 0, operator: LT, values: ["0"]}: failed calls. Needs "return: true".'),
    matchBinaries: z
      .array(binaryFilter)
      .max(1)
      .optional()
      .describe('A condition on the executable, for example {operator: In, values: [/usr/bin/nc]}.'),
    matchParentBinaries: z
      .array(binaryFilter)
      .max(1)
      .optional()
      .describe('A condition on the executable of the parent of the process, for example of the shell that started it.'),
    matchPIDs: z
      .array(pidFilter)
      .optional()
      .describe('Conditions on process ids. Of little use in clusters: ids differ from start to start.'),
    matchNamespaces: z
      .array(namespaceFilter)
      .optional()
      .describe('Conditions on namespaces, for example {namespace: Pid, operator: NotIn, values: [host_ns]}: in containers.'),
    matchNamespaceChanges: z
      .array(namespaceChangeFilter)
      .optional()
      .describe('Conditions on namespaces that changed since execve, by unshare or setns: signs of a container escape.'),
    matchCapabilities: z
      .array(capabilityFilter)
      .optional()
      .describe('Conditions on capabilities that the process has, for example {operator: NotIn, values: [CAP_SYS_ADMIN]}.'),
    matchCapabilityChanges: z
      .array(capabilityFilter)
      .optional()
      .describe('Conditions on capabilities that the process gained or lost since its execve: gains are signs of an exploit.'),
    matchWorkloads: workloadFilter.optional(),
    matchActions: z.array(action).optional().describe('What happens when all filters hold, in this order. None: an event (Post).'),
    matchReturnActions: z
      .array(action)
      .optional()
      .describe('What happens at the return, when matchReturnArgs hold. It is too late to deny.'),
    label: z.string().optional().describe('Name of this selector in statistics.'),
    macros: z.array(z.string()).optional().describe('Names from selectorsMacros; their blocks are added. No block may come twice.'),
  },
  'Filters that must all hold, and what happens then. Of the selectors of a hook the first that matches acts, later ones are not looked at: ' +
    'put exceptions first. Without filters a selector matches every call.',
  'Selector',
);

export type ArgFilterSpec = z.infer<typeof argFilter>;
export type BinaryFilterSpec = z.infer<typeof binaryFilter>;
export type PidFilterSpec = z.infer<typeof pidFilter>;
export type NamespaceFilterSpec = z.infer<typeof namespaceFilter>;
export type NamespaceChangeFilterSpec = z.infer<typeof namespaceChangeFilter>;
export type CapabilityFilterSpec = z.infer<typeof capabilityFilter>;
export type SelectorSpec = z.infer<typeof selector>;
