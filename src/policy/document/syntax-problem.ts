import type { ErrorCode, YAMLParseError } from 'yaml';
import { visibleJson } from '../problem.ts';
import type { TextProblem } from './read-value.ts';

/** What people do who get this error, in our words: the sentence, and what would be right. */
const SENTENCES: Readonly<Partial<Record<ErrorCode, readonly [message: string, hint?: string]>>> = {
  ALIAS_PROPS: ['an alias takes no anchor and no tag'],
  BAD_ALIAS: ['this is no name of an alias', 'put the text in quotes if it is none'],
  BAD_COLLECTION_TYPE: ['the tag does not fit what it stands at', 'leave it out'],
  BAD_DIRECTIVE: ['this directive is not known', 'leave it out'],
  BAD_DQ_ESCAPE: ['double quotes do not know this escape', 'write \\\\ for a backslash, or use single quotes'],
  BAD_INDENT: ['the line is not indented like the one it belongs to', 'line up the fields of one object, with spaces'],
  BAD_PROP_ORDER: ['an anchor or a tag stands in the wrong place'],
  BAD_SCALAR_START: ['a plain text cannot begin with this character', 'put the text in quotes'],
  BLOCK_AS_IMPLICIT_KEY: ['a field begins in the middle of a line', 'put it on a line of its own, or put a text with ": " in quotes'],
  BLOCK_IN_FLOW: ['inside [ ] and { } everything is written with commas, not with "-" and line breaks'],
  KEY_OVER_1024_CHARS: ['the name of a field is longer than 1024 characters'],
  MULTILINE_IMPLICIT_KEY: ['the name of a field goes over several lines', 'is a ":" or a "- " missing before this?'],
  MULTIPLE_ANCHORS: ['a value has one anchor at most'],
  MULTIPLE_DOCS: ['another document begins here', 'put a line "---" between them'],
  MULTIPLE_TAGS: ['a value has one tag at most'],
  NON_STRING_KEY: ['the name of a field must be a text'],
  TAB_AS_INDENT: ['a tab stands where the line is indented', 'use spaces'],
  UNEXPECTED_TOKEN: ['this cannot stand here', 'put a text with special characters in quotes'],
};

/** Codes that stand for several mistakes, which the beginning of the parser's message tells apart. */
const BEGINNINGS: readonly (readonly [code: ErrorCode, beginning: string, sentence: readonly [message: string, hint?: string]])[] = [
  ['BAD_INDENT', 'Flow ', ['a bracket before this is not closed', 'close [ with ], { with }, and indent what is between them']],
  ['MISSING_CHAR', 'Missing closing', ['a quote before this is not closed', 'end the text with the quote that it begins with']],
  ['MISSING_CHAR', 'Missing ,', ['a comma is missing before this', 'put commas between what is in [ ] and { }']],
];

const MAX_MESSAGE_CHARS = 160;

/** What the YAML parser found, as a problem; the parser's own words only where ours would say less, and bounded. */
export function syntaxProblem(error: YAMLParseError): TextProblem {
  const special = BEGINNINGS.find(([code, beginning]) => code === error.code && error.message.startsWith(beginning));
  const [message, hint] = special?.[2] ?? SENTENCES[error.code] ?? [parserWords(error.message)];
  const [start, end] = error.pos;
  return hint === undefined ? { code: 'NotYaml', message, start, end } : { code: 'NotYaml', message, hint, start, end };
}

function parserWords(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  const cut = line.length > MAX_MESSAGE_CHARS ? `${line.slice(0, MAX_MESSAGE_CHARS)}…` : line;
  // The words may quote the document: nothing in them may move a terminal's cursor.
  return visibleJson(cut).slice(1, -1).replaceAll('\\"', '"');
}
