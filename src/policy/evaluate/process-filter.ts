import type {
  PlanBinaryFilter,
  PlanCapabilityChangeFilter,
  PlanCapabilityFilter,
  PlanNamespaceChangeFilter,
  PlanNamespaceFilter,
  PlanPidFilter,
} from '../plan-process-filters.ts';
import { type Answer, hitOrMiss, isNegated } from './answer.ts';
import type { Lineage, ProcessFacts } from './event.ts';
import { isFit } from './text-filter.ts';

/** With `followChildren` a process is what it and all before it ever ran: nobody leaves the tree of a listed executable by an exec. */
export function binaryAnswer(filter: PlanBinaryFilter, process: ProcessFacts): Answer {
  const before = process.ancestors;
  const line = filter.of === 'parent' ? before : [process, ...(before ?? [])];
  const [subject] = line ?? [];
  if (line === undefined || subject === undefined) {
    return 'unknown';
  }
  const fits = (binary: Uint8Array): boolean =>
    filter.values.some((value) => isFit(filter.operator, Buffer.from(binary), Buffer.from(value)));
  const runs = ({ binary }: Lineage): boolean | null => (binary === null ? null : fits(binary));
  const everRan = (one: Lineage): boolean | null => (one.formerBinaries ?? []).some(fits) || runs(one);
  return answerOf(filter.followChildren === true ? anyOf(line, before !== undefined, everRan) : runs(subject), filter.operator);
}

/** What the kernel says of a process in the pid namespace of the host. */
const NO_NAMESPACE_PID = 0;

/** With `followForks` a process of the host has no id in a namespace, and holds neither way (as upstream); without, its id is 0. */
export function pidAnswer(filter: PlanPidFilter, process: ProcessFacts): Answer {
  const inNamespace = filter.isNamespacePid === true;
  const hits = (one: Lineage): boolean | null => {
    const id = inNamespace ? one.nsPid : one.pid;
    return id === undefined ? null : filter.values.includes(String(id ?? NO_NAMESPACE_PID));
  };
  if (filter.followForks !== true) {
    return answerOf(hits(process), filter.operator);
  }
  if (inNamespace && process.nsPid === null) {
    return 'no';
  }
  // Ancestors outside have no id that could be listed: all containers descend from the host.
  const line = [process, ...(process.ancestors ?? []).filter(({ nsPid }) => !inNamespace || nsPid !== null)];
  return answerOf(anyOf(line, process.ancestors !== undefined, hits), filter.operator);
}

/** One that hits is enough; null if none is known to, and something is not known. */
function anyOf(line: readonly Lineage[], isComplete: boolean, hits: (one: Lineage) => boolean | null): boolean | null {
  const found = new Set(line.map(hits));
  if (found.has(true)) {
    return true;
  }
  return isComplete && !found.has(null) ? false : null;
}

function answerOf(hit: boolean | null, operator: string): Answer {
  return hit === null ? 'unknown' : hitOrMiss(hit, isNegated(operator));
}

export function namespaceAnswer(filter: PlanNamespaceFilter, process: ProcessFacts): Answer {
  const actual = process.namespaces[filter.namespace];
  const host = process.hostNamespaces?.[filter.namespace];
  const hit = filter.values.some((value) => (value === 'host_ns' ? host === actual : Number(value) === actual));
  return hitOrMiss(hit, isNegated(filter.operator));
}

export function namespaceChangeAnswer(filter: PlanNamespaceChangeFilter, process: ProcessFacts): Answer {
  const { namespaces, execNamespaces } = process;
  if (execNamespaces === undefined) {
    return 'unknown';
  }
  const hit = filter.namespaces.some((namespace) => namespaces[namespace] !== execNamespaces[namespace]);
  return hitOrMiss(hit, isNegated(filter.operator));
}

export function capabilityAnswer(filter: PlanCapabilityFilter, process: ProcessFacts): Answer {
  return capabilityHit(filter, process.capabilities[filter.set], process);
}

/** Gained or lost: both are changes. */
export function capabilityChangeAnswer(filter: PlanCapabilityChangeFilter, process: ProcessFacts): Answer {
  const before = process.execCapabilities;
  return before === undefined ? 'unknown' : capabilityHit(filter, process.capabilities[filter.set] ^ before[filter.set], process);
}

function capabilityHit(filter: Omit<PlanCapabilityFilter, 'on'>, held: bigint, process: ProcessFacts): Answer {
  const counts = !(filter.isNamespaceCapability && process.inHostUserNamespace);
  return hitOrMiss(counts && (held & BigInt(filter.mask)) !== 0n, isNegated(filter.operator));
}
