import { compileEnforcers } from './compile/enforcers.ts';
import type { PolicyContext } from './compile/hook-context.ts';
import { compileFunctionHooks, compileLsmHook, compileTracepoint } from './compile/hooks.ts';
import { compileLabelSelector } from './compile/label-selectors.ts';
import { compileLists } from './compile/lists.ts';
import { compileMacros } from './compile/macros.ts';
import { compileOptions } from './compile/options.ts';
import { warnOfUnused } from './compile/unused.ts';
import { compileUprobe, compileUsdt } from './compile/user-hooks.ts';
import { compileWorkload, isEverything } from './compile/workloads.ts';
import { type PlanDigest, digestOfPlanText, serializePlan } from './digest.ts';
import { isEnforcingHook } from './effect.ts';
import { LIMITS } from './limits.ts';
import { type LabelSelector, PLAN_FORMAT, type Plan, type PlanHook, type PlanScope, type PolicyMode } from './plan.ts';
import type { Outcome, Policy } from './policy.ts';
import { type ProblemSink, createProblemSink, fieldPath, hasErrors } from './problem.ts';

export type CompiledPolicy = {
  readonly plan: Plan;
  /** The plan's canonical JSON: what is stored, sent and hashed. */
  readonly text: string;
  readonly digest: PlanDigest;
  readonly mode: PolicyMode;
  /** The policy can deny, kill, or change what a process does (in enforce mode). */
  readonly enforces: boolean;
  /** Nodes that should run the policy; null: all. */
  readonly nodeSelector: LabelSelector | null;
};

/** Pure and deterministic; knows no kernel. All problems at once. */
export function compile(policy: Policy): Outcome<CompiledPolicy> {
  const sink = createProblemSink();
  const { spec } = policy;
  refuseNamespacedFields(sink, policy);
  const { mode, options } = compileOptions(sink, policy);
  const lists = compileLists(sink, spec.lists ?? []);
  const macros = compileMacros(sink, spec.selectorsMacros ?? {});
  const enforcer = compileEnforcers(sink, spec.enforcers ?? [], lists, options.overrideMethod);
  const isNamespaced = policy.namespace !== null;
  const hooks = compileHooks(sink, { lists, macros, hasEnforcer: enforcer !== undefined, isNamespaced }, policy);
  const scope: PlanScope = { namespace: policy.namespace, ...compileWorkload(sink, 'spec', spec) };
  const nodeSelector = spec.nodeSelector === undefined ? null : compileLabelSelector(sink, 'spec.nodeSelector', spec.nodeSelector);
  const loader = spec.loader === true;
  if (loader && !isEverything(scope)) {
    const hint = 'leave podSelector, containerSelector and hostSelector out, or put the hooks into a policy of their own';
    sink.error('LoaderWithScope', 'spec.loader', 'reports what any process of the node maps, and the policy is about some only', hint);
  }
  if (hooks.length === 0 && !loader && !hasErrors(sink.list())) {
    sink.error('NoHooks', 'spec', 'watches nothing', 'add kprobes, tracepoints or lsmhooks');
  }
  if (hooks.length > LIMITS.hooksPerPolicy) {
    sink.error('TooManyHooks', 'spec', `${hooks.length} hooks`, `at most ${LIMITS.hooksPerPolicy}`);
  }
  warnOfUnused(sink, spec);
  const plan: Plan = {
    format: PLAN_FORMAT,
    scope,
    options,
    hooks,
    ...(loader ? { loader } : {}),
    ...(enforcer === undefined ? {} : { enforcer }),
  };
  return finish(sink, { plan, mode, nodeSelector });
}

function compileHooks(sink: ProblemSink, context: PolicyContext, { spec }: Policy): readonly PlanHook[] {
  return [
    ...(spec.kprobes ?? []).flatMap((hook, index) => compileFunctionHooks(sink, context, 'kprobes', index, hook)),
    ...(spec.tracepoints ?? []).map((hook, index) => compileTracepoint(sink, context, index, hook)),
    ...(spec.lsmhooks ?? []).map((hook, index) => compileLsmHook(sink, context, index, hook)),
    ...(spec.fentries ?? []).flatMap((hook, index) => compileFunctionHooks(sink, context, 'fentries', index, hook)),
    ...(spec.uprobes ?? []).map((hook, index) => compileUprobe(sink, context, index, hook)),
    ...(spec.usdts ?? []).map((hook, index) => compileUsdt(sink, context, index, hook)),
  ];
}

type Compiled = Pick<CompiledPolicy, 'plan' | 'mode' | 'nodeSelector'>;

function finish(sink: ProblemSink, compiled: Compiled): Outcome<CompiledPolicy> {
  const text = hasErrors(sink.list()) ? '' : serializePlan(compiled.plan);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.planBytes) {
    sink.error('PlanTooLarge', 'spec', `${bytes} bytes when compiled`, `at most ${LIMITS.planBytes}`);
  }
  const problems = sink.list();
  if (hasErrors(problems)) {
    return { ok: false, problems };
  }
  const enforces = compiled.plan.hooks.some(isEnforcingHook);
  return { ok: true, value: { ...compiled, text, digest: digestOfPlanText(text), enforces }, warnings: problems };
}

const CLUSTER_ONLY = ['hostSelector', 'uprobes', 'usdts', 'enforcers', 'loader'] as const;

function refuseNamespacedFields(sink: ProblemSink, policy: Policy): void {
  if (policy.namespace === null) {
    return;
  }
  for (const field of CLUSTER_ONLY) {
    const value = policy.spec[field];
    if (value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)) {
      sink.error('NotInNamespacedPolicy', fieldPath('spec', field), `a TracingPolicyNamespaced cannot have ${field}`);
    }
  }
}
