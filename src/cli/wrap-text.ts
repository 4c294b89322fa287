import { printableText } from './printable-text.ts';

/** Breaks a text at spaces into lines of at most `columns`, if its words allow; ends with a line end. */
export function wrapText(text: string, columns: number, firstIndent: string, indent: string): string {
  const lines: string[] = [];
  let line = firstIndent;
  let isEmpty = true;
  for (const word of printableText(text).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return `${[...lines, line].join('\n')}\n`;
}
