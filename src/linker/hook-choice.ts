/** From what `bind` offers for a hook to the one way in which this link attaches it. */
import { bind } from '../policy/bind.ts';
import type { BoundHook } from '../policy/bind/bound-hook.ts';
import { canStandIn, ownSyscall } from '../policy/bind/attach-point.ts';
import type { BoundMethod } from '../policy/bind/methods.ts';
import { hasFact, type KernelFacts } from '../policy/kernel-facts.ts';
import type { Plan, PlanHook, PolicyMode } from '../policy/plan.ts';
import type { LoadReason } from '../policy/reasons.ts';
import { digestKey } from './allocation.ts';
import { conventionOf, type Convention, familyOf, hookKey, type HookSharing, isLoadable, methodText } from './attach-target.ts';
import { failed, linked, type LinkFailure, type LinkResult } from './link-failure.ts';
import type { LinkInput, LinkPolicy, UnusableMethod } from './link-input.ts';
import { ENGINE_OF_TODAY } from './link-target.ts';
import { hasLateHook } from './late-exec.ts';
import { memberQuery } from './prototype.ts';
import { latePathIndex } from './slot.ts';
import { syscallNumber } from './syscall-numbers.ts';

/** What decides how hooks are attached. */
export type ChoiceInput = Pick<LinkInput, 'kernel' | 'unusable' | 'target'>;

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

export type PolicyChoices = {
  readonly choices: readonly HookChoice[];
  /** Positions in the plan of the hooks that this kernel lacks and the policy can do without. With those of `choices` all of the plan. */
  readonly skipped: readonly number[];
};

/** Plans and facts do not change: what was bound once need not be bound at every link. */
const remembered = new WeakMap<Plan, { readonly kernel: KernelFacts; readonly mode: PolicyMode; readonly bound: readonly BoundHook[] }>();

function boundHooks({ plan, mode }: LinkPolicy, kernel: KernelFacts): readonly BoundHook[] {
  const known = remembered.get(plan);
  if (known !== undefined && known.kernel === kernel && known.mode === mode) return known.bound;
  const bound = bind(plan, kernel, mode);
  remembered.set(plan, { kernel, mode, bound });
  return bound;
}

