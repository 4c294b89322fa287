import { z } from 'zod';

/**
 * An object of the language: unknown fields are refused by `parse`, and kept (not pruned) by the API server so that they reach it. The
 * title names it in the JSON Schema for editors; definitions for the API server have none.
 */
export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape, description: string, title?: string) {
  return z.strictObject(shape).meta(title === undefined ? { description } : { description, title });
}

const INT32_MAX = 2_147_483_647;
const UINT32_MAX = 4_294_967_295;

export const int32 = z
  .int()
  .min(-INT32_MAX - 1)
  .max(INT32_MAX)
  .meta({ format: 'int32' });
export const uint32 = z.int().min(0).max(UINT32_MAX).meta({ format: 'int64' });
/** As far as JSON numbers are exact: 0…2^53−1. */
export const uint53 = z.int().min(0).max(Number.MAX_SAFE_INTEGER).meta({ format: 'int64' });
export const position = z.int().min(0).max(INT32_MAX).meta({ format: 'int32' });

/** A switch that is off unless it is written. */
export function off(description: string) {
  return z.boolean().default(false).describe(description);
}

export type CelRule = { readonly rule: string; readonly message: string };

/** A rule for the API server alone: `compile` says the same in better words. */
export function cel(...rules: readonly CelRule[]): { 'x-kubernetes-validations': readonly CelRule[] } {
  return { 'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })) };
}

/** A rule in both languages: `holds` for `parse` and tests, `rule` (CEL) for the API server. */
export type Rule<Value> = CelRule & { readonly holds: (value: Value) => boolean };

/** The schema with rules that concern several of its fields. */
export function withRules<Schema extends z.ZodObject>(schema: Schema, ...rules: readonly Rule<z.output<Schema>>[]): Schema {
  const checked = rules.reduce((current, { holds, message }) => current.refine(holds, { error: message }), schema);
  return checked.meta({ ...schema.meta(), ...cel(...rules) });
}
