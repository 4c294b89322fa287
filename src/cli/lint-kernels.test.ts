import { describe, expect, it } from 'vitest';
import { readDocuments } from '../policy/document/read-documents.ts';
import { readKnownKernel } from './kernel-facts-files.ts';
import { lintFile } from './lint-file.ts';
import type { Finding } from './lint-finding.ts';
import type { KernelVerdict } from './lint-kernels.ts';
import { findingLine, summaryLine, textReport } from './lint-report.ts';
import { PLAIN } from './output-style.ts';

const kernels = ['5.10', '6.12'].map((name) => ({ name, facts: readKnownKernel(name) }));

function lint(hooks: string, options = ''): { readonly findings: readonly Finding[]; readonly verdicts: readonly KernelVerdict[] } {
  const text = `apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: {name: p}\nspec:\n  podSelector: {}\n${options}${hooks}`;
  const { findings, policies } = lintFile(readDocuments('p.yaml', Buffer.from(text)), kernels);
  return { findings, verdicts: policies[0]?.kernels ?? [] };
}

describe('A policy on kernels', () => {
  it('is an error where a hook cannot be had, and fine where it can', () => {
    // The hook came with Linux 6.9.
    const { findings, verdicts } = lint('  lsmhooks:\n  - hook: bdev_setintegrity\n');
    expect(findings).toMatchObject([{ severity: 'error', code: 'LsmHookNotFound', kernels: ['5.10'], region: { line: 7, column: 11 } }]);
    expect(verdicts).toMatchObject([
      { kernel: '5.10', loads: false, effective: 'none', reasons: ['LsmHookNotFound'] },
      { kernel: '6.12', loads: true, effective: 'observe', reasons: [] },
    ]);
  });

  it('is worth a note where a hook is skipped as the policy says', () => {
    const { findings, verdicts } = lint(
      '  kprobes:\n  - call: tcp_connect\n    syscall: false\n  - call: no_such_function\n    syscall: false\n    ignore: {callNotFound: true}\n',
    );
    expect(findings.filter(({ severity }) => severity === 'note')).toMatchObject([
      { code: 'HookIgnored', field: 'spec.kprobes[1].call', kernels: ['5.10', '6.12'] },
    ]);
    expect(verdicts.map(({ loads }) => loads)).toEqual([true, true]);
    expect(verdicts[1]?.reasons).toEqual(['HookIgnored']);
  });

  it('says once what is the same on several kernels, and that the engine does not run it yet', () => {
    const { findings, verdicts } = lint('  uprobes:\n  - path: /bin/bash\n    symbols: [readline]\n');
    expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([{ code: 'NotInEngine', kernels: ['5.10', '6.12'] }]);
    expect(verdicts.map(({ reasons }) => reasons)).toEqual([['NotInEngine'], ['NotInEngine']]);
  });

  it('denies where it may, and kills where a kill may stand in', () => {
    const call = '  kprobes:\n  - call: sys_openat\n    selectors:\n    - matchActions: [{action: Override, argError: -1}]\n';
    expect(lint(call).verdicts.map(({ loads }) => loads)).toEqual([false, false]);
    const allowed = lint(call, '  options: [{name: palisade.dev/substitute, value: kill}]\n');
    expect(allowed.verdicts).toMatchObject([{ effective: 'kill' }, { effective: 'kill', reasons: ['DegradedKillOnly'] }]);
    expect(allowed.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('The report', () => {
  const finding: Finding = {
    file: 'a\u001b[31m\n.yaml',
    source: 'a',
    region: { line: 1, column: 2, endLine: 1, endColumn: 3 },
    severity: 'error',
    code: 'NotYaml',
    field: '',
    message: 'is wrong',
    hint: 'do this',
    kernels: ['5.10', '6.1'],
  };
  const report = {
    findings: [finding],
    policies: [],
    fileCount: 1,
    policyCount: 2,
    skippedCount: 3,
    leftOut: { error: 4, warning: 1, note: 0 },
    unread: [],
  };

  it('shows what a terminal would obey in the name of a file', () => {
    expect(findingLine(finding, PLAIN)).toBe('a\\x1b[31m\\x0a.yaml:1:2: error: NotYaml: is wrong; do this [kernel 5.10, 6.1]\n');
  });

  it('counts also what is not shown', () => {
    expect(summaryLine(report)).toBe('2 policies in 1 file: 5 errors, 1 warning (5 of them not shown); 3 other objects skipped');
    const unread = { ...report, findings: [], leftOut: { error: 0, warning: 0, note: 0 }, skippedCount: 0, unread: ['a.yaml: gone'] };
    expect(summaryLine(unread)).toBe('2 policies in 1 file: no problems in what was read; 1 file not read');
    expect(textReport(report, PLAIN).split('\n')).toHaveLength(2);
  });
});
