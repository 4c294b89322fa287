/** Random calls of the hook of `randomPolicies`: as the reference evaluator takes them, and as the model of the engine does. */
import type { SlotFields } from '../../abi/hook-config.ts';
import {
  PAL_CLASS_HOST,
  PAL_CLASS_PENDING,
  PAL_SF_RETURN_COPY,
  PAL_SRC_RETURN,
  PAL_SRC_TASK,
  PAL_T_BPF_ATTR,
  PAL_T_CAP_INH,
  PAL_T_CAPS,
  PAL_T_CONST_BUF,
  PAL_T_CRED,
  PAL_T_INT,
  PAL_T_MODULE,
  PAL_T_SOCK,
  PAL_T_SOCKADDR,
  PAL_T_USER_NS,
} from '../../abi/layout.ts';
import type { SelectorMask } from '../../abi/selector-mask.ts';
import type { ArgValue, HookCall, Lineage, NamespaceNumbers, ProcessFacts, SocketValue, Workload } from '../../policy/evaluate/event.ts';
import type { LinuxNamespace, PlanHook } from '../../policy/plan.ts';
import { classRow, type ScopeRule, scopeRows } from '../scope.ts';
import { integerOf, scalarType } from '../slot-type.ts';
import type { ModelValue } from './model-lookup.ts';
import type { ModelTask } from './model-process.ts';
import { LINUX_NAMESPACES, ofType } from './policy-arbitraries.ts';
import type { Random } from './random.ts';
import { placeOf, RANDOM_PODS } from './random-policies.ts';
import {
  BINARIES,
  FAMILIES,
  INTS,
  PIDS,
  PORTS,
  PROTOCOLS,
  SHOWN_TYPES,
  SOCKET_TYPES,
  STATES,
  SYSCALLS,
  TEXT_TYPES,
  TEXTS,
} from './random-filters.ts';

/** Whatever type reads a place, it finds something there. */
type Raw = {
  readonly state: 'there' | 'null' | 'absent' | 'unknown';
  readonly int: bigint;
  readonly text: Buffer;
  readonly fileMode: number | undefined;
  readonly family: number | undefined;
  readonly socket: SocketValue;
};

export type RandomCall = {
  readonly process: ProcessFacts;
  readonly argsOf: (hook: PlanHook) => HookCall['args'];
  readonly valueOf: (slot: SlotFields) => ModelValue;
  /** `rules`: of the hook whose scope row it is. */
  readonly task: (rules: readonly ScopeRule[]) => ModelTask;
};

export function randomCall(random: Random, host: NamespaceNumbers | null): RandomCall {
  const places = new Map<string, Raw>();
  const at = (place: string): Raw => {
    const known = places.get(place) ?? rawValue(random);
    places.set(place, known);
    return known;
  };
  const process = randomProcess(random, host);
  return {
    process,
    argsOf: (hook) => hook.args.map((arg) => argumentOf(at(placeOf(arg, hook)), arg.type)),
    valueOf: (slot) => slotValue(at(slotPlace(slot)), slot),
    task: (rules) => taskOf(process, rules),
  };
}

export function byNamespace(numberOf: (position: number) => number): NamespaceNumbers {
  const number = (name: LinuxNamespace): number => numberOf(LINUX_NAMESPACES.indexOf(name));
  return {
    uts: number('uts'),
    ipc: number('ipc'),
    mnt: number('mnt'),
    pid: number('pid'),
    pid_for_children: number('pid_for_children'),
    net: number('net'),
    time: number('time'),
    time_for_children: number('time_for_children'),
    cgroup: number('cgroup'),
    user: number('user'),
  };
}

function slotPlace(slot: SlotFields): string {
  if (slot.source === PAL_SRC_RETURN) return 'return';
  const start = slot.source === PAL_SRC_TASK ? 'task' : `arg${slot.register}`;
  return `${start}/${slot.steps.join(',')}${(slot.flags & PAL_SF_RETURN_COPY) === 0 ? '' : '/copy'}`;
}

function rawValue(random: Random): Raw {
  const kind = random.int(12);
  const first = random.pick(TEXTS);
  const mode = random.pick([0o140_000, 0o120_000, 0o100_644, 0o060_000, 0o040_755, 0o020_000, 0o010_000, 0]);
  return {
    state: kind === 0 ? 'unknown' : kind === 1 ? 'null' : kind === 2 ? 'absent' : 'there',
    int: random.pick(INTS),
    text: Buffer.from(random.oneIn(3) ? first + random.pick(TEXTS) : first),
    fileMode: random.oneIn(5) ? undefined : mode,
    family: random.oneIn(3) ? undefined : random.pick(FAMILIES),
    socket: randomSocket(random),
  };
}

const ADDRESSES: readonly (Uint8Array | null)[] = [
  null,
  Uint8Array.of(10, 1, 2, 3),
  Uint8Array.of(10, 1, 9, 9),
  Uint8Array.of(10, 200, 0, 1),
  Uint8Array.of(192, 168, 1, 7),
  Uint8Array.of(8, 8, 8, 8),
  Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
  Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
];

