import { numberRangeOf } from '../arg-types.ts';
import { CAPABILITIES } from '../capabilities.ts';
import { ADDRESS_FAMILIES, IP_PROTOCOLS, TCP_STATES } from '../network-names.ts';
import type {
  PlanAddressFilter,
  PlanArg,
  PlanBytesFilter,
  PlanBytesOperator,
  PlanFilter,
  PlanHook,
  PlanRange,
  PlanRangeFilter,
  PlanSocketFilter,
} from '../plan.ts';
import { celText } from './cel-text.ts';
import { capabilityList, capabilityNames, processClause } from './process-clauses.ts';
import { type ArgumentNames, placeName, valueName } from './value-names.ts';
import { andList, orList, orQuoted, shortened } from './words.ts';

/** One condition: `the path of the file in argument 0 (file) begins with "/etc/"`. */
export function filterClause(hook: PlanHook, filter: PlanFilter, names: ArgumentNames): string {
  const value = (arg: number): string => valueName(hook, arg, names);
  switch (filter.on) {
    case 'int': {
      const numbers = filter.values.map((number) => numberName(hook.args[filter.arg], number));
      return `${value(filter.arg)} ${isOneOf(numbers, filter.operator === 'Equal')}`;
    }
    case 'range':
      return `${value(filter.arg)} ${rangeText(hook.args[filter.arg], filter)}`;
    case 'mask':
      return `${value(filter.arg)} has one of the bits ${maskText(hook.args[filter.arg], filter.mask)}`;
    case 'bytes':
      return `${value(filter.arg)} ${bytesText(filter)}`;
    case 'substring':
      return `${value(filter.arg)} contains ${orQuoted(filter.values)}${filter.ignoreCase === true ? ', upper or lower case' : ''}`;
    case 'fileType':
      return `the file in ${placeOf(hook, filter.arg, names)} ${isOneOf(
        filter.values.map((type) => FILE_TYPES[type]),
        filter.operator === 'In',
      )}`;
    case 'address':
      return addressText(filter, value(filter.arg));
    case 'socket':
      return socketText(filter, placeOf(hook, filter.arg, names));
    case 'gained':
      return `${value(filter.after)} has a capability that ${value(filter.before)} has not`;
    case 'cel':
      return celText(filter.expression, value);
    default:
      return processClause(filter);
  }
}

function placeOf(hook: PlanHook, arg: number, names: ArgumentNames): string {
  const declared = hook.args[arg];
  return declared === undefined ? `argument ${arg}` : placeName(hook, declared, names);
}

/** `is 1`, `is one of 1, 2 or 3`, `is not 1`, `is none of 1, 2 or 3`. */
function isOneOf(words: readonly string[], positive: boolean): string {
  const one = words.length === 1;
  return `is ${positive ? (one ? '' : 'one of ') : one ? 'not ' : 'none of '}${orList(shortened(words))}`;
}

const FILE_TYPES = {
  sock: 'a socket',
  lnk: 'a symbolic link',
  reg: 'a regular file',
  blk: 'a block device',
  dir: 'a directory',
  chr: 'a character device',
  fifo: 'a pipe',
} as const;

const BYTES: Readonly<Record<PlanBytesOperator, string>> = {
  Equal: 'is',
  NotEqual: 'is not',
  Prefix: 'begins with',
  NotPrefix: 'does not begin with',
  Postfix: 'ends with',
  NotPostfix: 'does not end with',
};

function bytesText({ operator, values }: PlanBytesFilter): string {
  return `${BYTES[operator]} ${orQuoted(values)}`;
}

/** Capabilities and sets of them by name; what Linux does not name stays a number. */
function numberName(arg: PlanArg | undefined, number: string): string {
  if (arg?.type === 'capability') return CAPABILITIES[Number(number)] ?? number;
  return CAPABILITY_SETS.has(arg?.type ?? '') ? `exactly ${number === '0' ? 'none' : capabilityNames(number).join(' + ')}` : number;
}

function rangeText(arg: PlanArg | undefined, { operator, ranges }: PlanRangeFilter): string {
  const bounds = arg === undefined ? undefined : numberRangeOf(arg.type);
  const texts = ranges.map((range) => {
    const [min, max] = range;
    if (min === max) return min;
    if (BigInt(min) === bounds?.min) return `at most ${max}`;
    return BigInt(max) === bounds?.max ? `at least ${min}` : spanText(range);
  });
  return `is ${operator === 'NotInRange' ? 'not ' : ''}${orList(shortened(texts))}`;
}

function spanText([min, max]: PlanRange): string {
  return min === max ? min : `${min} to ${max}`;
}

const CAPABILITY_SETS: ReadonlySet<string> = new Set(['kernel_cap_t', 'cap_effective', 'cap_permitted', 'cap_inheritable']);

function maskText(arg: PlanArg | undefined, mask: string): string {
  return CAPABILITY_SETS.has(arg?.type ?? '') ? capabilityList(mask) : `0x${BigInt(mask).toString(16)}`;
}

function addressText({ end, operator, values }: PlanAddressFilter, value: string): string {
  const what = `the ${end} address of ${value}`;
  if (operator === 'In') return `${what} is in ${orList(shortened(values))}`;
  return `${what} is outside ${andList(shortened(values))} (never true for an address of another family)`;
}

const SOCKET_FIELDS: Readonly<
  Record<PlanSocketFilter['field'], readonly [noun: string, numbers: ReadonlyMap<string, bigint> | undefined]>
> = {
  sourcePort: ['source port', undefined],
  destinationPort: ['destination port', undefined],
  protocol: ['protocol', IP_PROTOCOLS],
  family: ['family', ADDRESS_FAMILIES],
  state: ['state', TCP_STATES],
};

function socketText({ field, operator, ranges }: PlanSocketFilter, value: string): string {
  const [noun, numbers] = SOCKET_FIELDS[field];
  const words = ranges.flatMap((range) => namesOfRange(numbers, range) ?? [spanText(range)]);
  return `the ${noun} of ${value} ${isOneOf(words, operator === 'In')}`;
}

const MAX_NAMES = 16;

/** Neighbours have become a range: `TCP_ESTABLISHED` and `TCP_SYN_SENT`. Undefined: one of them has no name, or there are many. */
function namesOfRange(numbers: ReadonlyMap<string, bigint> | undefined, [min, max]: PlanRange): readonly string[] | undefined {
  const count = Number(BigInt(max) - BigInt(min)) + 1;
  if (numbers === undefined || count > MAX_NAMES) return undefined;
  const names = Array.from({ length: count }, (_, at) => nameOfNumber(numbers, BigInt(min) + BigInt(at)) ?? '');
  return names.includes('') ? undefined : names;
}

function nameOfNumber(numbers: ReadonlyMap<string, bigint>, wanted: bigint): string | undefined {
  return numbers.entries().find(([, number]) => number === wanted)?.[0];
}
