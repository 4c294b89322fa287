import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROBLEM_CODES } from '../policy/problem-codes.ts';
import { findReason } from '../policy/reasons.ts';
import { type Finding, findingText } from './lint-finding.ts';
import type { LintReport } from './lint-report.ts';

/** Where the codes are explained, from the root of a checkout. */
const HELP_PAGE = 'docs/errors.md';
const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** A log of SARIF 2.1.0: what code scanners and editors read. `informationUri` has no place to point to yet, and is left out. */
export function sarifReport({ findings, leftOut, unread }: LintReport, version: string): string {
  const isCut = leftOut.error + leftOut.warning + leftOut.note > 0;
  const notes = [...unread.map((text) => ({ level: 'error', message: { text } })), ...(isCut ? [notification(leftOut)] : [])];
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'palisade', semanticVersion: version, rules: codes.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        invocations: [{ executionSuccessful: unread.length === 0, ...(notes.length === 0 ? {} : { toolExecutionNotifications: notes }) }],
        results: withFingerprints(findings).map(({ finding, fingerprint }) => resultOf(finding, fingerprint, codes)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function notification({ error, warning, note }: LintReport['leftOut']): object {
  return { level: 'warning', message: { text: `${error} errors, ${warning} warnings and ${note} notes are left out` } };
}

type Code = Finding['code'];

function ruleOf(code: Code): object {
  const problem = PROBLEM_CODES.find(({ name }) => name === code)?.summary;
  const reason = findReason(code)?.summary;
  const sentences = [problem, reason === undefined ? undefined : `On a kernel: ${reason}.`].filter((text) => text !== undefined);
  const text = sentences.join(' ');
  return {
    id: code,
    name: code,
    shortDescription: { text: firstSentence(text) },
    fullDescription: { text },
    help: { text: `${text} See ${HELP_PAGE}#${code}.`, markdown: `${text} See [${HELP_PAGE}](${HELP_PAGE}#${code}).` },
    properties: { tags: reason === undefined ? ['policy'] : problem === undefined ? ['kernel'] : ['policy', 'kernel'] },
  };
}

function firstSentence(text: string): string {
  const end = text.search(/[.:;](?:\s|$)/);
  return end === -1 ? text : `${text.slice(0, end)}.`;
}

function resultOf(finding: Finding, fingerprint: string, codes: readonly Code[]): object {
  const { code, severity, region, field, kernels } = finding;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: findingText(finding) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifactOf(finding.file),
          region: { startLine: region.line, startColumn: region.column, endLine: region.endLine, endColumn: region.endColumn },
        },
        ...(field === '' ? {} : { logicalLocations: [{ fullyQualifiedName: field, kind: 'member' }] }),
      },
    ],
    partialFingerprints: { 'palisade/v1': fingerprint },
    ...(kernels === undefined ? {} : { properties: { kernels } }),
  };
}

/** Relative paths are relative to the root of the checkout, as code scanners expect them. */
function artifactOf(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href };
  const uri = file.split(/[/\\]/).map(encodeURIComponent).join('/');
  return { uri, uriBaseId: '%SRCROOT%' };
}

/** Stays when lines are added above: a scanner knows by it that it has shown a finding before. */
function withFingerprints(findings: readonly Finding[]): readonly { readonly finding: Finding; readonly fingerprint: string }[] {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const key = JSON.stringify([finding.source, finding.code, finding.field, finding.message]);
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return { finding, fingerprint: createHash('sha256').update(`${key}:${count}`).digest('hex').slice(0, 32) };
  });
}