function randomSocket(random: Random): SocketValue {
  return {
    kind: 'socket',
    family: random.pick(FAMILIES),
    protocol: random.pick(PROTOCOLS),
    state: random.pick(STATES),
    source: random.pick(ADDRESSES),
    destination: random.pick(ADDRESSES),
    sourcePort: random.pick(PORTS),
    destinationPort: random.pick(PORTS),
  };
}

function argumentOf(raw: Raw, type: PlanHook['args'][number]['type']): ArgValue {
  if (raw.state !== 'there') return { kind: raw.state };
  if (integerOf(type) !== null) {
    const syscall = type === 'syscall64' ? SYSCALLS[String(raw.int)] : undefined;
    return { kind: 'int', value: ofType(raw.int, type), ...(syscall === undefined ? {} : { syscall }) };
  }
  if (scalarType(type) !== null) return { kind: 'int', value: BigInt.asUintN(64, raw.int) };
  if (SOCKET_TYPES.includes(type)) return raw.socket;
  if (SHOWN_TYPES.includes(type)) return { kind: 'shown' };
  if (!TEXT_TYPES.includes(type)) throw new Error(`no value for ${type}`);
  return {
    kind: 'bytes',
    value: raw.text,
    ...(raw.fileMode === undefined ? {} : { fileMode: raw.fileMode }),
    ...(raw.family === undefined ? {} : { family: raw.family }),
  };
}

function slotValue(raw: Raw, { type }: SlotFields): ModelValue {
  if (raw.state !== 'there') return { kind: raw.state };
  if (type === PAL_T_INT) return { kind: 'int', raw: BigInt.asUintN(64, raw.int) };
  if (type >= PAL_T_CAPS && type <= PAL_T_CAP_INH) return { kind: 'int', raw: raw.int };
  if (type >= PAL_T_SOCK && type <= PAL_T_SOCKADDR) return raw.socket;
  const isShown =
    type === PAL_T_CRED || type === PAL_T_USER_NS || type === PAL_T_CONST_BUF || (type >= PAL_T_BPF_ATTR && type <= PAL_T_MODULE);
  return isShown ? { kind: 'shown' } : { kind: 'bytes', value: raw.text, fileMode: raw.fileMode, family: raw.family };
}

function randomLineage(random: Random): Lineage {
  return {
    binary: random.oneIn(8) ? null : Buffer.from(random.pick(BINARIES)),
    ...(random.oneIn(4) ? { formerBinaries: random.some(BINARIES, 2).map((path) => Buffer.from(path)) } : {}),
    ...(random.oneIn(8) ? {} : { pid: random.pick(PIDS) }),
    ...(random.oneIn(8) ? {} : { nsPid: random.oneIn(4) ? null : random.pick(PIDS) }),
  };
}

function randomProcess(random: Random, host: NamespaceNumbers | null): ProcessFacts {
  const inodes = (): NamespaceNumbers => byNamespace(() => random.int(3));
  const sets = () => ({
    effective: random.pick([0n, 1n, 2n, 0x1ff_ffff_ffffn]),
    permitted: random.pick([0n, 3n]),
    inheritable: random.pick([0n, 1n]),
  });
  return {
    ...randomLineage(random),
    ...(random.oneIn(8) ? {} : { ancestors: Array.from({ length: random.int(4) }, () => randomLineage(random)) }),
    namespaces: inodes(),
    hostNamespaces: host,
    ...(random.oneIn(6) ? {} : { execNamespaces: inodes() }),
    capabilities: sets(),
    ...(random.oneIn(6) ? {} : { execCapabilities: sets() }),
    inHostUserNamespace: random.oneIn(2),
    workload: randomWorkload(random),
    exempt: random.oneIn(8),
  };
}

function randomWorkload(random: Random): Workload {
  switch (random.int(6)) {
    case 0:
      return { kind: 'host' };
    case 1:
      return { kind: 'unknown' };
    case 2:
      return { kind: 'pending', namespace: null };
    default: {
      const { namespace, labels, containers } = random.pick(RANDOM_PODS);
      const container = containers === undefined || random.oneIn(4) ? undefined : random.pick(containers);
      const facts = container === undefined ? {} : { container: { name: container.name, repo: container.repo } };
      return { kind: 'pod', namespace, labels, ...facts };
    }
  }
}

/** The engine knows no namespace of a pending pod. `rules`: of the hook whose scope row it is. */
export function taskOf(process: ProcessFacts, rules: readonly ScopeRule[]): ModelTask {
  const list = (numbers: NamespaceNumbers): readonly number[] => LINUX_NAMESPACES.map((name) => numbers[name]);
  const { namespaces, execNamespaces, hostNamespaces: _host, workload, ...rest } = process;
  return {
    ...rest,
    scopeRow: scopeRow(workload, rules),
    namespaces: list(namespaces),
    execNamespaces: execNamespaces === undefined ? undefined : list(execNamespaces),
  };
}

function scopeRow(workload: Workload, rules: readonly ScopeRule[]): SelectorMask {
  const rows = scopeRows(rules, new Map());
  switch (workload.kind) {
    case 'host':
      return rows.get(PAL_CLASS_HOST) ?? 0n;
    case 'pending':
      return rows.get(PAL_CLASS_PENDING) ?? 0n;
    case 'unknown':
      return 0n;
    case 'pod':
      return classRow(rules, workload);
  }
}
