/** Sorted by UTF-8 bytes, without duplicates: value lists are sets, and one set has one spelling in a plan. */
export function textSet(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Decimal texts, sorted by number, without duplicates. */
export function integerSet(values: readonly bigint[]): string[] {
  return [...new Set(values)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map(String);
}
