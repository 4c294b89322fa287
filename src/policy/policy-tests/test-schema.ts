import { z } from 'zod';
import { object } from '../schema/primitives.ts';

/** More cases than a person reads; less than hurts. */
const MAX_CASES = 10_000;

const FILE_TYPES = ['reg', 'dir', 'lnk', 'chr', 'blk', 'fifo', 'sock'] as const;

const namedNumber = z.union([z.number(), z.string()]);

/** A value in more than a word; which of the fields can be given depends on the type of the argument. */
const detailedValue = object(
  {
    text: z.string().optional().describe('The text or path itself, also if it is a word such as unknown.'),
    hex: z.string().optional().describe('Bytes of a buffer in hexadecimal: 7f454c46.'),
    fileType: z.enum(FILE_TYPES).optional().describe('What kind of file it is; absent: a regular one.'),
    family: namedNumber.optional().describe('AF_INET, AF_INET6, AF_UNIX, … or a number; absent: that of the addresses.'),
    protocol: namedNumber.optional().describe('IPPROTO_TCP, IPPROTO_UDP, … or a number; absent: TCP.'),
    state: namedNumber.optional().describe('TCP_ESTABLISHED, TCP_LISTEN, … or a number; absent: 0.'),
    saddr: z.string().optional().describe('Source address, IPv4 or IPv6.'),
    sport: z.number().optional().describe('Source port.'),
    daddr: z.string().optional().describe('Destination address, IPv4 or IPv6.'),
    dport: z.number().optional().describe('Destination port.'),
  },
  'A file of another type, bytes, or a socket.',
  'Value',
);

export const argumentValue = z
  .union([z.string(), z.number(), z.array(z.string()), detailedValue])
  .describe('A text, path or number; a list of capabilities; a socket; or unknown, absent, "null".');

const args = z
  .union([z.array(argumentValue.nullable()), z.record(z.string(), argumentValue)])
  .describe('Arguments 0, 1, 2… of the call as a list (~ leaves one out), or by number, label, args[0] or data[0].');

const capabilityList = z.array(z.string()).describe('Names such as CAP_SYS_ADMIN.');
const capabilities = z
  .union([
    capabilityList,
    object(
      { effective: capabilityList.optional(), permitted: capabilityList.optional(), inheritable: capabilityList.optional() },
      'The three sets, each empty unless it is given.',
      'CapabilitySets',
    ),
  ])
  .describe('Capabilities in all three sets, or by set.');

const namespaceNumber = z.union([z.string(), z.number()]).optional().describe('host, own, or an inode number.');
const namespaces = object(
  {
    uts: namespaceNumber,
    ipc: namespaceNumber,
    mnt: namespaceNumber,
    pid: namespaceNumber,
    pid_for_children: namespaceNumber,
    net: namespaceNumber,
    time: namespaceNumber,
    time_for_children: namespaceNumber,
    cgroup: namespaceNumber,
    user: namespaceNumber,
  },
  'Linux namespaces. Absent: its own, as in a pod, but user and time of the host; of a host process all of the host.',
  'LinuxNamespaces',
);

const pid = z.int().min(1).max(4_194_304);
const nsPid = pid.optional().describe('Process id inside the pod.');
const relative = z
  .union([
    z.string(),
    object(
      {
        binary: z.string().describe('Path of the executable, or unknown.'),
        pid: pid.optional().describe('Process id on the host.'),
        nsPid,
      },
      'A process that this one descends from.',
      'Ancestor',
    ),
  ])
  .describe('Path of the executable, unknown, or more.');

export const processWords = object(
  {
    binary: z.string().optional().describe('Path of the executable, or unknown. Absent: /usr/bin/app.'),
    ranBefore: z.array(z.string()).optional().describe('Executables that the same process ran before this one.'),
    parent: relative.optional().describe('The parent. Absent: the shim of the container runtime; systemd for a host process.'),
    ancestors: z.array(relative).optional().describe('Parents of the parent, nearest first.'),
    pid: pid.optional().describe('Process id on the host.'),
    nsPid,
    capabilities: capabilities.optional(),
    namespaces: namespaces.optional(),
    atExec: object(
      { capabilities: capabilities.optional(), namespaces: namespaces.optional() },
      'As they were when the process was executed. Absent: the same as now.',
      'AtExec',
    ).optional(),
    exempt: z.boolean().optional().describe('It is one that is never denied anything and never killed: kubelet, the runtime, Palisade.'),
  },
  'The process that makes the call.',
  'Process',
);

