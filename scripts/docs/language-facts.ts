/** What is true of a sample, found out by compiling, binding and evaluating it. */
import { bind } from '../../src/policy/bind.ts';
import type { BoundHook } from '../../src/policy/bind/bound-hook.ts';
import { type CompiledPolicy, compile } from '../../src/policy/compile.ts';
import { parse } from '../../src/policy/parse.ts';
import type { PlanHook } from '../../src/policy/plan.ts';
import { searchDifference } from '../../src/policy/policy-diff/search.ts';
import type { CallResult } from '../../src/policy/policy-tests/call-result.ts';
import { outcomeWords } from '../../src/policy/policy-diff/outcome.ts';
import type { TestedHook } from '../../src/policy/policy-tests/hook-names.ts';
import { type Problem, formatProblem } from '../../src/policy/problem.ts';
import { type RecordedKernel, readRecorded } from '../../src/policy/testing/recorded-kernels.ts';

const NAME = 'sample';

export type CompiledSample =
  | { readonly ok: true; readonly compiled: CompiledPolicy }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function compileSample(spec: unknown): CompiledSample {
  const object = { apiVersion: 'cilium.io/v1alpha1', kind: 'TracingPolicy', metadata: { name: NAME }, spec };
  const parsed = parse(object);
  const result = parsed.ok ? compile(parsed.value) : parsed;
  return result.ok && 'plan' in result.value
    ? { ok: true, compiled: result.value }
    : { ok: false, problems: result.ok ? [] : result.problems };
}

/** `lsm`: how the hook is attached; else why it cannot be had. */
export function boundOn(kernel: RecordedKernel, { plan, mode }: CompiledPolicy): string {
  const bound = bind(plan, readRecorded(kernel), mode);
  const failed = bound.find((hook) => hook.failure !== null);
  return failed?.failure?.reason ?? methodOf(bound[0]);
}

function methodOf(hook: BoundHook | undefined): string {
  const [first] = hook?.methods ?? [];
  return first === undefined ? (hook?.notes[0]?.reason ?? '') : [first.method, hook?.returnMethods[0]?.method ?? []].flat().join(', ');
}

/** What the reference evaluator says of a call that matches and of one that does not; null: there is none, every call matches. */
export type Evaluated = { readonly hit: string; readonly miss: string | null };

/** Undefined: the policy has no hooks to call. Throws if no call is found that should be there. */
export function evaluated({ plan, mode }: CompiledPolicy): Evaluated | undefined {
  const [hook] = plan.hooks;
  if (hook === undefined) return undefined;
  const tested: TestedHook = { policy: { name: NAME, plan, mode }, hook };
  const everything: TestedHook = {
    policy: { name: NAME, mode, plan: { ...plan, scope: { namespace: null, podSelector: null } } },
    hook: { ...hook, selectors: hook.selectors.map(withoutFilters) },
  };
  const hit = search([tested], [])?.before;
  if (hit === undefined) throw new Error(`no call found that matches ${hook.target}`);
  const isNarrow =
    JSON.stringify(everything.hook.selectors) !== JSON.stringify(hook.selectors) ||
    JSON.stringify(everything.policy.plan.scope) !== JSON.stringify(plan.scope);
  const miss = isNarrow ? search([tested], [everything])?.before : undefined;
  if (isNarrow && miss === undefined) throw new Error(`no call found that does not match ${hook.target}`);
  return { hit: outcomeWords(hit), miss: miss === undefined ? null : outcomeWords(miss) };
}

function withoutFilters(selector: PlanHook['selectors'][number]): PlanHook['selectors'][number] {
  const { workload: _, returnFilters: __, ...rest } = selector;
  return { ...rest, filters: [] };
}

const MAX_TRIES = 200_000;

function search(before: readonly TestedHook[], after: readonly TestedHook[]): { readonly before: CallResult } | null {
  let tries = 0;
  const isOver = (): boolean => {
    tries += 1;
    return tries > MAX_TRIES;
  };
  return searchDifference({ name: 'hook', before, after }, { isOver, seed: 1 }).found;
}

export function problemText(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('; ');
}
