export type DecodedText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly goodText: string };

const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);

/** The text of a document; if it is not UTF-8, what comes before the first wrong byte. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  let byteOffset = 0;
  let from = 0;
  for (let at = text.indexOf(REPLACEMENT); at !== -1; at = text.indexOf(REPLACEMENT, at + 1)) {
    byteOffset += Buffer.byteLength(text.slice(from, at));
    from = at;
    // The character may have been written as such.
    if (!buffer.subarray(byteOffset, byteOffset + 3).equals(REPLACEMENT_BYTES)) return { ok: false, goodText: text.slice(0, at) };
  }
  return { ok: true, text };
}
