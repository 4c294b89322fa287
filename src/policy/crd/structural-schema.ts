import { z } from 'zod';

/** A node of an OpenAPI v3 schema as a CustomResourceDefinition has it. */
export type StructuralSchema = {
  type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: readonly string[];
  additionalProperties?: StructuralSchema;
  items?: StructuralSchema;
  'x-kubernetes-preserve-unknown-fields'?: true;
  [keyword: string]: unknown;
};

/** Whether fields that the schema does not know survive in the API server. */
export type UnknownFields = 'prune' | 'preserve';

/** Keywords that may be copied as they are; anything else that zod writes is not structural or not understood, and is refused. */
const COPIED = new Set([
  'type',
  'description',
  'default',
  'enum',
  'format',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'required',
  'nullable',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
]);

/** Keywords of zod that say nothing to the API server: what closes an object would prune it, and titles name types for editors. */
const LEFT_OUT = new Set(['additionalProperties', 'propertyNames', 'title']);

const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

/**
 * The zod schema as a structural schema: what the API server demands of a CustomResourceDefinition. Throws, naming the place, when the
 * zod schema says something that cannot be said there (a union, a strict format, a reference).
 */
export function structuralSchemaOf(schema: z.ZodType, unknownFields: UnknownFields): StructuralSchema {
  const document: unknown = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
  });
  return rewrite(document, '$', unknownFields);
}

function rewrite(node: unknown, path: string, unknownFields: UnknownFields): StructuralSchema {
  if (!isRecord(node) || !TYPES.has(node['type'])) {
    throw new TypeError(`${path}: a structural schema needs one plain type here`);
  }
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(node)) {
    if (keyword === 'properties' && isRecord(value)) {
      result['properties'] = Object.fromEntries(
        Object.entries(value).map(([name, child]) => [name, rewrite(child, `${path}.${name}`, unknownFields)]),
      );
    } else if (keyword === 'items') {
      result['items'] = rewrite(value, `${path}[]`, unknownFields);
    } else if (keyword === 'additionalProperties' && value !== false) {
      result['additionalProperties'] = rewrite(value, `${path}{}`, unknownFields);
    } else if (COPIED.has(keyword)) {
      result[keyword] = value;
    } else if (!LEFT_OUT.has(keyword)) {
      throw new TypeError(`${path}: ${keyword} cannot be said in a structural schema`);
    }
  }
  if (unknownFields === 'preserve' && result['properties'] !== undefined) {
    result['x-kubernetes-preserve-unknown-fields'] = true;
  }
  return toStructural(result);
}

function toStructural(node: Record<string, unknown>): StructuralSchema {
  const type = node['type'];
  if (!isTypeName(type)) {
    throw new TypeError('a structural schema needs a type');
  }
  return { ...node, type };
}

function isTypeName(value: unknown): value is StructuralSchema['type'] {
  return TYPES.has(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
