import { CAPABILITIES } from '../capabilities.ts';
import { formatAddress } from '../addresses.ts';
import type { Answer } from '../evaluate/answer.ts';
import { unknownMatches } from '../evaluate/evaluate.ts';
import type { ArgValue, HookCall, Lineage, ProcessFacts, SocketValue, Workload } from '../evaluate/event.ts';
import { answer } from '../evaluate/filter.ts';
import { isInScope } from '../evaluate/scope.ts';
import { filterClause } from '../explain/filter-clauses.ts';
import { argumentsOf } from '../filter-arguments.ts';
import { ADDRESS_FAMILIES, IP_PROTOCOLS, TCP_STATES } from '../network-names.ts';
import { processClause } from '../explain/process-clauses.ts';
import { scopeSentences, workloadClause } from '../explain/scope-sentences.ts';
import type { Plan, PlanArg, PlanFilter, PlanHook, PlanSelector } from '../plan.ts';
import type { PlanPidFilter } from '../plan-process-filters.ts';
import { quote } from '../problem.ts';
import type { HookResult } from './call-result.ts';

/** Why a selector matched or not: all its filters if it did, else the one that decided. */
export type SelectorTrace = {
  readonly path: string;
  readonly matched: 'yes' | 'no' | 'by unknown';
  readonly reasons: readonly FilterTrace[];
};

export type FilterTrace = {
  readonly answer: Answer;
  /** `the path of the file in argument 0 begins with "/etc/"`. */
  readonly filter: string;
  /** `"/tmp/x"`. */
  readonly actual: string;
};

/** All selectors that were looked at, in order, and what the one that matched asks for at the return. */
export function traceOf(result: HookResult): readonly SelectorTrace[] {
  const { policy, hook, call, entry } = result;
  const looked = entry.selector === null ? hook.selectors : hook.selectors.slice(0, entry.selector + 1);
  const traces = looked.map((selector, position): SelectorTrace => {
    const { path } = selector;
    if (!isInScope(policy.plan, selector, call.process.workload)) {
      return { path, matched: 'no', reasons: [scopeTrace(policy.plan, selector, call.process.workload)] };
    }
    const reasons = selector.filters.map((filter) => filterTrace(filter, hook, call));
    if (position === entry.selector) {
      return { path, matched: entry.byUnknown ? 'by unknown' : 'yes', reasons };
    }
    return { path, matched: 'no', reasons: decisive(reasons, unknownMatches(policy.plan, selector)) };
  });
  return [...traces, ...returnTrace(result)];
}

/** The filter that said no. */
function decisive(reasons: readonly FilterTrace[], ifUnknown: boolean): readonly FilterTrace[] {
  return reasons.filter((one) => one.answer === 'no' || (one.answer === 'unknown' && !ifUnknown)).slice(0, 1);
}

function returnTrace({ policy, hook, call, entry, returned }: HookResult): readonly SelectorTrace[] {
  const selector = entry.selector === null ? undefined : hook.selectors[entry.selector];
  if (returned === null || selector?.returnFilters === undefined) return [];
  const path = `${selector.path} at return`;
  const reasons = selector.returnFilters.map((filter) => filterTrace(filter, hook, call));
  if (returned.selector !== null) return [{ path, matched: returned.byUnknown ? 'by unknown' : 'yes', reasons }];
  return [{ path, matched: 'no', reasons: decisive(reasons, policy.plan.options.onUnknown === 'match') }];
}

function filterTrace(filter: PlanFilter, hook: PlanHook, call: HookCall): FilterTrace {
  return {
    answer: answer(filter, hook.args, call),
    filter: filterClause(hook, filter, () => undefined),
    actual: actualWords(filter, hook.args, call),
  };
}

function scopeTrace({ scope }: Plan, selector: PlanSelector, workload: Workload): FilterTrace {
  const pods = selector.filters.filter((filter) => filter.on === 'podNamespace');
  const isEverything =
    scope.namespace === null && scope.podSelector === null && scope.containerSelector === undefined && scope.host === undefined;
  const clauses = [
    ...(isEverything ? [] : [`it is about ${scopeSentences(scope, null).join(', ')}`]),
    ...(selector.workload === undefined ? [] : [workloadClause(selector.workload)]),
    ...pods.map(processClause),
  ];
  return { answer: 'no', filter: clauses.join('; and '), actual: workloadWords(workload) };
}

export function workloadWords(workload: Workload): string {
  switch (workload.kind) {
    case 'host':
      return 'a process of the host';
    case 'unknown':
      return 'a process of no known pod';
    case 'pending':
      return `a pending container${workload.namespace === null ? '' : ` of namespace ${quote(workload.namespace)}`}`;
    case 'pod': {
      const labels = Object.entries(workload.labels).map(([key, value]) => `${key}=${value}`);
      const { container } = workload;
      const named = container === undefined ? '' : `, container ${quote(container.name)} of ${quote(container.repo)}`;
      return `a pod of namespace ${quote(workload.namespace)} ${labels.length === 0 ? 'without labels' : `with ${labels.slice(0, 8).join(', ')}`}${named}`;
    }
  }
}

