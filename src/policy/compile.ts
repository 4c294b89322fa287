import { compileKprobe, compileLsmHook, compileTracepoint } from './compile/hooks.ts';
import { compileLabelSelector } from './compile/label-selectors.ts';
import { compileOptions } from './compile/options.ts';
import { UNSUPPORTED_SPEC_FIELDS, refuseFields } from './compile/unsupported.ts';
import { type PlanDigest, digestOfPlanText, serializePlan } from './digest.ts';
import { effectOf, isEnforcing } from './effect.ts';
import { LIMITS } from './limits.ts';
import { type LabelSelector, PLAN_FORMAT, type Plan, type PolicyMode } from './plan.ts';
import type { Outcome, Policy } from './policy.ts';
import { type ProblemSink, createProblemSink, fieldPath, hasErrors } from './problem.ts';

export type CompiledPolicy = {
  readonly plan: Plan;
  /** The plan's canonical JSON: what is stored, sent and hashed. */
  readonly text: string;
  readonly digest: PlanDigest;
  readonly mode: PolicyMode;
  /** The policy can deny or kill (in enforce mode). */
  readonly enforces: boolean;
  /** Nodes that should run the policy; null: all. */
  readonly nodeSelector: LabelSelector | null;
};

/** Pure and deterministic; knows no kernel. All problems at once. */
export function compile(policy: Policy): Outcome<CompiledPolicy> {
  const sink = createProblemSink();
  const { spec } = policy;
  refuseNamespacedFields(sink, policy);
  refuseFields(sink, 'spec', spec, UNSUPPORTED_SPEC_FIELDS);
  const { mode, options } = compileOptions(sink, policy);
  const hooks = [
    ...(spec.kprobes ?? []).map((hook, index) => compileKprobe(sink, index, hook)),
    ...(spec.tracepoints ?? []).map((hook, index) => compileTracepoint(sink, index, hook)),
    ...(spec.lsmhooks ?? []).map((hook, index) => compileLsmHook(sink, index, hook)),
  ];
  if (hooks.length === 0 && !hasErrors(sink.list())) {
    sink.error('NoHooks', 'spec', 'watches nothing', 'add kprobes, tracepoints or lsmhooks');
  }
  const selectorOf = (field: 'podSelector' | 'nodeSelector'): LabelSelector | null => {
    const selector = spec[field];
    return selector === undefined ? null : compileLabelSelector(sink, fieldPath('spec', field), selector);
  };
  const scope = { namespace: policy.namespace, podSelector: selectorOf('podSelector') };
  const nodeSelector = selectorOf('nodeSelector');
  if (hooks.length > LIMITS.hooksPerPolicy) {
    sink.error('TooManyHooks', 'spec', `${hooks.length} hooks`, `at most ${LIMITS.hooksPerPolicy}`);
  }
  const plan: Plan = { format: PLAN_FORMAT, scope, options, hooks };
  const text = hasErrors(sink.list()) ? '' : serializePlan(plan);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.planBytes) {
    sink.error('PlanTooLarge', 'spec', `${bytes} bytes when compiled`, `at most ${LIMITS.planBytes}`);
  }
  const problems = sink.list();
  if (hasErrors(problems)) {
    return { ok: false, problems };
  }
  const enforces = hooks.some((hook) => hook.selectors.some((selector) => isEnforcing(effectOf(selector.actions))));
  return {
    ok: true,
    value: { plan, text, digest: digestOfPlanText(text), mode, enforces, nodeSelector },
    warnings: problems,
  };
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