const detailedPod = object(
  {
    namespace: z.string().optional().describe('Kubernetes namespace. Absent: default, or that of a namespaced policy.'),
    labels: z.record(z.string(), z.string()).optional().describe('Labels of the pod.'),
    container: z
      .union([
        z.string(),
        object(
          { name: z.string().optional().describe('Absent: main.'), image: z.string().optional().describe('With or without tag.') },
          'The container.',
          'Container',
        ),
      ])
      .optional()
      .describe('Name of the container, or more.'),
    state: z
      .enum(['known', 'pending', 'unknown'])
      .optional()
      .describe('pending: the node has not heard of the pod yet; unknown: in no pod that is known.'),
  },
  'The pod of the process.',
  'Pod',
);
const pod = z.union([z.string(), detailedPod]).describe('The Kubernetes namespace, or more.');
const host = z.boolean().describe('The process belongs to the host, to no pod.');
const mode = z.enum(['enforce', 'monitor']).describe('Of all policies, whatever they say themselves.');
const hook = z
  .string()
  .describe('lsm:file_open, kprobe:sys_openat, tracepoint:sched/sched_process_exec, uprobe:/bin/bash:readline, …, or spec.lsmhooks[0].');

const expectedEvent = z
  .union([
    z.string(),
    object(
      {
        policy: z.string().describe('Name of the policy; namespace/name of a namespaced one.'),
        action: z.string().optional().describe('What the event reports: post, override, sigkill, …'),
        message: z.string().optional().describe('The message of the hook.'),
      },
      'An event that is sent.',
      'ExpectedEvent',
    ),
  ])
  .describe('Name of the policy that sends it, or more.');

const detailedExpectation = object(
  {
    verdict: z.string().optional().describe('allow, deny EPERM, kill, deny EPERM + kill, signal SIGTERM, would deny EPERM, …'),
    events: z.array(expectedEvent).optional().describe('All events that are sent, and no others.'),
    does: z.array(z.string()).optional().describe('Other actions, all of them: TrackSock, GetUrl, …'),
    unknown: z.boolean().optional().describe('A policy matched because something could not be read.'),
  },
  'What must happen. What is not written is not compared.',
  'Expectation',
);

const expectation = z
  .union([z.string(), detailedExpectation])
  .describe('allow, nothing, event, deny EPERM, kill, signal SIGTERM, would deny EPERM, …, or more.');

const testCase = object(
  {
    name: z.string().min(1).max(512).describe('A sentence that says what happens to whom.'),
    hook: hook.optional(),
    args: args.optional(),
    returns: argumentValue.optional().describe('What the function returns, where a policy watches that.'),
    process: processWords.optional(),
    pod: pod.optional(),
    host: host.optional(),
    mode: mode.optional(),
    expect: expectation,
  },
  'A call, and what must happen.',
  'Case',
);

/** A file of tests for policies: everything but `cases` is a default for all cases. */
export const testFile = object(
  {
    policy: z
      .union([z.string(), z.array(z.string()).min(1).max(64)])
      .optional()
      .describe('File with the policy, relative to this one, or several. Absent: the file of the same name without .test.'),
    hook: hook.optional(),
    mode: mode.optional(),
    process: processWords.optional(),
    pod: pod.optional(),
    host: host.optional(),
    cases: z.array(testCase).min(1).max(MAX_CASES).describe('What is tested.'),
  },
  'Tests for policies, run by "palisade test".',
  'PolicyTests',
);

export type TestFile = z.infer<typeof testFile>;
export type TestCase = TestFile['cases'][number];
export type ArgumentWords = z.infer<typeof argumentValue>;
export type DetailedValue = z.infer<typeof detailedValue>;
export type ProcessWords = z.infer<typeof processWords>;
export type PodWords = z.infer<typeof pod>;
export type CapabilityWords = z.infer<typeof capabilities>;
export type NamespaceWords = z.infer<typeof namespaces>;
export type RelativeWords = z.infer<typeof relative>;
export type Expectation = z.infer<typeof expectation>;
