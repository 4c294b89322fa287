import { CAPABILITIES, capabilityNumber } from '../capabilities.ts';
import { parseInteger } from '../integers.ts';
import { didYouMean } from '../nearest.ts';
import type { PlanIntFilter, PlanMaskFilter } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import { integerSet } from '../value-sets.ts';

const MAX_SET = (1n << 64n) - 1n;

/** The bit of a capability, whatever the case of its name (as upstream); 0 after a problem. */
export function capabilityBit(sink: ProblemSink, path: string, name: string): bigint {
  const number = capabilityNumber(name.trim().toUpperCase());
  if (number !== undefined) {
    return 1n << BigInt(number);
  }
  const wanted = name.trim().toUpperCase();
  sink.error('UnknownCapability', path, `Linux has no capability ${quote(name)}`, didYouMean(wanted, CAPABILITIES) ?? prefixHint(wanted));
  return 0n;
}

/** For those who forgot the prefix: four more letters are too far for a likeness. */
function prefixHint(name: string): string | undefined {
  const prefixed = `CAP_${name}`;
  return capabilityNumber(prefixed) === undefined ? didYouMean(prefixed, CAPABILITIES) : `did you mean "${prefixed}"?`;
}

/** Equal and NotEqual: the set is one of the values. */
export function compileCapabilitySets(
  sink: ProblemSink,
  path: string,
  arg: number,
  operator: PlanIntFilter['operator'],
  values: readonly string[],
): PlanIntFilter {
  const sets = values.map((text, index) => capabilitySet(sink, fieldPath(path, index), text));
  return { on: 'int', arg, operator, values: integerSet(sets) };
}

/** Mask: the set has one of all these capabilities. */
export function compileCapabilityMask(sink: ProblemSink, path: string, arg: number, values: readonly string[]): PlanMaskFilter {
  const mask = values.reduce((bits, text, index) => {
    const at = fieldPath(path, index);
    const set = capabilitySet(sink, at, text);
    if (set === 0n && parseInteger(text) !== undefined) {
      sink.error('BadValue', at, `${quote(text)} never matches: the mask has no bit`);
    }
    return bits | set;
  }, 0n);
  return { on: 'mask', arg, mask: String(mask) };
}

/** A number, or names with commas between them. */
function capabilitySet(sink: ProblemSink, path: string, text: string): bigint {
  const number = parseInteger(text);
  if (number === undefined) {
    return text.split(',').reduce((set, name) => set | capabilityBit(sink, path, name), 0n);
  }
  if (number < 0n || number > MAX_SET) {
    sink.error('NumberOutOfRange', path, `${quote(text)} is no set of capabilities`, `from 0 to ${MAX_SET}`);
    return 0n;
  }
  return number;
}
