import { Composer, type Document, Lexer, Parser } from 'yaml';
import { MAX_DEPTH } from '../plain-json.ts';
import { quote } from '../problem.ts';
import { DOCUMENT_LIMITS } from './document.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { type ReadValue, type TextProblem, readValue } from './read-value.ts';

/** More open collections than this are deeper than any policy; the rest of the stack is the document itself. */
const MAX_OPEN = MAX_DEPTH + 8;

/** Everything but what YAML allows in a text (5.1); U+FEFF is a mark of byte order that got into the middle. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff\ufffe\uffff]/;

export type ReadYaml = { readonly ok: true; readonly read: ReadValue } | { readonly ok: false; readonly problem: TextProblem };

/** One YAML (or JSON) document. Time and memory are linear in its length, and bounded by `DOCUMENT_LIMITS.lexemes`. */
export function readYaml(text: string): ReadYaml {
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null) {
    const message = `the character ${quote(forbidden[0])} may not stand in YAML`;
    return failure(forbidden.index, 'NotYaml', message, 'write it as an escape in double quotes');
  }
  return withoutStackTraces(() => compose(text));
}

function compose(text: string): ReadYaml {
  const lexer = new Lexer();
  const parser = new Parser();
  // Names are compared when values are read, in linear time; words become numbers there as well.
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent', prettyErrors: false });
  const documents: Document.Parsed[] = [];
  let lexemes = 0;
  for (const lexeme of lexer.lex(text)) {
    lexemes += 1;
    if (lexemes > DOCUMENT_LIMITS.lexemes) {
      return failure(parser.offset, 'TooLarge', 'the document has more words than any policy', 'split it, or shorten its lists');
    }
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') return failure(token.offset, 'NotYaml', 'this cannot stand here', 'is a bracket or a quote missing?');
      documents.push(...composer.next(token));
    }
    if (parser.stack.length > MAX_OPEN) {
      return failure(parser.offset, 'TooDeep', `is nested deeper than ${MAX_DEPTH} levels`);
    }
  }
  for (const token of parser.end()) {
    documents.push(...composer.next(token));
  }
  documents.push(...composer.end(true, text.length));
  const error = documents.flatMap((each) => each.errors)[0];
  if (error !== undefined) {
    return { ok: false, problem: syntaxProblem(error) };
  }
  return { ok: true, read: readValue(documents[0]?.contents ?? null, text.length) };
}

/** The parser makes an error for each word that is wrong, of which the first is used: a million stack traces would take a minute. */
function withoutStackTraces<Result>(work: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function failure(start: number, code: TextProblem['code'], message: string, hint?: string): ReadYaml {
  const place = { start, end: start + 1 };
  return { ok: false, problem: hint === undefined ? { code, message, ...place } : { code, message, hint, ...place } };
}
