import type { PolicyDocument, ReadDocuments } from '../policy/document/document.ts';
import { nearestName } from '../policy/nearest.ts';
import { isJsonObject } from '../policy/plain-json.ts';
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

/** `meant`: whatever is in the file should be right. Others lay in a folder beside policies, and say nothing of policies. */
export type FileOrigin = 'meant' | 'found in a folder';

/** Pure: everything that lint says about one file. */
export function lintFile(read: ReadDocuments, origin: FileOrigin, kernels: readonly NamedKernel[]): LintedFile {
  const isMeant = origin === 'meant';
  const documents = read.documents.filter((document) => isMeant || isNearlyPolicy(document));
  const problems = isMeant ? read.problems : [];
  const linted = documents.map((document) => lintDocument(document, kernels));
  return {
    findings: [...problems.map(findingOf), ...linted.flatMap(({ findings }) => findings)].toSorted(byPlace),
    policies: linted.flatMap(({ policy }) => policy ?? []),
    policyCount: documents.length,
    skippedCount: read.skipped.length + read.documents.length - documents.length + read.problems.length - problems.length,
  };
}

type LintedDocument = { readonly findings: readonly Finding[]; readonly policy?: LintedPolicy };

function lintDocument(document: PolicyDocument, kernels: readonly NamedKernel[]): LintedDocument {
  const checked = checkPolicy(document);
  if (!checked.ok) return { findings: checked.problems.map(findingOf) };
  const { kind, namespace, name } = checked.policy;
  const onKernels = lintOnKernels(document, checked.compiled, kernels);
  return {
    findings: [...checked.warnings.map(findingOf), ...onKernels.findings],
    policy: { source: checked.source, kind, namespace, name, digest: checked.compiled.digest, kernels: onKernels.verdicts },
  };
}

/** Folders hold package.json, Chart.yaml, values.yaml and the like; an object whose kind or version is misspelt was meant as a policy. */
function isNearlyPolicy({ object }: PolicyDocument): boolean {
  if (!isJsonObject(object)) return false;
  const { apiVersion, kind } = object;
  const hasVersion = typeof apiVersion === 'string' && apiVersion.startsWith('cilium.io/');
  return hasVersion || (typeof kind === 'string' && nearestName(kind, ['TracingPolicy', 'TracingPolicyNamespaced']) !== undefined);
}

function byPlace(a: Finding, b: Finding): number {
  return a.region.line - b.region.line || a.region.column - b.region.column;
}
