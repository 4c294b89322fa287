import type { NumberRange } from './number-ranges.ts';

/** A network of IPv4 (4 bytes) or IPv6 (16 bytes) addresses; a single address is a network of full length. */
export type Network = { readonly bytes: Uint8Array; readonly prefixBits: number };

/** An address or `address/length`, as the text says it: bits behind the length are kept. Undefined if it is none. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const bytes = parseAddress(address);
  if (bytes === undefined || rest.length > 0) {
    return undefined;
  }
  const maxBits = bytes.length * 8;
  if (length === undefined) {
    return { bytes, prefixBits: maxBits };
  }
  const prefixBits = /^(0|[1-9][0-9]{0,2})$/.test(length) ? Number(length) : Infinity;
  return prefixBits <= maxBits ? { bytes, prefixBits } : undefined;
}

/** 4 or 16 bytes. Leading zeros are refused: 010.0.0.1 is octal to some programs and decimal to others. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  const isAddress = parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return isAddress ? Uint8Array.from(parts, Number) : undefined;
}

/** RFC 4291 2.2: eight groups, `::` for zeros once, and IPv4 in place of the last two groups. */
function parseIpv6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...rest] = text.split('::');
  if (rest.length > 0) {
    return undefined;
  }
  const before = groupBytes(head, tail === undefined);
  const after = tail === undefined ? [] : groupBytes(tail, true);
  if (before === undefined || after === undefined) {
    return undefined;
  }
  const zeros = 16 - before.length - after.length;
  const isComplete = tail === undefined ? zeros === 0 : zeros >= 2;
  return isComplete ? Uint8Array.from([...before, ...Array<number>(zeros).fill(0), ...after]) : undefined;
}

function groupBytes(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const bytes: number[] = [];
  const groups = text === '' ? [] : text.split(':');
  for (const [position, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const inner = mayEndInIpv4 && position === groups.length - 1 ? parseIpv4(group) : undefined;
      if (inner === undefined) {
        return undefined;
      }
      bytes.push(...inner);
    }
  }
  return bytes.length <= 16 ? bytes : undefined;
}

/** The address with everything behind its first bits cleared. */
export function addressBytes(address: Uint8Array, prefixBits: number): Uint8Array {
  return address.map((byte, position) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixBits - position * 8))));
}

/** The first and the last address of a network, as numbers. */
export function rangeOfNetwork({ bytes, prefixBits }: Network): NumberRange {
  const min = BigInt(`0x${Buffer.from(addressBytes(bytes, prefixBits)).toString('hex')}`);
  return { min, max: min + (1n << BigInt(bytes.length * 8 - prefixBits)) - 1n };
}

const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** `::ffff:1.2.3.4` is 1.2.3.4 to the network, and so it is here (`SocketValue` in evaluate/event.ts). */
export function unmapped(network: Network): Network {
  const isMapped =
    network.bytes.length === 16 && network.prefixBits >= 96 && MAPPED_PREFIX.every((byte, position) => network.bytes[position] === byte);
  return isMapped ? { bytes: network.bytes.slice(12), prefixBits: network.prefixBits - 96 } : network;
}

/** `10.0.0.0/8`, `2001:db8::/32`; always with the length. */
export function formatNetwork(network: Network): string {
  return `${formatAddress(network.bytes)}/${network.prefixBits}`;
}

/** `10.0.0.1`, `2001:db8::1`. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

/** RFC 5952: lower case, no leading zeros, `::` for the longest run of at least two zero groups, the first of equal ones. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, group) => ((bytes[group * 2] ?? 0) << 8) | (bytes[group * 2 + 1] ?? 0));
  let start = 0;
  let longest = 1;
  for (let from = 0; from < 8; from += 1) {
    let to = from;
    while (to < 8 && groups[to] === 0) {
      to += 1;
    }
    if (to - from > longest) {
      start = from;
      longest = to - from;
    }
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  return longest < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + longest))}`;
}

/** IPv4 first, then by bytes, the larger network first. */
export function compareNetworks(a: Network, b: Network): number {
  return a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes) || a.prefixBits - b.prefixBits;
}
