import { type AttachPoint, attachPointKey, attachPointOf } from './bind/attach-point.ts';
import type { BindFailure, BindNote, BoundHook } from './bind/bound-hook.ts';
import { type DenyQuestion, denyMethods, whyNoDeny } from './bind/deny.ts';
import { denialNotInEngine, whyNotInEngine, whyAbiNotInEngine, whyScopeNotInEngine } from './bind/engine-check.ts';
import { ENGINE_DENIALS } from './bind/engine-features.ts';
import { expand } from './bind/expansion.ts';
import { nameField } from './bind/fields.ts';
import type { BoundMethod } from './bind/methods.ts';
import { noteText } from './bind/note-text.ts';
import { findMissing } from './bind/missing-name.ts';
import { createNameSearch, type NameSearch } from './bind/name-search.ts';
import { bindEnforcer, bindLoader } from './bind/plan-parts.ts';
import { checkSignature } from './bind/signature-check.ts';
import { findUnmetNeed } from './bind/unmet-need.ts';
import { killMethods, returnMethods, watchMethods, whyNoWatch } from './bind/watch.ts';
import { effectOf } from './effect.ts';
import type { KernelFacts } from './kernel-facts.ts';
import { LIMITS } from './limits.ts';
import type { Plan, PlanAction, PlanHook, PolicyMode } from './plan.ts';

/**
 * Pure: which ways a kernel offers for every hook of a plan, or why it offers none. First one entry per hook of the plan, in its order;
 * then one for each thing beside hooks that the plan asks for: loader, enforcer, a scope that the engine does not know.
 *
 * Two questions are answered at once: what the kernel has (whatever its facts say is not there, is refused by name), and what the engine
 * of this version runs (`engine-features.ts`; refused with `NotInEngine`). The kernel's answer comes first, but for system calls of
 * another ABI: their functions are not looked for.
 */
export function bind(plan: Plan, kernel: KernelFacts, mode: PolicyMode): readonly BoundHook[] {
  const search = createNameSearch();
  const hooks = plan.hooks.map((hook, position) => bindHook({ plan, hook, position, kernel, mode, search }));
  const scope = whyScopeNotInEngine(plan);
  return [
    ...limitFunctions(hooks),
    ...(plan.loader === true ? [bindLoader(plan)] : []),
    ...(plan.enforcer === undefined ? [] : bindEnforcer(plan, plan.enforcer, kernel, search)),
    ...(scope === null
      ? []
      : [nothing({ part: 'scope', hook: plan.hooks.length, path: 'spec', field: scope.field, point: 'scope' }, scope)]),
  ];
}

/** The first part of a plan that cannot be had, or null: then the plan is expected to load. */
export function firstFailure(bound: readonly BoundHook[]): (BoundHook & { readonly failure: BindFailure }) | null {
  for (const hook of bound) {
    if (hook.failure !== null) {
      return { ...hook, failure: hook.failure };
    }
  }
  return null;
}

type HookQuestion = {
  readonly plan: Plan;
  readonly hook: PlanHook;
  readonly position: number;
  readonly kernel: KernelFacts;
  readonly mode: PolicyMode;
  readonly search: NameSearch;
};

type Identity = Pick<BoundHook, 'part' | 'hook' | 'path' | 'field' | 'point'>;

function bindHook(question: HookQuestion): BoundHook {
  const { hook, position, kernel, mode, search } = question;
  const point = attachPointOf(hook, kernel);
  const key = hook.generated === undefined ? attachPointKey(point) : `generated:${hook.path}`;
  const identity: Identity = {
    part: 'hook',
    hook: position,
    path: hook.path,
    field: nameField(hook),
    point: hook.kind === 'fentry' ? `fentry:${key}` : key,
  };
  const namedAbi = point.kind === 'syscall' && hook.generated === undefined ? whyAbiNotInEngine(point.name, identity.field) : null;
  if (namedAbi !== null) {
    const { planned, returns } = waysOf(question, point, null);
    return { ...nothing(identity, namedAbi), planned, plannedReturns: returns };
  }
  const functions = expand(hook, kernel, search);
  if (functions !== null && 'reason' in functions) return skipOrFail(hook, identity, functions);
  const missing = kernel.facts['btf'] === false ? NO_BTF : hook.generated === undefined ? findMissing(point, kernel, search) : undefined;
  if (missing !== undefined) return skipOrFail(hook, identity, { ...missing, field: identity.field });

  const ways = waysOf(question, point, functions);
  const signature = checkSignature(hook, point, kernel, search);
  const ofEngine = ways.methods.length === 0 ? denialNotInEngine(hook.path) : null;
  const failure = ways.failure ?? signature.failure ?? findUnmetNeed(hook, kernel) ?? whyNotInEngine(hook) ?? ofEngine;
  const { methods, planned } = ways;
  const notes = [...notesOf(methods[0], identity.field), ...notesOf(ways.returns[0], `${hook.path}.return`), ...signature.notes];
  if (failure !== null) return { ...nothing(identity, failure), planned, plannedReturns: ways.returns, functions };
  const effective = effectiveOf(hook, methods, mode);
  return {
    ...identity,
    methods,
    returnMethods: ways.returns,
    planned,
    plannedReturns: ways.returns,
    functions,
    effective,
    notes,
    failure: null,
  };
}