/** What the filter looked at. */
function actualWords(filter: PlanFilter, args: readonly PlanArg[], { args: values, process }: HookCall): string {
  switch (filter.on) {
    case 'binary':
      return filter.of === 'parent'
        ? binaryWords(process.ancestors?.[0], filter.followChildren === true ? process.ancestors?.slice(1) : undefined)
        : binaryWords(process, filter.followChildren === true ? process.ancestors : undefined);
    case 'pid':
      return pidWords(filter, process);
    case 'namespace':
      return namespaceWords(process, filter.namespace);
    case 'namespaceChange':
      return filter.namespaces.map((name) => `${name} ${namespaceWords(process, name)}`).join(', ');
    case 'podNamespace':
      return workloadWords(process.workload);
    case 'capability':
      return capabilityWords(process.capabilities[filter.set]);
    case 'capabilityChange': {
      const before = process.execCapabilities?.[filter.set];
      return before === undefined
        ? 'not known'
        : `${capabilityWords(before)} before, ${capabilityWords(process.capabilities[filter.set])} now`;
    }
    default:
      return argumentsOf(filter)
        .map((position) => valueWords(values[position], args[position]))
        .join(', ');
  }
}

const MAX_ANCESTORS = 4;

function binaryWords(one: Lineage | undefined, ancestors: readonly Lineage[] | undefined): string {
  const name = (each: Lineage | undefined): string => {
    const binary = each?.binary ?? null;
    return binary === null ? 'not known' : quote(Buffer.from(binary).toString());
  };
  const former =
    ancestors === undefined ? [] : (one?.formerBinaries ?? []).map((path) => `ran ${quote(Buffer.from(path).toString())} before`);
  return [name(one), ...former, ...(ancestors ?? []).slice(0, MAX_ANCESTORS).map((each) => `child of ${name(each)}`)].join(', ');
}

function pidWords({ isNamespacePid, followForks }: PlanPidFilter, process: ProcessFacts): string {
  const idOf = (one: Lineage): string => {
    const id = isNamespacePid === true ? one.nsPid : one.pid;
    return id === null ? '0 (on the host)' : String(id ?? 'not known');
  };
  const older = followForks === true ? (process.ancestors ?? []).slice(0, MAX_ANCESTORS) : [];
  return [idOf(process), ...older.map((each) => `child of ${idOf(each)}`)].join(', ');
}

function namespaceWords({ namespaces, hostNamespaces }: ProcessFacts, name: keyof ProcessFacts['namespaces']): string {
  const number = namespaces[name];
  return hostNamespaces?.[name] === number ? `${number} (the host's)` : String(number);
}

const MAX_CAPABILITIES = 6;

export function capabilityWords(mask: bigint): string {
  const names = CAPABILITIES.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
  if (names.length === 0) return mask === 0n ? 'no capabilities' : `0x${mask.toString(16)}`;
  return names.length <= MAX_CAPABILITIES
    ? names.join(', ')
    : `${names.slice(0, MAX_CAPABILITIES).join(', ')} and ${names.length - MAX_CAPABILITIES} more`;
}

export function valueWords(value: ArgValue | undefined, arg: PlanArg | undefined): string {
  switch (value?.kind) {
    case 'int':
      return (
        value.syscall ?? (arg?.type === 'capability' ? (CAPABILITIES[Number(value.value)] ?? String(value.value)) : String(value.value))
      );
    case 'bytes':
      return quote(Buffer.from(value.value).toString());
    case 'socket':
      return socketWords(value);
    case 'null':
      return 'a null pointer';
    case 'absent':
      return 'absent';
    case 'shown':
      return 'a value that is not compared';
    case 'unknown':
    case undefined:
      return 'unknown';
  }
}

function socketWords({ family, protocol, state, source, destination, sourcePort, destinationPort }: SocketValue): string {
  const end = (address: Uint8Array | null, port: number): string => `${address === null ? '' : formatAddress(address)} port ${port}`;
  const parts = [
    nameOf(ADDRESS_FAMILIES, family),
    nameOf(IP_PROTOCOLS, protocol),
    `from ${end(source, sourcePort)} to ${end(destination, destinationPort)}`,
    ...(state === 0 ? [] : [nameOf(TCP_STATES, state)]),
  ];
  return parts.join(' ');
}

export function nameOf(names: ReadonlyMap<string, bigint>, number: number): string {
  return [...names].find(([, value]) => value === BigInt(number))?.[0] ?? String(number);
}
