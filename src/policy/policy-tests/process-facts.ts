import type { CapabilitySets, Lineage, NamespaceNumbers, ProcessFacts, Workload } from '../evaluate/event.ts';
import { parseInteger } from '../integers.ts';
import type { LinuxNamespace } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { capabilityMask } from './argument-value.ts';
import type { CapabilityWords, NamespaceWords, PodWords, ProcessWords, RelativeWords } from './test-schema.ts';

/** Who makes a call, in a test's words, with what the file says for all cases already mixed in. */
export type CallerWords = { readonly process: ProcessWords; readonly pod: PodWords | undefined; readonly host: boolean };

export const USUAL_BINARY = '/usr/bin/app';
export const USUAL_PID = 4242;
export const USUAL_NS_PID = 42;
export const USUAL_CONTAINER = { name: 'main', repo: 'docker.io/library/app' } as const;
const SHIM: Lineage = { binary: Buffer.from('/usr/bin/containerd-shim-runc-v2'), pid: 900, nsPid: null };
const SYSTEMD: Lineage = { binary: Buffer.from('/usr/lib/systemd/systemd'), pid: 1, nsPid: null };

/** Inode numbers as Linux gives them to the first namespaces. */
export const HOST_NAMESPACES: NamespaceNumbers = {
  uts: 4_026_531_838,
  ipc: 4_026_531_839,
  mnt: 4_026_531_841,
  pid: 4_026_531_836,
  pid_for_children: 4_026_531_836,
  net: 4_026_531_840,
  time: 4_026_531_834,
  time_for_children: 4_026_531_834,
  cgroup: 4_026_531_835,
  user: 4_026_531_837,
};

/** Namespaces of its own. */
const OWN_NAMESPACES: NamespaceNumbers = {
  uts: 4_026_532_601,
  ipc: 4_026_532_602,
  mnt: 4_026_532_603,
  pid: 4_026_532_604,
  pid_for_children: 4_026_532_604,
  net: 4_026_532_605,
  time: 4_026_532_606,
  time_for_children: 4_026_532_606,
  cgroup: 4_026_532_607,
  user: 4_026_532_608,
};

/** What runtimes give to a container. */
export const POD_NAMESPACES: NamespaceNumbers = {
  ...OWN_NAMESPACES,
  time: HOST_NAMESPACES.time,
  time_for_children: HOST_NAMESPACES.time,
  user: HOST_NAMESPACES.user,
};

export type Defaults = {
  /** Kubernetes namespace of a pod of which the test does not say it. */
  readonly namespace: string;
};

export function readCaller(sink: ProblemSink, path: string, words: CallerWords, defaults: Defaults): ProcessFacts {
  const { process, host } = words;
  const at = fieldPath(path, 'process');
  const usual = host ? HOST_NAMESPACES : POD_NAMESPACES;
  const namespaces = readNamespaces(sink, fieldPath(at, 'namespaces'), process.namespaces, usual);
  const capabilities = readCapabilities(sink, fieldPath(at, 'capabilities'), process.capabilities);
  const { atExec } = process;
  const execAt = fieldPath(at, 'atExec');
  return {
    binary: binaryOf(process.binary ?? USUAL_BINARY),
    ...(process.ranBefore === undefined ? {} : { formerBinaries: process.ranBefore.map((path) => Buffer.from(path)) }),
    pid: process.pid ?? USUAL_PID,
    nsPid: process.nsPid ?? (host ? null : USUAL_NS_PID),
    ancestors: readAncestors(process, host),
    namespaces,
    hostNamespaces: HOST_NAMESPACES,
    execNamespaces:
      atExec?.namespaces === undefined ? namespaces : readNamespaces(sink, fieldPath(execAt, 'namespaces'), atExec.namespaces, namespaces),
    capabilities,
    execCapabilities:
      atExec?.capabilities === undefined ? capabilities : readCapabilities(sink, fieldPath(execAt, 'capabilities'), atExec.capabilities),
    inHostUserNamespace: namespaces.user === HOST_NAMESPACES.user,
    workload: host ? { kind: 'host' } : workloadOf(words.pod, defaults),
    exempt: process.exempt ?? false,
  };
}