const NO_BTF = { reason: 'BTFUnavailable', message: 'this kernel has no BTF (/sys/kernel/btf/vmlinux)' } as const;

function nothing(identity: Identity, failure: BindFailure): BoundHook {
  return {
    ...identity,
    methods: [],
    returnMethods: [],
    planned: [],
    plannedReturns: [],
    functions: null,
    effective: 'none',
    notes: [],
    failure,
  };
}

/** Names that a policy says may be missing. */
function skipOrFail(hook: PlanHook, identity: Identity, failure: BindFailure): BoundHook {
  const mayBeMissing = hook.ignoreMissing === true && (failure.reason === 'FunctionNotFound' || failure.reason === 'FunctionNotTraceable');
  if (!mayBeMissing) return nothing(identity, failure);
  const message = `${failure.message}; the hook is skipped, as the policy says`;
  const note: BindNote = { reason: 'HookIgnored', field: failure.field, message };
  return { ...nothing(identity, failure), notes: [note], failure: null };
}

/** `planned`: with those that the engine of this version does not go. */
type Ways = Record<'methods' | 'planned' | 'returns', readonly BoundMethod[]> & { readonly failure: BindFailure | null };

function waysOf({ plan, hook, kernel, mode }: HookQuestion, point: AttachPoint, functions: readonly string[] | null): Ways {
  const target = hook.generated === undefined && 'functionName' in point ? point.functionName : hook.target;
  const asked: DenyQuestion = { hook, point, functions: functions ?? functionsOf(point), target, kernel, choice: plan.options };
  const returns = returnMethods(asked);
  const denying = denyMethods(asked);
  const planned = entryWays(asked, plan, mode, denying);
  if (planned.length > 0) {
    const ofEngine = denying.filter(({ deny }) => ENGINE_DENIALS.has(deny));
    return { methods: entryWays(asked, plan, mode, ofEngine), planned, returns, failure: null };
  }
  const why = denies(hook) ? whyNoDeny(asked) : whyNoWatch(asked);
  return { methods: [], planned, returns, failure: { ...why, field: hook.path } };
}

function functionsOf(point: AttachPoint): readonly string[] {
  return 'functionName' in point ? [point.functionName] : [];
}

function entryWays(asked: DenyQuestion, plan: Plan, mode: PolicyMode, denying: readonly BoundMethod[]): readonly BoundMethod[] {
  const watching = watchMethods(asked);
  if (!denies(asked.hook)) return watching;
  const standIns = plan.options.substitute === 'kill' ? killMethods(asked) : [];
  // A monitor denies nothing, so any way to watch is good enough where none to deny is there.
  const methods = [...denying, ...standIns, ...(mode === 'monitor' ? watching : [])];
  return methods.filter((entry, at) => methods.findIndex((other) => other.method === entry.method) === at);
}

/** Whether the hook changes what a call does, so that watching it is not enough. */
function denies(hook: PlanHook): boolean {
  if (hook.kind === 'tracepoint' || hook.kind === 'raw_tracepoint') return false;
  return hook.selectors.some((selector) => effectOf(selector.actions).errno !== null || selector.actions.some(changesRegisters));
}

function changesRegisters(action: PlanAction): boolean {
  return action.type === 'set_registers' || action.type === 'redirect';
}

function signals(action: PlanAction): boolean {
  return action.type === 'sigkill' || action.type === 'signal';
}

function effectiveOf(hook: PlanHook, methods: readonly BoundMethod[], mode: PolicyMode): BoundHook['effective'] {
  if (mode === 'monitor') return 'observe';
  const deny = methods[0]?.deny ?? 'none';
  if (deny !== 'none' && deny !== 'kill') return 'deny';
  const kills = hook.selectors.some((selector) => selector.actions.some(signals) || (selector.returnActions ?? []).some(signals));
  return deny === 'kill' || kills ? 'kill' : 'observe';
}

function notesOf(method: BoundMethod | undefined, field: string): readonly BindNote[] {
  return (method?.notes ?? []).map((reason) => ({ reason, field, message: noteText(reason, method) }));
}

/** All lists that the kernel fills together stay within what a policy may have. */
function limitFunctions(hooks: readonly BoundHook[]): readonly BoundHook[] {
  let total = hooks.length;
  return hooks.map((hook) => {
    total += hook.functions?.length ?? 0;
    if (hook.functions === null || total <= LIMITS.hooksPerPolicy || (hook.failure !== null && hook.failure.reason !== 'NotInEngine'))
      return hook;
    const message = `the policy stands for more than ${LIMITS.hooksPerPolicy} functions on this kernel`;
    return nothing(hook, { reason: 'SetTooLarge', field: hook.field, message });
  });
}
