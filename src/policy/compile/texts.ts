import { LIMITS } from '../limits.ts';
import type { PlanHook } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';

/**
 * Message and tags of a hook, as events show them: as they are written. Upstream writes quotes, backslashes and control characters in them
 * as escapes of Go; JSON has escapes of its own. An empty message is none (as upstream).
 */
export function compileTexts(
  sink: ProblemSink,
  path: string,
  spec: { readonly message?: string | undefined; readonly tags?: readonly string[] | undefined },
): Pick<PlanHook, 'message' | 'tags'> {
  const tagsAt = fieldPath(path, 'tags');
  return {
    message: spec.message ? compileText(sink, fieldPath(path, 'message'), spec.message, LIMITS.messageBytes) : '',
    tags: (spec.tags ?? []).map((tag, index) => compileText(sink, fieldPath(tagsAt, index), tag, LIMITS.tagBytes)),
  };
}

/** What is too long is cut (as upstream), here at a whole character, and told. */
function compileText(sink: ProblemSink, path: string, text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) < LIMITS.minTextBytes) {
    sink.error('TextTooShort', path, `${quote(text)} is too short`, `at least ${LIMITS.minTextBytes} bytes`);
  }
  if (Buffer.byteLength(text) <= maxBytes) {
    return text.toWellFormed();
  }
  sink.warn('TextTruncated', path, `is cut after ${maxBytes} bytes`);
  let cut = '';
  let bytes = 0;
  for (const char of text.toWellFormed()) {
    bytes += Buffer.byteLength(char);
    if (bytes > maxBytes) {
      break;
    }
    cut += char;
  }
  return cut;
}
