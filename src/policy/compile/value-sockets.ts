import { type Network, addressBytes, compareNetworks, formatNetwork, parseNetwork, rangeOfNetwork, unmapped } from '../addresses.ts';
import { parseInteger } from '../integers.ts';
import { didYouMean } from '../nearest.ts';
import { ADDRESS_FAMILIES, IP_PROTOCOLS, TCP_STATES } from '../network-names.ts';
import { type NumberRange, covers, toPlanRanges } from '../number-ranges.ts';
import type { PlanAddressFilter, PlanSocketFilter } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { checkCoverage, refuseOctal } from './value-numbers.ts';

export function compileAddresses(
  sink: ProblemSink,
  path: string,
  about: Pick<PlanAddressFilter, 'arg' | 'end' | 'operator'>,
  values: readonly string[],
): PlanAddressFilter {
  const networks = values.flatMap((text, index) => compileNetwork(sink, fieldPath(path, index), text));
  if (about.operator === 'NotIn' && networks.length > 0 && FAMILY_BYTES.every((bytes) => isAllOrNone(networks, bytes))) {
    sink.error('BadValue', path, 'never matches: the networks hold every address of their family, and others match no filter on addresses');
  }
  const sorted = networks.toSorted(compareNetworks).map(formatNetwork);
  return { on: 'address', ...about, values: [...new Set(sorted)] };
}

/** IPv4 and IPv6. */
const FAMILY_BYTES = [4, 16] as const;

/** True if no address of the family is outside of the networks, or if no network is of the family. */
function isAllOrNone(networks: readonly Network[], bytes: (typeof FAMILY_BYTES)[number]): boolean {
  const ranges = networks.filter((network) => network.bytes.length === bytes).map(rangeOfNetwork);
  return ranges.length === 0 || covers(ranges, { min: 0n, max: (1n << BigInt(bytes * 8)) - 1n });
}

function compileNetwork(sink: ProblemSink, path: string, text: string): readonly Network[] {
  const network = parseNetwork(text);
  if (network === undefined) {
    const hint = 'for example 10.0.0.1, 10.0.0.0/8, 2001:db8::1 or 2001:db8::/32';
    sink.error('BadAddress', path, `${quote(text)} is no IP address and no network`, hint);
    return [];
  }
  const clean = unmapped({ ...network, bytes: addressBytes(network.bytes, network.prefixBits) });
  if (Buffer.compare(addressBytes(network.bytes, network.prefixBits), network.bytes) !== 0) {
    sink.warn('HostBitsIgnored', path, `${quote(text)} has bits behind its length, which say nothing`, `it is ${formatNetwork(clean)}`);
  }
  return [clean];
}

type SocketField = PlanSocketFilter['field'];

/** What the numbers of a field can be, and their names. */
const FIELDS: Readonly<Record<SocketField, { readonly max: bigint; readonly names: ReadonlyMap<string, bigint>; readonly what: string }>> =
  {
    sourcePort: { max: 65_535n, names: new Map(), what: 'a port' },
    destinationPort: { max: 65_535n, names: new Map(), what: 'a port' },
    protocol: { max: 65_535n, names: IP_PROTOCOLS, what: 'an IP protocol' },
    family: { max: 65_535n, names: ADDRESS_FAMILIES, what: 'an address family' },
    state: { max: 255n, names: TCP_STATES, what: 'a TCP state' },
  };

export function compileSocketNumbers(
  sink: ProblemSink,
  path: string,
  about: Pick<PlanSocketFilter, 'arg' | 'field' | 'operator'>,
  values: readonly string[],
): PlanSocketFilter {
  const ranges = values.flatMap((text, index) => socketRange(sink, fieldPath(path, index), about.field, text));
  checkCoverage(sink, path, about.operator === 'NotIn', ranges, { min: 0n, max: FIELDS[about.field].max });
  return { on: 'socket', ...about, ranges: toPlanRanges(ranges) };
}

/** The ports that only root may listen on. */
export function privilegedPorts(about: Pick<PlanSocketFilter, 'arg' | 'field' | 'operator'>): PlanSocketFilter {
  return { on: 'socket', ...about, ranges: [['0', '1023']] };
}

/** A name, a number, or `a:b` in either order (as upstream). */
function socketRange(sink: ProblemSink, path: string, field: SocketField, text: string): readonly NumberRange[] {
  const { max, names, what } = FIELDS[field];
  const named = names.get(text);
  if (named !== undefined) {
    return [{ min: named, max: named }];
  }
  refuseOctal(sink, path, text);
  const parts = text.split(':');
  const numbers = parts.flatMap((part) => parseInteger(part) ?? []);
  const [from, to = from] = numbers;
  if (from === undefined || to === undefined || numbers.length !== parts.length || parts.length > 2) {
    sink.error('BadValue', path, `${quote(text)} is not ${what}`, nameHint(text, names) ?? 'a number, or two with ":" between them');
    return [];
  }
  const outside = numbers.find((number) => number < 0n || number > max);
  if (outside !== undefined) {
    sink.error('NumberOutOfRange', path, `${outside} is not ${what}`, `from 0 to ${max}`);
    return [];
  }
  if (from > to) {
    sink.warn('RangeReversed', path, `${quote(text)} has its end first`, `it is taken for "${to}:${from}"`);
  }
  return [from <= to ? { min: from, max: to } : { min: to, max: from }];
}

/** Also for those who forgot the prefix, or wrote it small. */
function nameHint(text: string, names: ReadonlyMap<string, bigint>): string | undefined {
  const upper = text.toUpperCase();
  const found = [...names.keys()].find((name) => name.toUpperCase() === upper || name.replace(/^[A-Z]+_/, '').toUpperCase() === upper);
  return found === undefined ? didYouMean(upper, names.keys()) : `did you mean "${found}"?`;
}
