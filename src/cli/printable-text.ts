/**
 * What users wrote may hold anything; what a terminal would obey is shown instead: `\x1b`. Line ends are no exception, nor are marks that
 * turn the direction of a text and make it read as another.
 */
export function printableText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
}
