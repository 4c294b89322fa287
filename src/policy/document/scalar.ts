/**
 * What a plain (unquoted) word is. kubectl reads YAML 1.1 as Go's yaml.v2 does, so `yes` is true, `0644` is 420 and `1_000` is 1000:
 * whoever reads it otherwise would accept what the API server refuses, and the other way round. Dates are texts there.
 */
export function plainScalar(word: string): string | number | boolean | null {
  const named = WORDS.get(word);
  if (named !== undefined) return named;
  if (!/^[-+.0-9]/.test(word)) return word;
  const digits = word.startsWith('.') ? word : word.replaceAll('_', '');
  const value = integer(digits) ?? (FLOAT.test(digits) ? Number(digits) : Number.NaN);
  return Number.isFinite(value) ? value : word;
}

const WORDS: ReadonlyMap<string, number | boolean | null> = new Map<string, number | boolean | null>([
  ...spellings(['y', 'yes', 'true', 'on'], true),
  ...spellings(['n', 'no', 'false', 'off'], false),
  ...spellings(['null'], null),
  ['', null],
  ['~', null],
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['', '+'].flatMap((sign) => ['.inf', '.Inf', '.INF'].map((word) => [sign + word, Number.POSITIVE_INFINITY] as const)),
  ...['.inf', '.Inf', '.INF'].map((word) => [`-${word}`, Number.NEGATIVE_INFINITY] as const),
]);

/** `yes`, `Yes` and `YES`, but not `yEs`. */
function spellings<Value>(words: readonly string[], value: Value): (readonly [string, Value])[] {
  return words.flatMap((word) =>
    [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()].map((spelling) => [spelling, value] as const),
  );
}

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const INTEGERS: readonly (readonly [RegExp, number])[] = [
  [/^0[xX]([0-9a-fA-F]+)$/, 16],
  [/^0[bB]([01]+)$/, 2],
  [/^0[oO]?([0-7]+)$/, 8],
  [/^(0|[1-9][0-9]*)$/, 10],
];

function integer(word: string): number | undefined {
  const negative = word.startsWith('-');
  const unsigned = /^[-+]/.test(word) ? word.slice(1) : word;
  for (const [pattern, base] of INTEGERS) {
    const digits = pattern.exec(unsigned)?.[1];
    if (digits === undefined) continue;
    const value = Number.parseInt(digits, base);
    // Above 64 bits only decimals stay numbers, as floats.
    if (base !== 10 && value >= 2 ** 64) return undefined;
    return negative && value !== 0 ? -value : value;
  }
  return undefined;
}
