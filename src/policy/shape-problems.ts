import { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { valueAt } from './plain-json.ts';
import { type ProblemSink, fieldPath, quote } from './problem.ts';
import { fieldsAt, typeAt } from './schema/type-at.ts';

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
          sink.error('WrongType', path, `must be ${article(issue.expected)}, not ${describe(found)}`, typeHint(issue, found));
        }
        break;
      case 'invalid_value': {
        // An empty text says what an absent field says.
        const allowed = issue.values.map(String).filter((value) => value !== '');
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
      case 'invalid_union':
        addUnionProblems(sink, path, typeAt(schema, issue.path), found, issue.errors);
        break;
      case 'custom':
        sink.error('WrongValue', path, issue.message);
        break;
      default:
        sink.error('WrongValue', path, `${quote(found)} is not allowed: ${issue.message}`);
    }
  }
}

/** Of a value that may be one of several things: what is wrong with the one that it looks like. */
function addUnionProblems(
  sink: ProblemSink,
  path: string,
  type: z.core.$ZodType | undefined,
  found: unknown,
  branches: readonly (readonly z.core.$ZodIssue[])[],
): void {
  const options = type instanceof z.ZodUnion ? type.options : [];
  const isOtherType = (issue: z.core.$ZodIssue): boolean => issue.code === 'invalid_type' && issue.path.length === 0;
  const meant = branches.findIndex((issues) => !issues.some(isOtherType));
  const option = options[meant];
  const issues = branches[meant];
  if (option !== undefined && issues !== undefined) {
    addShapeProblems(sink, path, option, found, issues);
  } else if (found === undefined) {
    sink.error('MissingField', path, 'is required');
  } else {
    const expected = branches.flatMap((each) => each.flatMap((issue) => (issue.code === 'invalid_type' ? [article(issue.expected)] : [])));
    sink.error('WrongType', path, `must be ${[...new Set(expected)].join(' or ')}, not ${describe(found)}`);
  }
}

function addUnknownFields(sink: ProblemSink, path: string, known: readonly string[], keys: readonly string[]): void {
  for (const key of keys) {
    const dash = /^-\w/.test(key) ? 'put a space after "-"' : undefined;
    const hint = dash ?? didYouMean(key, known) ?? (known.length > 0 ? `fields here: ${listOf(known)}` : undefined);
    sink.error('UnknownField', fieldPath(path, key), `unknown field ${quote(key)}`, hint);
  }
}

/** `spec.kprobes[0].call` */
export function pathText(base: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => fieldPath(text, typeof key === 'number' ? key : String(key)), base);
}

const SHORT_WORD = /^[\w./:*-]{1,40}$/;

/** What would be right, for the slips that YAML invites. */
function typeHint({ expected }: z.core.$ZodIssueInvalidType, found: unknown): string | undefined {
  if (expected === 'string' && (typeof found === 'number' || typeof found === 'boolean')) {
    return `put it in quotes: "${String(found)}"`;
  }
  if (expected === 'array') {
    const word = String(found);
    return typeof found !== 'object' && SHORT_WORD.test(word)
      ? `write a list: [${word}]`
      : 'write a list: put "- " before each of its members';
  }
  if (typeof found !== 'string') return undefined;
  if ((expected === 'object' || expected === 'record') && /^\w+:[^ ]/.test(found)) {
    return 'put a space after the colon';
  }
  const isWanted = expected === 'boolean' ? /^(?:true|false)$/ : /^-?[0-9]{1,15}$/;
  return (expected === 'boolean' || expected === 'number' || expected === 'int') && isWanted.test(found)
    ? 'leave out the quotes'
    : undefined;
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
