import { type Alias, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq, isAlias, isMap, isScalar, isSeq } from 'yaml';
import { MAX_DEPTH } from '../plain-json.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { quote } from '../problem.ts';
import { DOCUMENT_LIMITS, type Members, type Place, isPlaceList } from './document.ts';
import { plainScalar } from './scalar.ts';

/** What is wrong at an offset of the text. */
export type TextProblem = {
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint?: string;
  readonly start: number;
  readonly end: number;
};

/** A value as JSON would have it, where it was written, and how large it is with its aliases written out. */
type Read = { readonly value: unknown; readonly place: Place; readonly size: number };

export type ReadValue = { readonly value: unknown; readonly place: Place; readonly problems: readonly TextProblem[] };

const MAX_TEXT_PROBLEMS = 20;

/**
 * The JSON value of a YAML document, with the place of everything in it. Never recurses deeper than a policy may be, and stops at a bound
 * on the size that aliases multiply; a value that is not read is null, and there is a problem that says why.
 */
export function readValue(root: Node | null, textLength: number): ReadValue {
  const problems: TextProblem[] = [];
  const anchors = new Map<string, Read | 'open'>();
  let expanded = 0;

  const placeOf = (node: { readonly range?: readonly [number, number, number] | null }, members?: Members): Place => {
    const [start, end] = node.range ?? [0, textLength];
    return members === undefined ? { start, end } : { start, end, members };
  };
  const complain = (place: Place, code: ProblemCode, message: string, hint?: string): void => {
    if (problems.length >= MAX_TEXT_PROBLEMS) return;
    const { start, end } = place;
    problems.push(hint === undefined ? { code, message, start, end } : { code, message, hint, start, end });
  };
  const nothing = (place: Place): Read => ({ value: null, place, size: 1 });

  function read(node: Node | null, depth: number): Read {
    if (node === null) return nothing({ start: 0, end: 0 });
    if (isAlias(node)) return readAlias(node);
    const { anchor } = node;
    if (anchor !== undefined) anchors.set(anchor, 'open');
    const result = readContent(node, depth);
    if (anchor !== undefined) anchors.set(anchor, result);
    return result;
  }

  function readContent(node: Scalar | YAMLMap | YAMLSeq, depth: number): Read {
    if (isScalar(node)) return readScalar(node);
    if (depth >= MAX_DEPTH) {
      complain(placeOf(node), 'TooDeep', `is nested deeper than ${MAX_DEPTH} levels`);
      return nothing(placeOf(node));
    }
    checkTag(node, isMap(node) ? 'map' : 'seq');
    return isMap(node) ? readMap(node, depth) : readList(node, depth);
  }

  function checkTag(node: Node, own: string): void {
    if (node.tag !== undefined && node.tag !== `${CORE}${own}`) {
      complain(placeOf(node), 'NotYaml', `the tag ${quote(node.tag)} means nothing here`, 'leave it out');
    }
  }

  function readScalar(node: Scalar): Read {
    const text = typeof node.value === 'string' ? node.value : '';
    const size = 1 + text.length;
    checkTag(node, 'str');
    const isPlain = node.type === 'PLAIN' && node.tag === undefined;
    return { value: isPlain ? plainScalar(text) : text, place: placeOf(node), size };
  }

  function readAlias(node: Alias): Read {
    const place = placeOf(node);
    const target = anchors.get(node.source);
    if (target === undefined || target === 'open') {
      const why = target === undefined ? 'there is no such anchor before it' : 'it stands inside what it stands for';
      complain(place, 'BadAlias', `the alias ${quote(`*${node.source}`)} cannot be resolved: ${why}`);
      return nothing(place);
    }
    expanded += target.size;
    if (expanded > DOCUMENT_LIMITS.expandedSize) {
      complain(place, 'TooLarge', 'aliases make the document larger than the API server stores', 'write out what is meant');
      return nothing(place);
    }
    const { members } = target.place;
    return { value: target.value, place: members === undefined ? place : { ...place, members }, size: target.size };
  }

  function readList(node: YAMLSeq, depth: number): Read {
    const items = node.items.map((item) => read(asNode(item), depth + 1));
    return {
      value: items.map((item) => item.value),
      place: placeOf(
        node,
        items.map((item) => item.place),
      ),
      size: items.reduce((sum, item) => sum + item.size, 1),
    };
  }

  function readMap(node: YAMLMap, depth: number): Read {
    const values = new Map<string, unknown>();
    const members = new Map<string, { name: Place; value: Place }>();
    const merged = new Map<string, { value: unknown; name: Place; place: Place }>();
    let size = 1;
    for (const pair of node.items) {
      const name = nameOf(pair);
      const child = read(asNode(pair.value), depth + 1);
      size += child.size;
      if (name === undefined) continue;
      const value = pair.value === null ? { ...child, place: { start: name.place.end, end: name.place.end } } : child;
      if (name.isMerge) {
        mergeInto(merged, value);
      } else {
        size += name.text.length;
        if (values.has(name.text)) {
          const isNextDocument = depth === 0 && name.text === 'apiVersion';
          const hint = isNextDocument ? 'put a line "---" between two documents' : 'YAML keeps one of the two: merge them';
          complain(name.place, 'DuplicateField', `the field ${quote(name.text)} is given twice`, hint);
        }
        values.set(name.text, value.value);
        members.set(name.text, { name: name.place, value: value.place });
      }
    }
    for (const [key, entry] of merged) {
      if (values.has(key)) continue;
      values.set(key, entry.value);
      members.set(key, { name: entry.name, value: entry.place });
    }
    return { value: Object.fromEntries(values), place: placeOf(node, members), size };
  }

  /** `<<: *anchor`, or a list of them: fields that the map does not have itself; of several maps the first one wins. */
  function mergeInto(merged: Map<string, { value: unknown; name: Place; place: Place }>, { value, place }: Read): void {
    const sources = Array.isArray(value)
      ? value.map((each: unknown, index) => ({ each, at: memberAt(place, index) }))
      : [{ each: value, at: place }];
    for (const { each, at } of sources) {
      if (typeof each !== 'object' || each === null || Array.isArray(each) || at.members === undefined || isPlaceList(at.members)) {
        complain(at, 'NotYaml', '"<<" takes in the fields of a map, and this is none');
        continue;
      }
      for (const [key, item] of Object.entries(each)) {
        const member = at.members.get(key);
        if (!merged.has(key) && member !== undefined) merged.set(key, { value: item, name: member.name, place: member.value });
      }
    }
  }

  function nameOf(pair: Pair): { text: string; place: Place; isMerge: boolean } | undefined {
    const key = asNode(pair.key);
    const place = key === null ? { start: 0, end: 0 } : placeOf(key);
    const value = isMap(key) || isSeq(key) ? undefined : read(key, MAX_DEPTH).value;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      complain(place, 'NotYaml', value === null ? 'a field without a name' : 'the name of a field must be a text');
      return undefined;
    }
    return { text: String(value), place, isMerge: value === '<<' && isScalar(key) && key.type === 'PLAIN' };
  }

  const { value, place } = read(root, 0);
  return { value, place, problems };
}

const CORE = 'tag:yaml.org,2002:';

function asNode(value: unknown): Node | null {
  return isAlias(value) || isScalar(value) || isMap(value) || isSeq(value) ? value : null;
}

function memberAt(place: Place, index: number): Place {
  return (isPlaceList(place.members) ? place.members[index] : undefined) ?? place;
}
