/** What a plan asks for beside its hooks. */
import type { KernelFacts } from '../kernel-facts.ts';
import type { Plan, PlanEnforcer, PlanHook } from '../plan.ts';
import { attachPointKey, attachPointOf } from './attach-point.ts';
import type { BindFailure, BoundHook } from './bound-hook.ts';
import { type DenyQuestion, denyMethods, whyNoDeny } from './deny.ts';
import { enforcerNotInEngine, loaderNotInEngine } from './engine-check.ts';
import { findMissing } from './missing-name.ts';
import type { NameSearch } from './name-search.ts';
import { killMethods } from './watch.ts';

const EMPTY = { methods: [], returnMethods: [], planned: [], plannedReturns: [], functions: null, effective: 'none', notes: [] } as const;

export function bindLoader(plan: Plan): BoundHook {
  const failure = loaderNotInEngine();
  return { ...EMPTY, part: 'loader', hook: plan.hooks.length, path: 'spec', field: failure.field, point: 'loader', failure };
}

/** One entry for each call that can be denied or killed in when a hook asks for it. */
export function bindEnforcer(plan: Plan, enforcer: PlanEnforcer, kernel: KernelFacts, search: NameSearch): readonly BoundHook[] {
  const denies = plan.hooks.some((hook) =>
    hook.selectors.some((selector) => selector.actions.some((action) => action.type === 'notify_enforcer' && action.errno !== 0)),
  );
  return enforcer.calls.map((call) => {
    const asked = questionOf(plan, enforcer, call, kernel);
    const field = `${enforcer.path}.calls`;
    const planned = denies ? denyMethods(asked) : killMethods(asked);
    const missing = findMissing(asked.point, kernel, search) ?? (denies && planned.length === 0 ? whyNoDeny(asked) : undefined);
    const failure: BindFailure = missing === undefined ? enforcerNotInEngine(enforcer.path) : { ...missing, field };
    const point = attachPointKey(asked.point);
    return { ...EMPTY, part: 'enforcer', hook: plan.hooks.length, path: enforcer.path, field, point, planned, failure };
  });
}

function questionOf(plan: Plan, enforcer: PlanEnforcer, call: string, kernel: KernelFacts): DenyQuestion {
  const hook: PlanHook = {
    kind: 'kprobe',
    section: 'kprobes',
    index: 0,
    path: enforcer.path,
    target: call,
    syscall: /^(?:\w+\/)?sys_/.test(call),
    message: '',
    tags: [],
    args: [],
    selectors: [],
  };
  const point = attachPointOf(hook, kernel);
  const target = 'functionName' in point ? point.functionName : call;
  return { hook, point, functions: [target], target, kernel, choice: plan.options };
}
