/** Sorted by UTF-8 bytes, without duplicates: value lists are sets, and one set has one spelling in a plan. */
export function textSet(values: readonly string[]): string[] {
  return [...new Set(values)]
    .map((text) => ({ text, bytes: Buffer.from(text) }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ text }) => text);
}

/** Decimal texts, sorted by number, without duplicates. */
export function integerSet(values: readonly bigint[]): string[] {
  return [...new Set(values)].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map(String);
}
