/** Values that fit a schema: random ones, and for every field of it the smallest one that has the field. */
import fc from 'fast-check';
import { z } from 'zod';

/** Texts that mean something somewhere in the language, and some that mean nothing anywhere. */
const TEXTS = [
  '',
  'web',
  'a b',
  'sys_openat',
  'security_file_open',
  'list:x',
  '/etc/',
  'host_ns',
  'policy-mode',
  'monitor',
  'enforce',
  'palisade.dev/on-unknown',
  'match',
  'In',
  'Equal',
  'int',
  'Post',
  '0x10',
  '-1',
  'AF_INET',
  '10.0.0.0/8',
  'x'.repeat(63),
  'x'.repeat(64),
  'web\n',
  'ä€\u{1f980}',
  '\u0000',
] as const;

const text = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
);
const fieldName = fc.constantFrom('a', 'web', 'app.kubernetes.io/name', '');

/** Optional fields are mostly absent, so that values stay small. Rules over several fields may be broken. */
export function validValue(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return validValue(schema.unwrap());
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape).map(([name, field]) => [name, isRequired(field) ? validValue(field) : mostlyAbsent(field)]);
    return fc.record(Object.fromEntries(fields)).map(withoutAbsent);
  }
  if (schema instanceof z.ZodArray) return fc.array(validValue(schema.element), { maxLength: 2 }).filter((list) => fits(schema, list));
  if (schema instanceof z.ZodRecord) return fc.dictionary(fieldName, validValue(schema.valueType), { maxKeys: 2 });
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options);
  if (schema instanceof z.ZodBoolean) return fc.boolean();
  if (schema instanceof z.ZodNumber) return fc.constantFrom(0, 1, 2, ...bounds(schema)).filter((value) => fits(schema, value));
  if (schema instanceof z.ZodString) return text.filter((value) => fits(schema, value));
  throw new TypeError(`no values for a ${schema.constructor.name}`);
}

export type FieldCase = {
  /** `kprobes.0.args.0.index` */
  readonly path: readonly string[];
  /** The smallest value that has the field, with something else in its place. */
  readonly with: (value: unknown) => unknown;
};

/** Every field of a schema, members of lists and maps included. */
export function fieldCases(schema: z.core.$ZodType): FieldCase[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return fieldCases(schema.unwrap());
  const own: FieldCase = { path: [], with: (value) => value };
  if (schema instanceof z.ZodObject) {
    const others = smallest(schema);
    return [
      own,
      ...Object.entries(schema.shape).flatMap(([name, field]) => nested(name, field, (value) => ({ ...asObject(others), [name]: value }))),
    ];
  }
  if (schema instanceof z.ZodArray) return [own, ...nested('0', schema.element, (value) => [value])];
  if (schema instanceof z.ZodRecord) return [own, ...nested('web', schema.valueType, (value) => ({ web: value }))];
  return [own];
}

function nested(name: string, schema: z.core.$ZodType, wrap: (value: unknown) => unknown): FieldCase[] {
  return fieldCases(schema).map((inner) => ({ path: [name, ...inner.path], with: (value) => wrap(inner.with(value)) }));
}

/** Required fields only. */
function smallest(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodObject) {
    const required = Object.entries(schema.shape).filter(([, field]) => isRequired(field));
    return Object.fromEntries(required.map(([name, field]) => [name, smallest(field)]));
  }
  if (schema instanceof z.ZodArray) return [];
  if (schema instanceof z.ZodEnum) return schema.options[0];
  return [0, 'web', false, {}].find((value) => fits(schema, value));
}

function isRequired(schema: z.core.$ZodType): boolean {
  return !(schema instanceof z.ZodOptional || schema instanceof z.ZodDefault);
}

function mostlyAbsent(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: validValue(schema) });
}

function withoutAbsent(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function bounds({ minValue, maxValue }: z.ZodNumber): number[] {
  return [minValue, maxValue].filter((bound) => bound !== null);
}

function fits(schema: z.core.$ZodType, value: unknown): boolean {
  return z.core.safeParse(schema, value).success;
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
