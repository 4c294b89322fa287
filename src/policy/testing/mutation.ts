/** Values with something changed somewhere: what typing errors and hostile clients send. */
import fc from 'fast-check';
import { valueAt } from '../plain-json.ts';

/** Wrong almost everywhere; JSON carries all of them. */
export const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  '',
  'x',
  'web\n',
  'x'.repeat(300),
  0,
  -1,
  1.5,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e21,
  [],
  [null],
  ['x'],
  [[]],
  [{}],
  {},
  { a: null },
  { a: 'x' },
  Array.from({ length: 17 }, () => 'xx'),
  Array.from({ length: 2 }, () => ({})),
];

type Path = readonly (string | number)[];

/** `at` and `with` are taken modulo what there is, so that they shrink to the first place and the first way. */
export type Mutation = { readonly kind: 'replace' | 'remove' | 'repeat'; readonly at: number; readonly with: number };

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace' as const, 'remove' as const, 'repeat' as const),
  at: fc.nat({ max: 10_000 }),
  with: fc.nat({ max: ODD_VALUES.length - 1 }),
});

/** A copy in which one value is replaced, removed, or (in a list) there 20 times. */
export function mutate(value: unknown, change: Mutation): unknown {
  const paths = pathsOf(value);
  const path = paths[change.at % paths.length] ?? [];
  if (change.kind === 'replace') return changed(value, path, () => [ODD_VALUES[change.with % ODD_VALUES.length]]);
  return changed(value, path, (old) => (change.kind === 'remove' ? [] : Array.from({ length: 20 }, () => old)));
}

/** For every text in a value, a copy of it in which that text is another one. */
export function* withTextReplaced(value: unknown, evil: string): Generator<{ readonly path: Path; readonly changed: unknown }> {
  for (const path of pathsOf(value)) {
    if (typeof valueAt(value, path) === 'string') yield { path, changed: changed(value, path, () => [evil]) };
  }
}

/** How many places `mutate` can change. */
export function placesIn(value: unknown): number {
  return pathsOf(value).length;
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  const own: Path[] = path.length === 0 ? [] : [path];
  if (Array.isArray(value)) return [...own, ...value.flatMap((item, index) => pathsOf(item, [...path, index]))];
  if (typeof value !== 'object' || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

/** `change` says what comes in the place of the value: nothing, another one, or (in lists) several. */
function changed(value: unknown, path: Path, change: (old: unknown) => readonly unknown[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const next = (old: unknown): readonly unknown[] => (rest.length === 0 ? change(old) : [changed(old, rest, change)]);
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => (index === step ? next(item) : [item]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] =>
      key === step
        ? next(item)
            .slice(0, 1)
            .map((one) => [key, one])
        : [[key, item]],
    ),
  );
}