function binaryOf(text: string): Uint8Array | null {
  return text === 'unknown' ? null : Buffer.from(text);
}

function readAncestors({ parent, ancestors }: ProcessWords, host: boolean): readonly Lineage[] {
  const first = host ? SYSTEMD : SHIM;
  return [parent === undefined ? first : relative(parent, 0, host), ...(ancestors ?? []).map((one, at) => relative(one, at + 1, host))];
}

/** Who is older has the smaller id; each has one of its own. */
function relative(words: RelativeWords, generation: number, host: boolean): Lineage {
  const { binary, pid, nsPid }: Exclude<RelativeWords, string> = typeof words === 'string' ? { binary: words } : words;
  return {
    binary: binaryOf(binary),
    pid: pid ?? Math.max(2, 4_200 - generation),
    nsPid: nsPid ?? (host ? null : Math.max(1, USUAL_NS_PID - 1 - generation)),
  };
}

function readCapabilities(sink: ProblemSink, path: string, words: CapabilityWords | undefined): CapabilitySets {
  if (words === undefined || Array.isArray(words)) {
    const mask = capabilityMask(sink, path, words ?? []);
    return { effective: mask, permitted: mask, inheritable: mask };
  }
  const set = (name: keyof CapabilitySets): bigint => capabilityMask(sink, fieldPath(path, name), words[name] ?? []);
  return { effective: set('effective'), permitted: set('permitted'), inheritable: set('inheritable') };
}

export const LINUX_NAMESPACES: readonly LinuxNamespace[] = [
  'uts',
  'ipc',
  'mnt',
  'pid',
  'pid_for_children',
  'net',
  'time',
  'time_for_children',
  'cgroup',
  'user',
];

function readNamespaces(sink: ProblemSink, path: string, words: NamespaceWords | undefined, usual: NamespaceNumbers): NamespaceNumbers {
  const numbers: Record<LinuxNamespace, number> = { ...usual };
  for (const name of LINUX_NAMESPACES) {
    const given = words?.[name];
    if (given !== undefined) numbers[name] = readNamespace(sink, fieldPath(path, name), name, given);
  }
  // Children go where their parent is, unless it is said otherwise.
  if (words?.pid_for_children === undefined && words?.pid !== undefined) numbers.pid_for_children = numbers.pid;
  if (words?.time_for_children === undefined && words?.time !== undefined) numbers.time_for_children = numbers.time;
  return numbers;
}

function readNamespace(sink: ProblemSink, path: string, name: LinuxNamespace, given: string | number): number {
  if (given === 'host') return HOST_NAMESPACES[name];
  if (given === 'own') return OWN_NAMESPACES[name];
  const number = parseInteger(String(given));
  if (number !== undefined && number >= 0n && number <= 0xffff_ffffn) return Number(number);
  sink.error('BadNamespaceValue', path, `${quote(given)} is no Linux namespace`, 'use host, own, or an inode number');
  return 0;
}

function workloadOf(words: PodWords | undefined, defaults: Defaults): Workload {
  if (typeof words === 'string') {
    return { kind: 'pod', namespace: words, labels: {}, container: USUAL_CONTAINER };
  }
  const { namespace, labels, container, state } = words ?? {};
  if (state === 'unknown') return { kind: 'unknown' };
  if (state === 'pending') return { kind: 'pending', namespace: namespace ?? null };
  const { name, image } = typeof container === 'string' ? { name: container, image: undefined } : (container ?? {});
  return {
    kind: 'pod',
    namespace: namespace ?? defaults.namespace,
    labels: labels ?? {},
    container: { name: name ?? USUAL_CONTAINER.name, repo: image === undefined ? USUAL_CONTAINER.repo : repositoryOf(image) },
  };
}

/** Without tag and digest; a port of the registry stays. */
function repositoryOf(image: string): string {
  const [withTag = ''] = image.split('@');
  const colon = withTag.lastIndexOf(':');
  return colon > withTag.lastIndexOf('/') ? withTag.slice(0, colon) : withTag;
}
