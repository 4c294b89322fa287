import { z } from 'zod';
import { serializePlan } from './digest.ts';
import { LIMITS } from './limits.ts';
import { PLAN_FORMAT, type Plan } from './plan.ts';
import { hookProblem } from './plan-schema/hook-rules.ts';
import { hook } from './plan-schema/hooks.ts';
import { isEverything, scope } from './plan-schema/scope.ts';
import { path, textSet, yes } from './plan-schema/values.ts';

const call = z.string().regex(/^(((x64|i386|arm64|arm32)\/)?sys_[a-z0-9_]{1,60}|security_[A-Za-z0-9_.]{1,118})$/);

const plan: z.ZodType<Plan> = z.strictObject({
  format: z.literal(PLAN_FORMAT),
  scope,
  options: z.strictObject({
    onUnknown: z.enum(['match', 'nomatch']).nullable(),
    onPending: z.enum(['wait', 'apply']),
    substitute: z.enum(['none', 'kill']),
    eventRatePerSecond: z.int().min(1).max(LIMITS.maxEventsPerSecond),
    overrideMethod: z.enum(['fmod_ret', 'override_return']).exactOptional(),
    singleKprobes: yes,
    singleUprobes: yes,
    sleepablePreloadEntries: z.int().min(1).max(LIMITS.maxPreloadEntries).exactOptional(),
  }),
  hooks: z.array(hook).max(LIMITS.hooksPerPolicy),
  loader: yes,
  enforcer: z.strictObject({ path, calls: textSet(call, LIMITS.enforcerCalls) }).exactOptional(),
});

export type ReadPlan = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly message: string };

/**
 * A plan from the hub or from disk. Checked in full, although its digest was checked before: a digest says that it is what was asked
 * for, not that it is a plan of this version.
 */
export function readPlan(planText: string): ReadPlan {
  if (Buffer.byteLength(planText) > LIMITS.planBytes) {
    return { ok: false, message: `the plan is larger than ${LIMITS.planBytes} bytes` };
  }
  let json: unknown;
  try {
    json = JSON.parse(planText);
  } catch {
    return { ok: false, message: 'the plan is no JSON' };
  }
  if (isDeeper(json, MAX_DEPTH)) {
    return { ok: false, message: 'the plan is nested too deep' };
  }
  const result = plan.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    const where = (issue?.path ?? []).join('.').slice(0, 200);
    return { ok: false, message: `the plan is wrong at ${where}: ${issue?.message.slice(0, 200) ?? ''}` };
  }
  const problem = planProblem(result.data);
  if (problem !== undefined) {
    return { ok: false, message: problem };
  }
  return serializePlan(result.data) === planText
    ? { ok: true, plan: result.data }
    : { ok: false, message: 'the plan is not in canonical form' };
}

/** Deepest is an expression of CelExpr: each of its operands is one level. */
const MAX_DEPTH = 64;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  return levels === 0 || Object.values(value).some((child) => isDeeper(child, levels - 1));
}

/** What the parts of a plan say about each other. */
function planProblem(value: Plan): string | undefined {
  const isNamespaced = value.scope.namespace !== null;
  if (isNamespaced && value.options.onPending === 'apply') {
    return 'the plan of a namespaced policy acts on containers of unknown namespace';
  }
  if (isNamespaced && reachesOutside(value)) {
    return 'the plan of a namespaced policy reaches beyond its namespace';
  }
  if (value.loader === true && !isEverything(value.scope)) {
    return 'the plan reports what all processes of the node map, and is about some only';
  }
  if (value.hooks.length === 0 && value.loader !== true) {
    return 'the plan has no hooks';
  }
  for (const [index, each] of value.hooks.entries()) {
    const problem = hookProblem(each, value);
    if (problem !== undefined) {
      return `the plan is wrong at hooks.${index}: ${problem}`;
    }
  }
  return undefined;
}

function reachesOutside({ scope: { host }, loader, enforcer, hooks }: Plan): boolean {
  return (
    host !== undefined ||
    loader !== undefined ||
    enforcer !== undefined ||
    hooks.some((each) => each.user !== undefined || each.selectors.some((selector) => selector.workload?.host !== undefined))
  );
}
