import { z } from 'zod';
import { nearestName } from '../nearest.ts';
import { valueAt } from '../plain-json.ts';
import { type TracingPolicySpec, tracingPolicySpec } from '../schema/spec.ts';
import { childOf, fieldsAt, typeAt, unwrap } from '../schema/type-at.ts';

/** A place whose shape is wrong. */
export type Flaw = {
  /** What was taken away, or replaced; null if the owner breaks a rule over several of its fields. */
  readonly at: readonly PropertyKey[] | null;
  /** The object that now says something else, or less, than its author meant. */
  readonly owner: readonly PropertyKey[];
  /** The fields of the owner that may have been meant. */
  readonly meant: readonly string[];
};

export type Repaired = { readonly spec: TracingPolicySpec; readonly flaws: readonly Flaw[] };

/** What `safeParse` does, with the value also where there are issues. */
const { _zod: inside } = tracingPolicySpec;

/** One for what is wrong, one for what a missing object lacks itself, one to be sure. */
const MAX_ROUNDS = 3;

/**
 * A spec of the right shape, in which everything that was right stands where it stood: unknown fields are gone, wrong ones too, or they
 * say as little as they may. Null if nothing is left to look at. `input` is changed.
 */
export function repair(input: unknown): Repaired | null {
  const flaws: Flaw[] = [];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const read = inside.run({ value: input, issues: [] }, { async: false });
    if (read instanceof Promise) return null;
    const { value, issues } = read;
    const isRead = isSpec(value, issues);
    for (const issue of issues) {
      const path = issue.path ?? [];
      if (issue.code === 'unrecognized_keys') {
        flaws.push(...removeUnknown(input, path, issue.keys));
      } else if (issue.code === 'custom') {
        if (isRead) flaws.push({ at: null, owner: path, meant: fieldsAt(tracingPolicySpec, path) });
      } else if (path.length === 0) {
        return null;
      } else {
        flaws.push(replace(input, path));
      }
    }
    if (isRead) return { spec: value, flaws };
  }
  return null;
}

/** Rules over several fields are looked at after all types are right: what only they refuse is of use here. */
function isSpec(_value: unknown, issues: readonly z.core.$ZodRawIssue[]): _value is TracingPolicySpec {
  return issues.every((issue) => issue.code === 'custom');
}

function removeUnknown(input: unknown, owner: readonly PropertyKey[], keys: readonly string[]): readonly Flaw[] {
  const object = valueAt(input, owner);
  const known = fieldsAt(tracingPolicySpec, owner);
  return keys.map((name) => {
    if (typeof object === 'object' && object !== null) Reflect.deleteProperty(object, name);
    const near = nearestName(name, known);
    return { at: [...owner, name], owner, meant: near === undefined ? known : [near] };
  });
}

/** What must be there becomes the least that can be; members of lists and maps too, so that their neighbours keep their places and names. */
function replace(input: unknown, path: readonly PropertyKey[]): Flaw {
  const key = path.at(-1) ?? '';
  const parent = valueAt(input, path.slice(0, -1));
  const type = childOf(typeAt(tracingPolicySpec, path.slice(0, -1)), key);
  if (typeof parent === 'object' && parent !== null) {
    if (isLeftOut(type)) Reflect.deleteProperty(parent, key);
    else Reflect.set(parent, key, leastOf(type));
  }
  const fieldAt = path.findLastIndex((step, index) => typeof step === 'string' && isObject(path.slice(0, index)));
  return { at: path, owner: path.slice(0, fieldAt), meant: [String(path[fieldAt])] };
}

function isObject(path: readonly PropertyKey[]): boolean {
  return typeAt(tracingPolicySpec, path) instanceof z.ZodObject;
}

function isLeftOut(type: z.core.$ZodType | undefined): boolean {
  return type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodPrefault;
}

/** The smallest value of the type that has its shape. */
function leastOf(type: z.core.$ZodType | undefined): unknown {
  const plain = unwrap(type);
  if (plain instanceof z.ZodObject) {
    const fields: [string, z.core.$ZodType][] = Object.entries(plain.shape);
    return Object.fromEntries(fields.flatMap(([name, field]) => (isLeftOut(field) ? [] : [[name, leastOf(field)]])));
  }
  if (plain instanceof z.ZodArray) return [];
  if (plain instanceof z.ZodRecord) return {};
  if (plain instanceof z.ZodEnum) return plain.options[0];
  if (plain instanceof z.ZodBoolean) return false;
  return plain instanceof z.ZodString ? '' : 0;
}
