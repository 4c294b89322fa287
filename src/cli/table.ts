import { printableText } from './printable-text.ts';

/**
 * Columns as kubectl prints them: as wide as their widest cell, three spaces apart, the last one not padded. What a terminal would obey is
 * shown: cells may come from nodes and tenants.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows.map((row) => row.map(printableText))];
  const widths = header.map((_, column) => lines.reduce((width, line) => Math.max(width, (line[column] ?? '').length), 0));
  const text = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - cell.length)))
      .join('   ')
      .trimEnd();
  return `${lines.map(text).join('\n')}\n`;
}
