import { bind } from '../policy/bind.ts';
import type { BoundHook } from '../policy/bind/bound-hook.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { PolicyDocument } from '../policy/document/document.ts';
import { locate } from '../policy/document/locate.ts';
import type { LoadReason } from '../policy/reasons.ts';
import type { NamedKernel } from './kernel-choice.ts';
import type { Finding, Severity } from './lint-finding.ts';

/** What a policy comes to on one kernel. */
export type KernelVerdict = {
  readonly kernel: string;
  readonly loads: boolean;
  /** The most that one of its hooks does; `none` where it does not load. */
  readonly effective: BoundHook['effective'];
  /** Reasons why it does not load or does less than wished; each once, sorted. */
  readonly reasons: readonly LoadReason[];
};

export type KernelLint = { readonly findings: readonly Finding[]; readonly verdicts: readonly KernelVerdict[] };

/** Pure: binds a policy on kernels. What is the same on several of them is one finding. */
export function lintOnKernels(document: PolicyDocument, compiled: CompiledPolicy, kernels: readonly NamedKernel[]): KernelLint {
  const bound = kernels.map(({ name, facts }) => ({ kernel: name, hooks: bind(compiled.plan, facts, compiled.mode) }));
  const remarks = bound.flatMap(({ kernel, hooks }) => hooks.flatMap(remarksOf).map((remark) => ({ ...remark, kernel })));
  const groups = Map.groupBy(remarks, ({ severity, reason, field, message }) => JSON.stringify([severity, reason, field, message]));
  const findings = [...groups.values()].flatMap((group): Finding[] => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        file: document.text.file,
        source: document.source,
        region: locate(document, first.field),
        severity: first.severity,
        code: first.reason,
        field: first.field,
        message: first.message,
        kernels: [...new Set(group.map(({ kernel }) => kernel))],
      },
    ];
  });
  return { findings, verdicts: bound.map(({ kernel, hooks }) => verdictOf(kernel, hooks)) };
}

type Remark = { readonly severity: Severity; readonly reason: LoadReason; readonly field: string; readonly message: string };

function remarksOf(hook: BoundHook): readonly Remark[] {
  if (hook.failure !== null) return [{ severity: 'error', ...hook.failure }];
  return hook.notes.map((note) => ({ severity: note.reason === 'HookIgnored' ? 'note' : 'warning', ...note }));
}

const STRENGTH = ['none', 'observe', 'kill', 'deny'] as const;

function verdictOf(kernel: string, hooks: readonly BoundHook[]): KernelVerdict {
  const loads = hooks.every((hook) => hook.failure === null);
  const strongest = STRENGTH.findLast((effective) => hooks.some((hook) => hook.effective === effective)) ?? 'none';
  const reasons = hooks.flatMap(remarksOf).filter(({ severity }) => loads || severity === 'error');
  return {
    kernel,
    loads,
    effective: loads ? strongest : 'none',
    reasons: [...new Set(reasons.map(({ reason }) => reason))].toSorted(),
  };
}
