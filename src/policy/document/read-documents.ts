import { isJsonObject } from '../plain-json.ts';
import { nearestName } from '../nearest.ts';
import { type Problem, quote } from '../problem.ts';
import { decodeText } from './decode-text.ts';
import {
  DOCUMENT_LIMITS,
  type DocumentText,
  type LocatedProblem,
  type Members,
  type Place,
  type PolicyDocument,
  type ReadDocuments,
  type SkippedDocument,
  isPlaceList,
} from './document.ts';
import { locate, regionOf } from './locate.ts';
import type { TextProblem } from './read-value.ts';
import { readYaml } from './read-yaml.ts';
import { type DocumentBytes, splitDocuments } from './split-documents.ts';

const POLICY_KINDS = ['TracingPolicy', 'TracingPolicyNamespaced'] as const;
const LIST_KINDS: ReadonlyMap<string, string> = new Map([
  ['TracingPolicyList', 'TracingPolicy'],
  ['TracingPolicyNamespacedList', 'TracingPolicyNamespaced'],
]);

/**
 * The policies of a file: YAML or JSON, one document or many, Lists, and other kinds in between, which are skipped and counted. Every
 * problem has its place, and costs its own document only. `name` is for people: `policy.yaml`, `stdin`.
 */
export function readDocuments(name: string, bytes: Uint8Array): ReadDocuments {
  const problems: LocatedProblem[] = [];
  const whole: DocumentText = { file: name, source: name, text: '', firstLine: 1 };
  if (bytes.length > DOCUMENT_LIMITS.fileBytes) {
    const message = `${bytes.length} bytes are too many for policies`;
    return onlyProblem(whole, { code: 'TooLarge', message, hint: `at most ${DOCUMENT_LIMITS.fileBytes}`, start: 0, end: 0 });
  }
  if (isUtf16(bytes)) {
    return onlyProblem(whole, { code: 'NotUtf8', message: 'the text is UTF-16', hint: 'save it as UTF-8', start: 0, end: 0 });
  }
  const documents: PolicyDocument[] = [];
  const skipped: SkippedDocument[] = [];
  const { parts, cutAtLine } = splitDocuments(withoutByteOrderMark(bytes));
  for (const [index, part] of parts.entries()) {
    if (part.isEmpty) continue;
    const source = parts.length === 1 ? name : `${name}#${index + 1}`;
    const found = readPart({ file: name, source }, part);
    documents.push(...found.documents);
    skipped.push(...found.skipped);
    problems.push(...found.problems);
  }
  if (cutAtLine !== undefined) {
    const message = `a file has at most ${DOCUMENT_LIMITS.documents} documents; those from here on are not read`;
    problems.push(located({ ...whole, firstLine: cutAtLine }, { code: 'TooLarge', message, start: 0, end: 0 }));
  }
  return { documents, skipped, emptyCount: parts.filter((part) => part.isEmpty).length, problems };
}

type Found = Omit<ReadDocuments, 'emptyCount'>;

function readPart(names: Pick<DocumentText, 'file' | 'source'>, part: DocumentBytes): Found {
  const nothing: Found = { documents: [], skipped: [], problems: [] };
  const failed = (text: DocumentText, problem: TextProblem): Found => ({ ...nothing, problems: [located(text, problem)] });
  const { firstLine } = part;
  if (part.bytes.length > DOCUMENT_LIMITS.documentBytes) {
    const message = `the document has ${part.bytes.length} bytes; an API server takes at most ${DOCUMENT_LIMITS.documentBytes}`;
    return failed({ ...names, text: '', firstLine }, { code: 'TooLarge', message, start: 0, end: 0 });
  }
  const decoded = decodeText(part.bytes);
  if (!decoded.ok) {
    const start = decoded.goodText.length;
    const problem = {
      code: 'NotUtf8',
      message: 'this byte is no part of a UTF-8 text',
      hint: 'save it as UTF-8',
      start,
      end: start,
    } as const;
    return failed({ ...names, text: decoded.goodText, firstLine }, problem);
  }
  const text: DocumentText = { ...names, text: decoded.text, firstLine };
  const yaml = readYaml(decoded.text);
  if (!yaml.ok) return failed(text, yaml.problem);
  const { value, place } = yaml.read;
  const kept: PolicyDocument[] = [];
  const skipped: SkippedDocument[] = [];
  for (const document of objectsOf({ source: names.source, object: value, text, place })) {
    const kind = otherKind(document.object);
    if (kind === undefined) kept.push(document);
    else skipped.push({ source: document.source, line: locate(document, 'kind').line, kind });
  }
  // What is wrong in the YAML of other kinds is not ours to say.
  const textProblems = kept.length > 0 ? yaml.read.problems : [];
  if (textProblems.length > 0) {
    return { ...nothing, skipped, problems: textProblems.map((problem) => located(text, problem)) };
  }
  return { ...nothing, documents: kept, skipped };
}

/** The object itself, or those in it if it is a List. Lists in Lists are followed; the depth of a document bounds that. */
function objectsOf(document: PolicyDocument): PolicyDocument[] {
  const { object } = document;
  if (!isJsonObject(object) || !Array.isArray(object['items']) || typeof object['kind'] !== 'string') return [document];
  const itemKind = LIST_KINDS.get(object['kind']);
  if (itemKind === undefined && object['kind'] !== 'List') return [document];
  const places = fieldPlace(document.place, 'items');
  const items: readonly unknown[] = object['items'];
  return items.flatMap((item, index) => {
    const typed = itemKind !== undefined && isJsonObject(item) ? { apiVersion: object['apiVersion'], kind: itemKind, ...item } : item;
    return objectsOf({
      ...document,
      source: `${document.source}.items[${index}]`,
      object: typed,
      place: listPlace(places, index) ?? document.place,
    });
  });
}

/** The kind of an object that is no policy and was not meant as one; what lacks a kind or a version is for `parse` to refuse. */
function otherKind(object: unknown): string | undefined {
  if (!isJsonObject(object)) return undefined;
  const { apiVersion, kind } = object;
  if (typeof kind !== 'string' || typeof apiVersion !== 'string' || kind === '' || apiVersion === '') return undefined;
  const isPolicy = POLICY_KINDS.some((name) => name === kind) || nearestName(kind, POLICY_KINDS) !== undefined;
  return isPolicy ? undefined : quote(kind).slice(1, -1);
}

function located(text: DocumentText, { code, message, hint, start, end }: TextProblem): LocatedProblem {
  const problem: Problem = { code, path: '', message, severity: 'error', ...(hint === undefined ? {} : { hint }) };
  return { file: text.file, source: text.source, region: regionOf(text, { start, end }), problem };
}

function onlyProblem(text: DocumentText, problem: TextProblem): ReadDocuments {
  return { documents: [], skipped: [], emptyCount: 0, problems: [located(text, problem)] };
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function fieldPlace({ members }: Place, name: string): Members | undefined {
  return members === undefined || isPlaceList(members) ? undefined : members.get(name)?.value.members;
}

function listPlace(members: Members | undefined, index: number): Place | undefined {
  return isPlaceList(members) ? members[index] : undefined;
}
