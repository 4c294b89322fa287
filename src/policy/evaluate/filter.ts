import type { PlanArg, PlanBytesFilter, PlanCapabilityFilter, PlanFilter, PlanNamespaceFilter } from '../plan.ts';
import type { ArgValue, HookCall, ProcessFacts } from './event.ts';

/** What a filter says about a call. Negation does not change `unknown`. */
export type Answer = 'yes' | 'no' | 'unknown';

/** One filter against one call. `podNamespace` is a matter of scope (`isInScope`) and always holds here. */
export function answer(filter: PlanFilter, args: readonly PlanArg[], call: HookCall): Answer {
  switch (filter.on) {
    case 'podNamespace':
      return 'yes';
    case 'binary':
      return binaryAnswer(filter.values, filter.operator === 'NotIn', call.process.binary);
    case 'namespace':
      return yesNo(namespaceHit(filter, call.process), filter.operator === 'NotIn');
    case 'capability':
      return yesNo(capabilityHit(filter, call.process), filter.operator === 'NotIn');
    case 'int': {
      const value = call.args[filter.arg];
      return value?.kind === 'int' ? yesNo(filter.values.includes(String(value.value)), filter.operator === 'NotEqual') : 'unknown';
    }
    case 'bytes': {
      const bytes = bytesOf(call.args[filter.arg], args[filter.arg]);
      return bytes === null ? 'unknown' : yesNo(bytesHit(filter, bytes), filter.operator.startsWith('Not'));
    }
    default:
      throw new RangeError(`filters on ${filter.on} cannot be evaluated`);
  }
}

function yesNo(hit: boolean, negated: boolean): Answer {
  return hit === negated ? 'no' : 'yes';
}

function binaryAnswer(values: readonly string[], negated: boolean, binary: Uint8Array | null): Answer {
  return binary === null
    ? 'unknown'
    : yesNo(
        values.some((value) => Buffer.from(value).equals(binary)),
        negated,
      );
}

function namespaceHit(filter: PlanNamespaceFilter, process: ProcessFacts): boolean {
  const actual = process.namespaces[filter.namespace];
  return filter.values.some((value) =>
    value === 'host_ns' ? process.hostNamespaces?.[filter.namespace] === actual : Number(value) === actual,
  );
}

function capabilityHit(filter: PlanCapabilityFilter, process: ProcessFacts): boolean {
  const hit = (process.capabilities[filter.set] & BigInt(filter.mask)) !== 0n;
  return hit && !(filter.isNamespaceCapability && process.inHostUserNamespace);
}

function bytesOf(value: ArgValue | undefined, arg: PlanArg | undefined): Buffer | null {
  if (value?.kind === 'bytes') {
    return Buffer.from(value.value);
  }
  return value?.kind === 'null' && arg?.type === 'string' ? Buffer.alloc(0) : null;
}

function bytesHit(filter: PlanBytesFilter, bytes: Buffer): boolean {
  return filter.values.some((text) => {
    const value = Buffer.from(text);
    switch (filter.operator) {
      case 'Equal':
      case 'NotEqual':
        return bytes.equals(value);
      case 'Prefix':
      case 'NotPrefix':
        return bytes.subarray(0, value.length).equals(value);
      case 'Postfix':
      case 'NotPostfix':
        return value.length <= bytes.length && bytes.subarray(bytes.length - value.length).equals(value);
    }
  });
}
