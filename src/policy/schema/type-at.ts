import { z } from 'zod';

/** The fields of the object that a schema has at a path; none if it has no object there. */
export function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const type = typeAt(schema, path);
  const options = type instanceof z.ZodUnion ? type.options.map(unwrap) : [type];
  return options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []));
}

/** What a schema has at a path, without what makes it optional. */
export function typeAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>((current, key) => unwrap(childOf(current, key)), unwrap(schema));
}

/** As the field is declared: optional, or with its default. */
export function childOf(type: z.core.$ZodType | undefined, key: PropertyKey): z.core.$ZodType | undefined {
  if (type instanceof z.ZodObject) {
    return type.shape[String(key)];
  }
  if (type instanceof z.ZodArray) {
    return type.element;
  }
  if (type instanceof z.ZodUnion) {
    return type.options.map((option) => childOf(unwrap(option), key)).find((child) => child !== undefined);
  }
  return type instanceof z.ZodRecord ? type.valueType : undefined;
}

export function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = type;
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault) {
    current = current.unwrap();
  }
  return current;
}
