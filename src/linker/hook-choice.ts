/** From what `bind` offers for a hook to the one way in which this link attaches it. */
import { bind } from '../policy/bind.ts';
import { canStandIn } from '../policy/bind/attach-point.ts';
import type { BoundMethod } from '../policy/bind/methods.ts';
import type { PlanHook } from '../policy/plan.ts';
import { conventionOf, type Convention, familyOf, hookKey, isLoadable, methodText } from './attach-target.ts';
import { failed, linked, type LinkFailure, type LinkResult } from './link-failure.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';

export type HookChoice = {
  readonly hookIndex: number;
  readonly hook: PlanHook;
  /** Equal for hooks that sit at the same place of the kernel, whatever way they are attached. */
  readonly point: string;
  readonly key: string;
  readonly convention: Convention;
  /** In order of preference; all of one family, all deny in the same way. */
  readonly methods: readonly BoundMethod[];
  readonly substituted: boolean;
  /** What to ask the loader about, null if nothing. */
  readonly query: string | null;
};

/** Every hook of a policy, or why one of them cannot be had. */
export function chooseHooks(policy: LinkPolicy, input: Pick<LinkInput, 'kernel' | 'unusable'>): LinkResult<readonly HookChoice[]> {
  const choices: HookChoice[] = [];
  for (const bound of bind(policy.plan, input.kernel, policy.mode)) {
    const hook = policy.plan.hooks[bound.hook];
    if (hook === undefined) continue;
    const blame = { uid: policy.ref.uid, path: bound.path };
    if (bound.failure !== null) return failed({ ...bound.failure, ...blame });
    const loadable = bound.methods.filter((method) => isLoadable(method.method));
    const usable = loadable.filter((method) => !input.unusable.has(methodText(method)));
    const [first] = usable;
    if (first === undefined) return failed({ ...whyNone(hook, loadable, input), ...blame });
    choices.push({
      hookIndex: bound.hook,
      hook,
      point: bound.point,
      key: hookKey(first),
      convention: conventionOf(first.method),
      methods: usable.filter((method) => familyOf(method.method) === familyOf(first.method) && method.deny === first.deny),
      substituted: first.deny === 'kill',
      query: queryOf(hook, first),
    });
  }
  return linked(choices);
}

/**
 * A fmod_ret program that denies keeps the LSM hook behind its function from being called at all, so programs there would not see what
 * it denied. Where both are wanted at one point, all become fmod_ret. Returns the choices in the same order.
 */
export function alignChoices(choices: readonly HookChoice[]): readonly HookChoice[] {
  const fmodRet = new Map(choices.filter((choice) => choice.methods[0]?.method === 'fmod_ret').map((choice) => [choice.point, choice]));
  return choices.map((choice) => {
    const [first] = choice.methods;
    const leader = fmodRet.get(choice.point);
    if (leader === undefined || first?.method !== 'lsm' || !canStandIn(choice.hook, first.target)) return choice;
    const methods = leader.methods.map((method) => (first.deny === 'none' ? { ...method, deny: first.deny } : method));
    const query = methods[0] === undefined ? null : queryOf(choice.hook, methods[0]);
    return { ...choice, key: leader.key, convention: leader.convention, methods, query };
  });
}

/** What the loader must be asked before these policies can be linked, without repetitions. */
export function prototypeQueries(policies: readonly LinkPolicy[], input: Pick<LinkInput, 'kernel' | 'unusable'>): readonly string[] {
  const choices = policies.flatMap((policy) => {
    const chosen = chooseHooks(policy, input);
    return chosen.ok ? chosen.value : [];
  });
  // Before and after: which of them are linked in the end depends on what turns out not to fit.
  const queries = [...choices, ...alignChoices(choices)].flatMap((choice) => choice.query ?? []);
  return [...new Set(queries)].toSorted();
}

/** System calls need no description: all their arguments are registers, and all their pointers are the user's. */
function queryOf(hook: PlanHook, method: BoundMethod): string | null {
  if (method.method === 'tracepoint') return `tracepoint:${method.target}`;
  if (hook.syscall || hook.args.length === 0) return null;
  return method.method === 'lsm' ? `lsm:${method.target}` : `function:${method.target}`;
}

/**
 * The first refusal, in the words of the policy. One hook of the kernel has two names, and the loader says which of them it did not find:
 * that is no answer to who asked for the other one.
 */
function whyNone(hook: PlanHook, loadable: readonly BoundMethod[], input: Pick<LinkInput, 'unusable'>): LinkFailure {
  const refusals = loadable.flatMap((method) => input.unusable.get(methodText(method)) ?? []);
  const [wished, other] =
    hook.kind === 'lsm' ? (['LsmHookNotFound', 'FunctionNotFound'] as const) : (['FunctionNotFound', 'LsmHookNotFound'] as const);
  const chosen = refusals.find(({ reason }) => reason !== other) ?? refusals[0];
  if (chosen !== undefined) return { reason: chosen.reason === other ? wished : chosen.reason, message: chosen.message };
  return {
    reason: 'NotSupportedByAgent',
    message: 'the loader of this node has no program for the ways in which this hook could be attached',
  };
}
