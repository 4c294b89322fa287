import { type Finding, findingText } from './lint-finding.ts';

const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** A workflow command of GitHub Actions: the finding appears beside the line in the pull request. */
export function githubLine(finding: Finding): string {
  const { file, region, severity, code } = finding;
  const properties = [
    ['file', file],
    ['line', region.line],
    ['endLine', region.endLine],
    ['col', region.column],
    // Columns mean something on one line only.
    ...(region.endLine === region.line && region.endColumn > region.column ? [['endColumn', region.endColumn] as const] : []),
    ['title', code],
  ] as const;
  const listed = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`).join(',');
  return `::${COMMANDS[severity]} ${listed}::${escapeData(findingText(finding))}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
