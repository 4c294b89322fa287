import { createSelectorBudget } from './compile/budget.ts';
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
import { canonicalJson } from './canonical-json.ts';
import { type PlanDigest, digestOfPlanText, serializePlan } from './digest.ts';
import { isEnforcingHook } from './effect.ts';
import { LIMITS } from './limits.ts';
import { type LabelSelector, PLAN_FORMAT, type Plan, type PlanHook, type PlanScope, type PolicyMode } from './plan.ts';
import type { Outcome, Policy } from './policy.ts';
import { type ProblemSink, TooManyErrors, createProblemSink, fieldPath, hasErrors } from './problem.ts';
import { HOOK_SECTIONS } from './schema/spec.ts';
import { addDangers } from './warnings/dangers.ts';

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
  const sink = createProblemSink('stop');
  try {
    return compileAll(sink, policy);
  } catch (error) {
    if (error instanceof TooManyErrors) {
      return { ok: false, problems: sink.list() };
    }
    throw error;
  }
}

function compileAll(sink: ProblemSink, policy: Policy): Outcome<CompiledPolicy> {
  const { spec } = policy;
  refuseNamespacedFields(sink, policy);
  const { mode, options } = compileOptions(sink, policy);
  const lists = compileLists(sink, spec.lists ?? []);
  const macros = compileMacros(sink, spec.selectorsMacros ?? {});
  const enforcer = compileEnforcers(sink, spec.enforcers ?? [], lists, options.overrideMethod);
  const isNamespaced = policy.namespace !== null;
  const budget = createSelectorBudget(sink);
  const hooks = compileHooks(sink, { lists, macros, budget, hasEnforcer: enforcer !== undefined, isNamespaced }, policy);
  const scope: PlanScope = { namespace: policy.namespace, ...compileWorkload(sink, 'spec', spec) };
  const nodeSelector = spec.nodeSelector === undefined ? null : compileLabelSelector(sink, 'spec.nodeSelector', spec.nodeSelector);
  const loader = spec.loader === true;
  if (loader && !isEverything(scope)) {
    const hint = 'leave podSelector, containerSelector and hostSelector out, or put the hooks into a policy of their own';
    sink.error('LoaderWithScope', 'spec.loader', 'reports what any process of the node maps, and the policy is about some only', hint);
  }
  if (!loader && HOOK_SECTIONS.every((section) => (spec[section] ?? []).length === 0)) {
    sink.error('NoHooks', 'spec', 'watches nothing', 'add kprobes, tracepoints or lsmhooks');
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
  return finish(sink, policy, { plan, mode, nodeSelector });
}

/** Section by section; none is compiled any more after too many. */
function compileHooks(sink: ProblemSink, context: PolicyContext, { spec }: Policy): readonly PlanHook[] {
  const { kprobes = [], tracepoints = [], lsmhooks = [], fentries = [], uprobes = [], usdts = [] } = spec;
  const hooks: PlanHook[] = [];
  const each = <Spec>(specs: readonly Spec[], compileOne: (index: number, hook: Spec) => PlanHook | readonly PlanHook[]): void => {
    for (const [index, hook] of specs.entries()) {
      if (hooks.length <= LIMITS.hooksPerPolicy) {
        hooks.push(...[compileOne(index, hook)].flat());
      }
    }
  };
  each(kprobes, (index, hook) => compileFunctionHooks(sink, context, 'kprobes', index, hook));
  each(tracepoints, (index, hook) => compileTracepoint(sink, context, index, hook));
  each(lsmhooks, (index, hook) => compileLsmHook(sink, context, index, hook));
  each(fentries, (index, hook) => compileFunctionHooks(sink, context, 'fentries', index, hook));
  each(uprobes, (index, hook) => compileUprobe(sink, context, index, hook));
  each(usdts, (index, hook) => compileUsdt(sink, context, index, hook));
  if (hooks.length > LIMITS.hooksPerPolicy) {
    sink.error('TooManyHooks', 'spec', `more than ${LIMITS.hooksPerPolicy} hooks`, `at most ${LIMITS.hooksPerPolicy}, with those of lists`);
  }
  return hooks;
}

type Compiled = Pick<CompiledPolicy, 'plan' | 'mode' | 'nodeSelector'>;

function finish(sink: ProblemSink, policy: Policy, compiled: Compiled): Outcome<CompiledPolicy> {
  if (hasErrors(sink.list())) {
    return { ok: false, problems: sink.list() };
  }
  const { plan } = compiled;
  const text = textOf(plan);
  if (text === null) {
    sink.error('PlanTooLarge', 'spec', `more than ${LIMITS.planBytes} bytes when compiled`, `at most ${LIMITS.planBytes}`);
    return { ok: false, problems: sink.list() };
  }
  addDangers(sink, { policy, plan });
  const enforces = plan.hooks.some(isEnforcingHook);
  return { ok: true, value: { ...compiled, text, digest: digestOfPlanText(text), enforces }, warnings: sink.list() };
}

/** Null: too large. Hooks of one list share what they say, and written out together they may be more than memory holds. */
function textOf(plan: Plan): string | null {
  const isShared = new Set(plan.hooks.map((hook) => hook.selectors)).size < plan.hooks.length;
  let left: number = LIMITS.planBytes;
  for (const hook of isShared ? plan.hooks : []) {
    left -= Buffer.byteLength(canonicalJson(hook));
    if (left < 0) {
      return null;
    }
  }
  const text = serializePlan(plan);
  return Buffer.byteLength(text) > LIMITS.planBytes ? null : text;
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