/** Every hook of a policy, or why one of them cannot be had. */
export function chooseHooks(policy: LinkPolicy, input: ChoiceInput): LinkResult<PolicyChoices> {
  const target = input.target ?? ENGINE_OF_TODAY;
  const choices: HookChoice[] = [];
  const skipped: number[] = [];
  for (const bound of boundHooks(policy, input.kernel)) {
    const inPlan = bound.part === 'hook' ? policy.plan.hooks[bound.hook] : undefined;
    const hook = inPlan === undefined ? undefined : withOwnName(inPlan, input.kernel);
    const blame = { uid: policy.ref.uid, path: bound.path };
    const isPlanned =
      target.tables === 'all' && bound.failure?.reason === 'NotInEngine' && (bound.part !== 'hook' || bound.planned.length > 0);
    if (bound.failure !== null && !isPlanned) {
      const { reason, message } = bound.failure;
      return failed({ reason, message, ...blame });
    }
    const methods = isPlanned ? bound.planned : bound.methods;
    // Other parts have no selectors; a hook without ways and without a failure is one that the policy can do without.
    if (hook === undefined) continue;
    if (methods.length === 0) {
      skipped.push(bound.hook);
      continue;
    }
    const loadable = methods.filter((method) => isLoadable(method.method, target));
    const usable = loadable.filter((method) => refusalOf(hook, method, input) === undefined);
    const [first] = usable;
    if (first === undefined && isDispensable(hook, loadable, input)) {
      skipped.push(bound.hook);
      continue;
    }
    if (first === undefined) return failed({ ...whyNone(hook, loadable, input), ...blame });
    choices.push({
      hookIndex: bound.hook,
      hook,
      point: bound.point,
      key: hookKey(first, placeOf(hook, first, bound), sharingOf(policy.plan, first, input.kernel)),
      convention: conventionOf(first.method),
      methods: usable.filter((method) => familyOf(method.method) === familyOf(first.method) && method.deny === first.deny),
      substituted: first.deny === 'kill',
      query: queryOf(hook, first),
    });
  }
  return linked({ choices, skipped });
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
export function prototypeQueries(policies: readonly LinkPolicy[], input: ChoiceInput): readonly string[] {
  const choices = policies.flatMap((policy) => {
    const chosen = chooseHooks(policy, input);
    return chosen.ok ? chosen.value.choices : [];
  });
  // Before and after: which of them are linked in the end depends on what turns out not to fit.
  const queries = [...choices, ...alignChoices(choices)].flatMap((choice) => [
    ...(choice.query === null ? [] : [choice.query]),
    ...memberQueries(choice.hook),
  ]);
  return [...new Set(queries)].toSorted();
}

/** What to ask about the `resolve` paths of a hook's arguments. */
export function memberQueries(hook: PlanHook): readonly string[] {
  return hook.args.flatMap((arg) => memberQuery(arg, hook) ?? []);
}

/** With a system call of this machine under its plain name, however the policy spells it. */
function withOwnName(hook: PlanHook, { arch }: KernelFacts): PlanHook {
  const target = hook.syscall ? ownSyscall(hook.target, arch) : hook.target;
  return target === hook.target ? hook : { ...hook, target };
}

/**
 * What tells attach points of one method apart: user probes share a file, and lists a name. Calls of execve that some wait for until their
 * path can be read are not put off for those that do not (`late-exec.ts`): these are a hook of their own.
 */
function placeOf(hook: PlanHook, method: BoundMethod, bound: BoundHook): string {
  if (hook.user !== undefined) return bound.point;
  if (hook.generated !== undefined) return `list/${digestKey(JSON.stringify(bound.functions ?? hook.generated))}`;
  return latePathIndex(hook) === null || hasLateHook(hook) ? method.target : `${method.target}/entry`;
}

/** Whether it is for the policy's options alone that one link for many is not among the ways. */
function sharingOf({ options }: Plan, { method, deny }: BoundMethod, kernel: KernelFacts): HookSharing {
  const isAlone =
    (method === 'kprobe' && deny !== 'override_return' && options.singleKprobes === true && hasFact(kernel, 'kprobe_multi')) ||
    (method === 'uprobe' && options.singleUprobes === true && hasFact(kernel, 'uprobe_multi'));
  return isAlone ? 'single' : 'any';
}

/** System calls need no description: all their arguments are registers, and all their pointers are the user's. */
function queryOf(hook: PlanHook, method: BoundMethod): string | null {
  if (method.method === 'tracepoint') return `tracepoint:${method.target}`;
  if (hook.syscall || hook.args.length === 0) return null;
  return method.method === 'lsm' ? `lsm:${method.target}` : `function:${method.target}`;
}

/** What the loader says where the kernel does not have what a hook names: `ignore.callNotFound` is about these. */
const MISSING: ReadonlySet<LoadReason> = new Set(['FunctionNotFound', 'FunctionNotTraceable', 'LsmHookNotFound']);

/** A node learns only from its loader's refusals that a name is missing: it has no list of its kernel's names. */
function isDispensable(hook: PlanHook, loadable: readonly BoundMethod[], input: ChoiceInput): boolean {
  if (hook.ignoreMissing !== true || loadable.length === 0) return false;
  return loadable.every((method) => MISSING.has(refusalOf(hook, method, input)?.reason ?? 'LoadError'));
}

/** The entry of all system calls is there for any name: for one that may be missing it is no way if the call has no number. */
function refusalOf(hook: PlanHook, method: BoundMethod, { unusable, kernel }: ChoiceInput): UnusableMethod | undefined {
  const refusal = unusable.get(methodText(method));
  if (refusal !== undefined || hook.ignoreMissing !== true || method.method !== 'raw_tp_sys_enter') return refusal;
  if (syscallNumber(hook.target, kernel.arch) !== undefined) return undefined;
  return { reason: 'FunctionNotFound', message: `the number of the system call ${hook.target} is not known` };
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
