import { type Network, addressBytes, parseNetwork } from '../addresses.ts';
import type { PlanAddressFilter, PlanSocketFilter } from '../plan.ts';
import { type Answer, hitOrMiss, isNegated } from './answer.ts';
import type { ArgValue, SocketValue } from './event.ts';
import { isInRanges } from './integer-filter.ts';

/**
 * In and NotIn are about addresses of the families that have a value: `NotIn 10.0.0.0/8` says nothing about IPv6, and holds for none of
 * its addresses (as upstream).
 */
export function addressAnswer(filter: PlanAddressFilter, value: ArgValue | undefined): Answer {
  if (value?.kind !== 'socket') {
    return 'unknown';
  }
  const address = filter.end === 'source' ? value.source : value.destination;
  if (address === null) {
    return 'no';
  }
  const networks = filter.values.flatMap((text): readonly Network[] => {
    const network = parseNetwork(text);
    return network !== undefined && network.bytes.length === address.length ? [network] : [];
  });
  return networks.length === 0
    ? 'no'
    : hitOrMiss(
        networks.some((network) => isInNetwork(network, address)),
        isNegated(filter.operator),
      );
}

function isInNetwork(network: Network, address: Uint8Array): boolean {
  return addressBytes(address, network.prefixBits).every((byte, position) => byte === network.bytes[position]);
}

/** Numbers that a socket does not have are 0, and are compared as 0. */
export function socketAnswer(filter: PlanSocketFilter, value: ArgValue | undefined): Answer {
  if (value?.kind === 'bytes' && filter.field === 'family') {
    return hitOrMiss(isInRanges(filter.ranges, BigInt(value.family ?? AF_UNIX)), isNegated(filter.operator));
  }
  if (value?.kind !== 'socket') {
    return 'unknown';
  }
  return hitOrMiss(isInRanges(filter.ranges, BigInt(numberOf(filter.field, value))), isNegated(filter.operator));
}

const AF_UNIX = 1;

function numberOf(field: PlanSocketFilter['field'], value: SocketValue): number {
  return value[field];
}
