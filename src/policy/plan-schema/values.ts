import { z } from 'zod';
import { LIMITS } from '../limits.ts';

export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed(), { error: 'not Unicode' });
/** Bounded in UTF-8, not empty. NUL may be in what is compared with a buffer (`hook-rules.ts`). */
export const content = (max: number) =>
  text(max).refine((value) => value !== '' && Buffer.byteLength(value) <= max, { error: `not 1 to ${max} bytes` });
/** The same without NUL. */
export const bytes = (max: number) => content(max).refine((value) => !value.includes('\0'), { error: 'with NUL' });
export const path = text(512);
export const int32 = z.int().min(0).max(2_147_483_647);
/** Spelt only where it differs from its absence. */
export const yes = z.literal(true).exactOptional();
export const membership = z.enum(['In', 'NotIn']);
export const namespaceName = text(63).min(1);

const DECIMAL = /^(0|-?[1-9][0-9]{0,19})$/;
export const decimal = z.string().regex(DECIMAL);
export const unsigned = z.string().regex(/^(0|[1-9][0-9]{0,19})$/);
export const mask = z
  .string()
  .regex(/^[1-9][0-9]{0,19}$/)
  .refine((value) => BigInt(value) < 1n << 64n, { error: 'more than 64 bits' });

/** A system call as plans name it. */
export const SYSCALL_NAME = /^((x64|i386|arm64|arm32)\/)?sys_[a-z0-9_]{1,60}$/;
export const SYMBOL_NAME = /^[A-Za-z_][A-Za-z0-9_.]{0,126}$/;

const NOT_SORTED = { error: 'not sorted, or with duplicates' };

/** A set of texts in its one spelling: sorted by bytes, without duplicates, not empty. */
export const textSet = <Text extends string>(value: z.ZodType<Text>, max: number = LIMITS.valuesPerFilter) =>
  z.array(value).min(1).max(max).refine(isTextSet, NOT_SORTED);

/** Sorted by number. */
export const integerSet = (value: z.ZodType<string>) =>
  z
    .array(value)
    .min(1)
    .max(LIMITS.valuesPerFilter)
    .refine((values) => isAscending(values, (a, b) => BigInt(a) < BigInt(b)), NOT_SORTED);

/** Numbers, then names. */
export const numbersAndNames = (value: z.ZodType<string>, isName: (text: string) => boolean) =>
  z
    .array(value)
    .min(1)
    .max(LIMITS.valuesPerFilter)
    .refine((values) => {
      const first = values.findIndex(isName);
      const numbers = first === -1 ? values : values.slice(0, first);
      const names = first === -1 ? [] : values.slice(first);
      return !numbers.some(isName) && isAscending(numbers, (a, b) => BigInt(a) < BigInt(b)) && names.every(isName) && isTextSet(names);
    }, NOT_SORTED);

/** Disjoint, not adjacent, sorted. */
export const ranges = z
  .array(z.tuple([decimal, decimal]))
  .min(1)
  .max(LIMITS.valuesPerFilter)
  .refine(
    (pairs) =>
      pairs.every(([min, max]) => BigInt(min) <= BigInt(max)) && isAscending(pairs, ([, last], [next]) => BigInt(last) + 1n < BigInt(next)),
    { error: 'not disjoint, or not sorted' },
  );

export function isTextSet(values: readonly string[]): boolean {
  return isAscending(values, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0);
}

function isAscending<Item>(items: readonly Item[], isLess: (a: Item, b: Item) => boolean): boolean {
  return items.every((item, position) => {
    const before = items[position - 1];
    return position === 0 || (before !== undefined && isLess(before, item));
  });
}
