import { z } from 'zod';
import { OPTION_NAMES } from '../../src/policy/compile/options.ts';
import { UNSUPPORTED_OPTIONS } from '../../src/policy/compile/unsupported.ts';
import { tracingPolicySpec } from '../../src/policy/schema/spec.ts';

/**
 * One thing that a policy can say: a field, or a value of a field that has finitely many. Named by where it is first found in the schema:
 * `spec.kprobes[].call`, `spec.kprobes[].args[].type = file`.
 */
export type LanguageRow = { readonly key: string; readonly field: string; readonly value: string | undefined };

type Visit = { readonly row: (row: LanguageRow) => void; readonly canonical: Map<string, string> };

const OPTION_NAME = 'spec.options[].name';

/** Every field, every value of every enumeration, every option: from the schema itself, in its order. */
export function languageRows(): readonly LanguageRow[] {
  const rows: LanguageRow[] = [];
  walk(tracingPolicySpec, 'spec', { row: (row) => rows.push(row), canonical: new Map() });
  const at = rows.findIndex(({ key }) => key === OPTION_NAME);
  rows.splice(at + 1, 0, ...[...OPTION_NAMES, ...UNSUPPORTED_OPTIONS.keys()].map((value) => valueRow(OPTION_NAME, value)));
  return rows;
}

function valueRow(field: string, value: string): LanguageRow {
  return { key: `${field} = ${value}`, field, value };
}

function walk(schema: z.core.$ZodType, path: string, visit: Visit): void {
  const type = unwrap(schema);
  if (type instanceof z.ZodArray) {
    walk(type.element, `${path}[]`, visit);
  } else if (type instanceof z.ZodRecord) {
    walk(type.valueType, `${path}.*`, visit);
  } else if (type instanceof z.ZodEnum) {
    for (const value of type.options) visit.row(valueRow(path, String(value)));
  } else if (type instanceof z.ZodObject && !isKnown(type, path, visit)) {
    for (const [key, child] of membersOf(type)) {
      visit.row({ key: `${path}.${key}`, field: `${path}.${key}`, value: undefined });
      walk(child, `${path}.${key}`, visit);
    }
  }
}

/** What is returned is read like an argument: what there is to say stands with the arguments. */
function membersOf(type: z.ZodObject): readonly [string, z.core.$ZodType][] {
  const members = Object.entries<z.core.$ZodType>(type.shape);
  return members.toSorted(([a], [b]) => Number(a === 'returnArg') - Number(b === 'returnArg'));
}

/** Objects with the same fields are shown once, where they come first; each kind of hook for itself. */
function isKnown(type: z.ZodObject, path: string, visit: Visit): boolean {
  const shape = shapeKey(type, path);
  const known = visit.canonical.has(shape);
  if (!known) visit.canonical.set(shape, path);
  return known;
}

function shapeKey(type: z.ZodObject, path: string): string {
  const isSection = /^spec\.\w+\[\]$/.test(path);
  return `${isSection ? path : ''} ${Object.keys(type.shape).join(' ')}`;
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let type = schema;
  while (type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodPrefault) type = type.unwrap();
  return type;
}

/** Keys of all rows that a spec uses. */
export function usesOf(spec: unknown): ReadonlySet<string> {
  const canonical = new Map<string, string>();
  walk(tracingPolicySpec, 'spec', { row: () => undefined, canonical });
  const uses = new Set<string>();
  collect(tracingPolicySpec, spec, 'spec', { canonical, uses });
  return uses;
}

type Collected = { readonly canonical: ReadonlyMap<string, string>; readonly uses: Set<string> };

function collect(schema: z.core.$ZodType, value: unknown, path: string, into: Collected): void {
  const type = unwrap(schema);
  if (type instanceof z.ZodArray && Array.isArray(value)) {
    for (const item of value) collect(type.element, item, `${path}[]`, into);
  } else if (type instanceof z.ZodRecord) {
    for (const item of entriesOf(value)) collect(type.valueType, item[1], `${path}.*`, into);
  } else if (type instanceof z.ZodEnum) {
    into.uses.add(`${path} = ${String(value)}`);
  } else if (type instanceof z.ZodObject) {
    const base = into.canonical.get(shapeKey(type, path)) ?? path;
    for (const [key, item] of entriesOf(value)) {
      const child = type.shape[key];
      if (child === undefined) continue;
      into.uses.add(`${base}.${key}`);
      if (`${base}.${key}` === OPTION_NAME) into.uses.add(`${OPTION_NAME} = ${String(item)}`);
      collect(child, item, `${base}.${key}`, into);
    }
  }
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

/** The spec without a field, wherever it has it; for options, without the option. */
export function without(spec: unknown, row: LanguageRow): unknown {
  const canonical = new Map<string, string>();
  walk(tracingPolicySpec, 'spec', { row: () => undefined, canonical });
  return stripped(tracingPolicySpec, spec, 'spec', { canonical, row });
}

function stripped(
  schema: z.core.$ZodType,
  value: unknown,
  path: string,
  { canonical, row }: { canonical: Map<string, string>; row: LanguageRow },
): unknown {
  const type = unwrap(schema);
  const next = (child: z.core.$ZodType, item: unknown, at: string): unknown => stripped(child, item, at, { canonical, row });
  if (type instanceof z.ZodArray && Array.isArray(value)) {
    const kept = value.filter(
      (item: unknown) => row.field !== OPTION_NAME || !entriesOf(item).some(([key, name]) => key === 'name' && name === row.value),
    );
    return kept.map((item: unknown) => next(type.element, item, `${path}[]`));
  }
  if (type instanceof z.ZodRecord) {
    return Object.fromEntries(entriesOf(value).map(([key, item]) => [key, next(type.valueType, item, `${path}.*`)]));
  }
  if (type instanceof z.ZodObject) {
    const base = canonical.get(shapeKey(type, path)) ?? path;
    const entries = entriesOf(value).filter(([key]) => row.field === OPTION_NAME || `${base}.${key}` !== row.field);
    return Object.fromEntries(
      entries.map(([key, item]) => [key, type.shape[key] === undefined ? item : next(type.shape[key], item, `${base}.${key}`)]),
    );
  }
  return value;
}
