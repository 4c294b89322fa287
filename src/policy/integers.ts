import type { PlanIntType } from './plan-types.ts';

export type IntRange = { readonly min: bigint; readonly max: bigint };

/** What an integer type can hold. */
export function rangeOf(type: PlanIntType): IntRange {
  const signed = type.startsWith('int');
  const bits = BigInt(type.replace(/^u?int/, ''));
  return signed ? { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n } : { min: 0n, max: (1n << bits) - 1n };
}

const LITERAL = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const MAX_LITERAL_CHARS = 70;

/** An integer as upstream writes it: decimal, 0x, 0b, 0o, or octal with a leading 0; undefined if the text is none. */
export function parseInteger(text: string): bigint | undefined {
  const match = text.length <= MAX_LITERAL_CHARS ? LITERAL.exec(text) : null;
  const digits = match?.[2];
  if (digits === undefined) {
    return undefined;
  }
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match?.[1] === '-' ? -value : value;
}
