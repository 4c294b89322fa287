/** Which version of every policy the node should try to run now. Pure: the heart of "keep last good, per policy". */
import { PLAN_FORMAT, type Plan, type PolicyMode, type PolicyRef } from '../../policy/plan.ts';
import type { LoadReason } from '../../policy/reasons.ts';
import type { Entry } from '../../protocol/hub-frames.ts';

/** Why a plan was left out of a link or a load. */
export type PlanFailure = {
  readonly reason: LoadReason;
  readonly message: string;
  /** `kprobe:security_file_open` or the field's path. */
  readonly hook?: string;
  readonly stage?: string;
  readonly errno?: number;
};

export type ChoiceInput = {
  readonly entries: readonly Entry[];
  /** Parsed plans by digest. A digest that is absent has not arrived; null: the text is no plan that this agent understands. */
  readonly plans: ReadonlyMap<string, Plan | null>;
  /** Per uid the digest that was last active in the kernel. */
  readonly loaded: ReadonlyMap<string, string>;
  /** Names (`namespace/name` or `name`) that someone suspended on this node. */
  readonly suspended: ReadonlySet<string>;
  /** Plans that did not load in this attempt: `uid digest` → why. */
  readonly failures: ReadonlyMap<string, PlanFailure>;
};

export type ChosenPlan = {
  readonly ref: PolicyRef;
  readonly digest: string;
  readonly plan: Plan;
  readonly mode: PolicyMode;
};

/** How far what is tried is from what is wished. */
export type Choice = {
  readonly entry: Entry;
  /** Null: nothing of this policy is to run. */
  readonly chosen: ChosenPlan | null;
  readonly state: 'wished' | 'held' | 'waiting' | 'fallback' | 'failed' | 'suspended' | 'unsupported';
  /** Why it is not `wished`. */
  readonly failure: PlanFailure | null;
};

export function choosePlans(input: ChoiceInput): Choice[] {
  return input.entries.map((entry) => choosePlan(entry, input));
}

export function failureKey(uid: string, digest: string): string {
  return `${uid} ${digest}`;
}

/** How people name a policy: `name`, or `namespace/name` for the namespaced kind. */
export function policyLabel(entry: Pick<Entry, 'namespace' | 'name'>): string {
  return entry.namespace === null ? entry.name : `${entry.namespace}/${entry.name}`;
}

function choosePlan(entry: Entry, input: ChoiceInput): Choice {
  if (input.suspended.has('*') || input.suspended.has(policyLabel(entry))) {
    const message = 'suspended on this node; "palisade node resume" lifts it';
    return { entry, chosen: null, state: 'suspended', failure: { reason: 'NodeSuspended', message } };
  }
  const loaded = input.loaded.get(entry.uid);
  if (entry.digest === null) {
    const held = loaded === undefined ? null : usable(entry, loaded, input);
    return { entry, chosen: held, state: 'held', failure: null };
  }
  const wished = usable(entry, entry.digest, input);
  if (wished !== null) return { entry, chosen: wished, state: 'wished', failure: null };
  const failure = failureOf(entry, entry.digest, input);
  const isWaiting = failure.reason === 'PlanUnavailable';
  for (const digest of [entry.fallback, loaded]) {
    if (digest === undefined || digest === entry.digest) continue;
    const fallback = usable(entry, digest, input);
    if (fallback !== null) return { entry, chosen: fallback, state: isWaiting ? 'waiting' : 'fallback', failure };
  }
  const state = isWaiting ? 'waiting' : failure.reason === 'PlanFormatUnsupported' ? 'unsupported' : 'failed';
  return { entry, chosen: null, state, failure };
}

function usable(entry: Entry, digest: string, input: ChoiceInput): ChosenPlan | null {
  const plan = input.plans.get(digest);
  if (plan === undefined || plan === null || input.failures.has(failureKey(entry.uid, digest)) || scopeProblem(entry, plan) !== null)
    return null;
  const { kind, namespace, name, uid, generation, mode } = entry;
  return { ref: { kind, namespace, name, uid, generation }, digest, plan, mode };
}

function failureOf(entry: Entry, digest: string, input: ChoiceInput): PlanFailure {
  const failure = input.failures.get(failureKey(entry.uid, digest));
  if (failure !== undefined) return failure;
  const plan = input.plans.get(digest);
  if (plan === undefined) return { reason: 'PlanUnavailable', message: `plan ${digest.slice(0, 8)} has not arrived yet` };
  if (plan === null) return { reason: 'PlanFormatUnsupported', message: `this agent understands plans of format ${PLAN_FORMAT} only` };
  return { reason: 'NotSupportedByAgent', message: scopeProblem(entry, plan) ?? 'the plan cannot be used' };
}

/** A namespaced policy without its namespace in the plan would act on the whole node: it is refused here whatever the hub says. */
function scopeProblem(entry: Entry, plan: Plan): string | null {
  if (entry.kind === 'TracingPolicy') return null;
  if (plan.scope.namespace === entry.namespace && entry.namespace !== null) return null;
  return 'the plan of a namespaced policy is not limited to its namespace; it is refused';
}
