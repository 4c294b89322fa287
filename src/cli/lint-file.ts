import type { PolicyDocument, ReadDocuments } from '../policy/document/document.ts';
import { locate } from '../policy/document/locate.ts';
import type { PolicyKind } from '../policy/plan.ts';
import type { NamedKernel } from './kernel-choice.ts';
import { type Finding, findingOf } from './lint-finding.ts';
import { type KernelVerdict, lintOnKernels } from './lint-kernels.ts';
import { checkPolicy } from './policy-files.ts';

/** A policy that compiles. */
export type LintedPolicy = {
  readonly source: string;
  readonly kind: PolicyKind;
  readonly namespace: string | null;
  readonly name: string;
  /** Of its plan. */
  readonly digest: string;
  /** Empty unless kernels are asked for. */
  readonly kernels: readonly KernelVerdict[];
};

export type LintedFile = {
  readonly findings: readonly Finding[];
  readonly policies: readonly LintedPolicy[];
  /** Policies and what was meant as one, good or bad. */
  readonly policyCount: number;
  /** Documents that are none of ours, empty ones not counted. */
  readonly skippedCount: number;
};

/** Pure: everything that lint says about one file. */
export function lintFile(read: ReadDocuments, kernels: readonly NamedKernel[]): LintedFile {
  const linted = read.documents.map((document) => lintDocument(document, kernels));
  const findings = [...read.problems.map(findingOf), ...linted.flatMap(({ findings: own }) => own), ...repeatedNames(linted)];
  return {
    findings: findings.toSorted(byPlace),
    policies: linted.flatMap(({ policy }) => policy ?? []),
    policyCount: read.documents.length,
    skippedCount: read.skipped.length,
  };
}

type LintedDocument = { readonly document: PolicyDocument; readonly findings: readonly Finding[]; readonly policy?: LintedPolicy };

function lintDocument(document: PolicyDocument, kernels: readonly NamedKernel[]): LintedDocument {
  const checked = checkPolicy(document);
  if (!checked.ok) return { document, findings: checked.problems.map(findingOf) };
  const { kind, namespace, name } = checked.policy;
  const onKernels = lintOnKernels(document, checked.compiled, kernels);
  return {
    document,
    findings: [...checked.warnings.map(findingOf), ...onKernels.findings],
    policy: { source: checked.source, kind, namespace, name, digest: checked.compiled.digest, kernels: onKernels.verdicts },
  };
}

/** Of two objects with one name the API server keeps the later one. Other files may replace a policy on purpose: overlays do. */
function repeatedNames(linted: readonly LintedDocument[]): readonly Finding[] {
  const seen = new Map<string, string>();
  return linted.flatMap(({ document, policy }): Finding[] => {
    if (policy === undefined || policy.name === '') return [];
    const key = JSON.stringify([policy.kind, policy.namespace, policy.name]);
    const before = seen.get(key);
    seen.set(key, before ?? document.source);
    if (before === undefined) return [];
    const message = `${before} has this name as well, and the later one replaces the other`;
    const { file } = document.text;
    const region = locate(document, 'metadata.name');
    return [{ file, source: document.source, region, severity: 'warning', code: 'RepeatedName', field: 'metadata.name', message }];
  });
}

function byPlace(a: Finding, b: Finding): number {
  return a.region.line - b.region.line || a.region.column - b.region.column;
}
