/** Planes over arguments: numbers, texts, sockets, and conditions over several of them. */
import type { SlotFields } from '../abi/hook-config.ts';
import {
  PAL_AC_STATES,
  PAL_F_DADDR,
  PAL_F_DPORT,
  PAL_F_FAMILY,
  PAL_F_FILE_TYPE,
  PAL_F_PROTOCOL,
  PAL_F_SADDR,
  PAL_F_SPORT,
  PAL_F_STATE,
  PAL_F_VALUE,
  PAL_P_CEL,
  PAL_P_SLOT,
  PAL_SF_SIGNED,
} from '../abi/layout.ts';
import { parseNetwork } from '../policy/addresses.ts';
import { argumentsIn } from '../policy/filter-arguments.ts';
import type {
  FileType,
  PlanAddressFilter,
  PlanBytesFilter,
  PlanCelFilter,
  PlanFilter,
  PlanIntFilter,
  PlanRange,
  PlanSocketFilter,
  PlanSubstringFilter,
} from '../policy/plan.ts';
import { CEL_BOUNDS } from './cel-table.ts';
import type { HookInput } from './hook-input.ts';
import { type FilterContext, slotForFilter } from './filter-context.ts';
import type { LinkFailure } from './link-failure.ts';
import type { FilterUse } from './plane-builder.ts';
import type { FilterData } from './plane-data.ts';
import { prefixesOf, rangeKeys, slotBounds } from './range-trie.ts';
import { byteString, reversed } from './string-trie.ts';
import { syscallValue } from './syscall-numbers.ts';
import { bytesOf, countBytes, countStates, MAX_PATTERN_BYTES, withoutCase } from './substring-automaton.ts';

type ArgumentFilter = Exclude<
  PlanFilter,
  { readonly on: 'podNamespace' | 'binary' | 'pid' | 'namespace' | 'namespaceChange' | 'capability' | 'capabilityChange' }
>;
type OneArgumentFilter = Extract<ArgumentFilter, { readonly arg: number }>;

/** More values of one filter than this become ranges where these are fewer. */
const MANY_VALUES = 1024;

/** Null: it is in the planes. */
export function addArgumentFilter(context: FilterContext, filter: ArgumentFilter, use: FilterUse): LinkFailure | null {
  if (filter.on === 'cel') return addExpression(context, filter, use);
  if (filter.on === 'gained') {
    const before = slotForFilter(context, filter.before, use);
    const after = slotForFilter(context, filter.after, use);
    if (before === null) return unreadable(filter.before);
    if (after === null) return unreadable(filter.after);
    if (before.fields.storage !== 'scalar') return misfit(filter.before, before.fields.storage);
    if (after.fields.storage !== 'scalar') return misfit(filter.after, after.fields.storage);
    context.planes.add({ source: PAL_P_SLOT, slot: before.number, field: after.number, storage: 'scalar' }, use, { kind: 'gain' });
    return null;
  }
  const slot = slotForFilter(context, filter.arg, use);
  if (slot === null) return unreadable(filter.arg);
  if ((slot.fields.storage === 'scalar') !== NUMBERS.has(filter.on)) return misfit(filter.arg, slot.fields.storage);
  const isSigned = (slot.fields.flags & PAL_SF_SIGNED) !== 0;
  const data = dataOf(filter, isSigned, context.input);
  if ('reason' in data) return data;
  const negated = 'operator' in filter && filter.operator.startsWith('Not');
  const value = { source: PAL_P_SLOT, slot: slot.number, field: fieldOf(filter), storage: slot.fields.storage };
  context.planes.add(value, { ...use, negated }, data);
  return null;
}

/** Filters that compare numbers; all others compare what is copied into scratch memory. */
const NUMBERS: ReadonlySet<PlanFilter['on']> = new Set(['int', 'range', 'mask']);

/** `auto` is what the kernel says, and a filter may have been written for something else. */
function misfit(arg: number, storage: SlotFields['storage']): LinkFailure {
  const what = storage === 'scalar' ? 'a number' : 'no number';
  return { reason: 'BtfTypeMismatch', message: `argument ${arg} is ${what} in this kernel, and the filter compares something else` };
}

function unreadable(arg: number): LinkFailure {
  return { reason: 'ArgIndexOutOfRange', message: `argument ${arg} is not readable here` };
}

type Machine = Pick<HookInput, 'arch' | 'target'>;

function dataOf(filter: OneArgumentFilter, isSigned: boolean, machine: Machine): FilterData | LinkFailure {
  switch (filter.on) {
    case 'int':
      return integerData(filter, isSigned, machine);
    case 'range':
      return { kind: 'ranges', ranges: filter.ranges.flatMap((range) => keysOf(range, isSigned)) };
    case 'mask':
      return { kind: 'mask', mask: BigInt(filter.mask) };
    case 'bytes':
      return bytesData(filter);
    case 'substring':
      return substringData(filter);
    case 'fileType':
      return { kind: 'ints', values: filter.values.map((type) => FILE_TYPES[type]) };
    case 'address':
      return addressData(filter);
    case 'socket':
      return socketData(filter);
  }
}

