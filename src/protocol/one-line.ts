/** What a terminal obeys or does not show. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

/** Words that nodes or tenants wrote, for statuses and warnings: one line that moves no cursor. (The API server drops warnings with others.) */
export function oneLine(words: string): string {
  return words.replaceAll(INVISIBLE, '?');
}
