import { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { valueAt } from './plain-json.ts';
import { type ProblemSink, fieldPath, quote } from './problem.ts';

/** Turns what zod found into problems: where, what is wrong, what would be right. `input` is the value that was parsed. */
export function addShapeProblems(
  sink: ProblemSink,
  base: string,
  schema: z.core.$ZodType,
  input: unknown,
  issues: readonly z.core.$ZodIssue[],
): void {
  for (const issue of issues) {
    const path = pathText(base, issue.path);
    const found = valueAt(input, issue.path);
    switch (issue.code) {
      case 'unrecognized_keys':
        addUnknownFields(sink, path, fieldsAt(schema, issue.path), issue.keys);
        break;
      case 'invalid_type':
        if (found === undefined) {
          sink.error('MissingField', path, 'is required');
        } else {
          sink.error('WrongType', path, `must be ${article(issue.expected)}, not ${describe(found)}`, quoteHint(issue, found));
        }
        break;
      case 'invalid_value': {
        const allowed = issue.values.map(String);
        if (found === undefined) {
          sink.error('MissingField', path, 'is required', `one of ${listOf(allowed)}`);
        } else {
          const near = typeof found === 'string' ? didYouMean(found, allowed) : undefined;
          sink.error('WrongValue', path, `${quote(found)} is not one of its values`, near ?? `use one of ${listOf(allowed)}`);
        }
        break;
      }
      case 'too_big':
        sink.error('OutOfRange', path, `${size(found)} is too much`, `at most ${String(issue.maximum)}`);
        break;
      case 'too_small':
        sink.error('OutOfRange', path, `${size(found)} is too little`, `at least ${String(issue.minimum)}`);
        break;
      case 'custom':
        sink.error('WrongValue', path, issue.message);
        break;
      default:
        sink.error('WrongValue', path, `${quote(found)} is not allowed: ${issue.message}`);
    }
  }
}

function addUnknownFields(sink: ProblemSink, path: string, known: readonly string[], keys: readonly string[]): void {
  for (const key of keys) {
    const hint = didYouMean(key, known) ?? (known.length > 0 ? `fields here: ${listOf(known)}` : undefined);
    sink.error('UnknownField', fieldPath(path, key), `unknown field ${quote(key)}`, hint);
  }
}

function pathText(base: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => fieldPath(text, typeof key === 'number' ? key : String(key)), base);
}

/** The fields of the object type that the schema has at a path. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let current: z.core.$ZodType | undefined = schema;
  for (const key of path) {
    current = childOf(unwrap(current), key);
  }
  const type = unwrap(current);
  return type instanceof z.ZodObject ? Object.keys(type.shape) : [];
}

function childOf(type: z.core.$ZodType | undefined, key: PropertyKey): z.core.$ZodType | undefined {
  if (type instanceof z.ZodObject) {
    return type.shape[String(key)];
  }
  if (type instanceof z.ZodArray) {
    return type.element;
  }
  return type instanceof z.ZodRecord ? type.valueType : undefined;
}

function unwrap(type: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let current = type;
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodPrefault) {
    current = current.unwrap();
  }
  return current;
}

function quoteHint(issue: z.core.$ZodIssueInvalidType, found: unknown): string | undefined {
  const isScalar = typeof found === 'number' || typeof found === 'boolean';
  return issue.expected === 'string' && isScalar ? `put it in quotes: "${String(found)}"` : undefined;
}

const MAX_LISTED = 24;

function listOf(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).join(', ');
  return names.length > MAX_LISTED ? `${shown}, …` : shown;
}

function describe(found: unknown): string {
  if (Array.isArray(found)) {
    return 'a list';
  }
  return typeof found === 'object' && found !== null ? 'an object' : `${typeof found === 'string' ? 'the text ' : ''}${quote(found)}`;
}

function size(found: unknown): string {
  if (Array.isArray(found)) {
    return `a list of ${found.length}`;
  }
  return typeof found === 'string' ? `a text of ${found.length} characters` : quote(found);
}

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  record: 'an object',
  object: 'an object',
  int: 'an integer',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
};

function article(expected: string): string {
  return ARTICLES[expected] ?? expected;
}
