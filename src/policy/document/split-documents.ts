import { DOCUMENT_LIMITS } from './document.ts';

/** The bytes of one document of a file, its `---` line included. */
export type DocumentBytes = { readonly bytes: Uint8Array; readonly firstLine: number; readonly isEmpty: boolean };

export type SplitFile = {
  readonly parts: readonly DocumentBytes[];
  /** Line of the first document that is left out because there are too many. */
  readonly cutAtLine?: number;
};

/** A line that begins with one of these ends a document wherever it stands, also inside quotes (YAML 1.2, 9.1.2). */
const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm;
const BLANK_LINE = /^[ \t\r]*(?:#.*)?$/s;
const DIRECTIVE_LINE = /^%/;

/**
 * Cuts a file into documents before anything is parsed, so that what is wrong with one of them (a byte that is no UTF-8, an open quote)
 * stays its own.
 */
export function splitDocuments(bytes: Uint8Array): SplitFile {
  // One character for each byte: offsets in the text are offsets in the bytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const parts: DocumentBytes[] = [];
  let line = 1;
  let start = 0;
  let directives: { start: number; line: number } | undefined;
  const close = (end: number): boolean => {
    const part = text.slice(start, end);
    const hasMarker = part.startsWith('---');
    const body = hasMarker ? part.slice(3) : part;
    const isBlank = hasOnly(body, (line) => BLANK_LINE.test(line));
    const from = hasMarker && directives !== undefined ? directives : { start, line };
    // Directives belong to the document that follows.
    if (!hasMarker && !isBlank && hasOnly(body, (line) => BLANK_LINE.test(line) || DIRECTIVE_LINE.test(line))) {
      directives = { start, line };
    } else {
      directives = undefined;
      if (hasMarker || !isBlank) {
        if (parts.length === DOCUMENT_LIMITS.documents) return false;
        parts.push({ bytes: bytes.subarray(from.start, end), firstLine: from.line, isEmpty: isBlank });
      }
    }
    line += countNewlines(part);
    return true;
  };
  for (const match of text.matchAll(MARKER)) {
    if (match.index > start && !close(match.index)) return { parts, cutAtLine: line };
    // A document begins at "---", and after "...".
    start = match[0] === '---' ? match.index : match.index + 3;
  }
  return close(text.length) ? { parts } : { parts, cutAtLine: line };
}

function hasOnly(text: string, isFine: (line: string) => boolean): boolean {
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline === -1 ? text.length : newline;
    if (!isFine(text.slice(from, end))) return false;
    from = end + 1;
  }
  return true;
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