/** `S_IFMT` (stat.h) shifted by 12. */
const FILE_TYPES: Readonly<Record<FileType, bigint>> = { fifo: 1n, chr: 2n, dir: 4n, blk: 6n, reg: 8n, lnk: 10n, sock: 12n };

const SOCKET_FIELDS: Readonly<Record<PlanSocketFilter['field'], number>> = {
  family: PAL_F_FAMILY,
  protocol: PAL_F_PROTOCOL,
  state: PAL_F_STATE,
  sourcePort: PAL_F_SPORT,
  destinationPort: PAL_F_DPORT,
};

function fieldOf(filter: OneArgumentFilter): number {
  switch (filter.on) {
    case 'fileType':
      return PAL_F_FILE_TYPE;
    case 'address':
      return filter.end === 'source' ? PAL_F_SADDR : PAL_F_DADDR;
    case 'socket':
      return SOCKET_FIELDS[filter.field];
    default:
      return PAL_F_VALUE;
  }
}

function keysOf([min, max]: PlanRange, isSigned: boolean): readonly (readonly [bigint, bigint])[] {
  const keys = rangeKeys(BigInt(min), BigInt(max), isSigned);
  return keys === null ? [] : [keys];
}

function integerData(filter: PlanIntFilter, isSigned: boolean, { arch, target }: Machine): FilterData | LinkFailure {
  const values: bigint[] = [];
  const { min, max } = slotBounds(isSigned);
  for (const text of filter.values) {
    const value = /^-?\d+$/.test(text) ? BigInt(text) : syscallValue(text, arch);
    if (value === undefined)
      return { reason: 'FunctionNotFound', message: `the number of the system call ${text} on ${arch} is not known` };
    if (value >= min && value <= max) values.push(value);
  }
  if (target.tables === 'all' && values.length > MANY_VALUES) {
    const runs = runsOf(values.toSorted((a, b) => (a < b ? -1 : 1)));
    const ranges = runs.map(([first, last]): readonly [bigint, bigint] => [first - min, last - min]);
    const rows = ranges.reduce((sum, [from, to]) => sum + [...prefixesOf(from, to)].length, 0);
    if (rows < values.length) return { kind: 'ranges', ranges };
  }
  return { kind: 'ints', values: values.map((value) => BigInt.asUintN(64, value)) };
}

/** `values` are sorted. */
function runsOf(values: readonly bigint[]): readonly (readonly [bigint, bigint])[] {
  const runs: [bigint, bigint][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] + 1n === value) last[1] = value;
    else runs.push([value, value]);
  }
  return runs;
}

function bytesData(filter: PlanBytesFilter): FilterData {
  const values = filter.values.map(byteString);
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

function substringData(filter: PlanSubstringFilter): FilterData | LinkFailure {
  const folded = filter.ignoreCase === true ? 'folded' : 'exact';
  const values = filter.values.map(byteString).map((value) => (folded === 'folded' ? withoutCase(value) : value));
  const bytes = countBytes(bytesOf(values));
  if (bytes > MAX_PATTERN_BYTES) {
    return { reason: 'SubstringBudget', message: `the substrings have ${bytes} different bytes; ${MAX_PATTERN_BYTES} fit into one filter` };
  }
  const states = countStates(values);
  if (states > PAL_AC_STATES) {
    return { reason: 'SubstringBudget', message: `the substrings need ${states} states of an automaton; ${PAL_AC_STATES} fit` };
  }
  return { kind: 'substrings', folded, values };
}

function addressData(filter: PlanAddressFilter): FilterData {
  return { kind: 'networks', networks: filter.values.flatMap((value) => parseNetwork(value) ?? []) };
}

function socketData(filter: PlanSocketFilter): FilterData {
  const single = filter.ranges.every(([min, max]) => min === max);
  return single
    ? { kind: 'ints', values: filter.ranges.map(([value]) => BigInt(value)) }
    : { kind: 'ranges', ranges: filter.ranges.flatMap((range) => keysOf(range, false)) };
}

function addExpression(context: FilterContext, filter: PlanCelFilter, use: FilterUse): LinkFailure | null {
  for (const arg of argumentsIn(filter.expression)) {
    const slot = slotForFilter(context, arg, use);
    if (slot === null) return unreadable(arg);
    if (slot.fields.storage !== 'scalar') return misfit(arg, slot.fields.storage);
  }
  const added = context.cel.add(filter.expression, (arg) => context.argSlots[arg] ?? null);
  if (added === null) return { reason: 'CelBudget', message: `the expression is too large: a hook has room for ${CEL_BOUNDS}` };
  const value = { source: PAL_P_CEL, slot: 0, field: added.number & 0xff, storage: 'scalar' } as const;
  context.planes.add(value, use, { kind: 'cel', nodes: added.nodes });
  return null;
}
