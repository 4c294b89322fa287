/** Compares the tables of random policies, walked by the model of the engine, with what the reference evaluator says of each policy alone. */
import { isDeepStrictEqual } from 'node:util';
import type { ActFields } from '../../abi/hook-acts.ts';
import {
  PAL_DO_CLEANUP_ENFORCER,
  PAL_DO_DNS_LOOKUP,
  PAL_DO_GET_URL,
  PAL_DO_NOTIFY_ENFORCER,
  PAL_DO_REDIRECT,
  PAL_DO_SET,
  PAL_DO_SET_REGISTERS,
  PAL_DO_TRACK_SOCK,
  PAL_DO_UNTRACK_SOCK,
} from '../../abi/layout.ts';
import { combine, evaluate, evaluateReturn, type PolicyVerdict, type SideAction } from '../../policy/evaluate/evaluate.ts';
import type { HookCall } from '../../policy/evaluate/event.ts';
import type { PlanAction, PlanHook } from '../../policy/plan.ts';
import { link } from '../link.ts';
import type { LinkInput, LinkPolicy } from '../link-input.ts';
import { WHOLE_ENGINE } from '../link-target.ts';
import { decodeSelector, type HookMember, type LinkedHook, type LinkedNode } from '../linked-node.ts';
import { testInput } from './kernels.ts';
import { type EngineModel, type ModelMatch, type ModelVerdict, openModel } from './model.ts';
import { LINUX_NAMESPACES } from './policy-arbitraries.ts';
import { createRandom, type Random } from './random.ts';
import { byNamespace, randomCall, type RandomCall } from './random-calls.ts';
import { RANDOM_PODS, RANDOM_PROTOTYPES, randomPolicies } from './random-policies.ts';

/** What one policy does at one hook of its plan, in the words of both. */
export type Conduct = {
  readonly uid: string;
  readonly hookIndex: number;
  readonly at: 'entry' | 'return';
  readonly selectorIndex: number;
  readonly known: boolean;
  readonly post: boolean;
  readonly errno: number | null;
  readonly kill: boolean;
  readonly signal: number | null;
  readonly wouldDeny: boolean;
  readonly wouldKill: boolean;
  readonly wouldSignal: boolean;
  readonly acts: readonly ActFields[];
};

export type CallConduct = {
  readonly errno: number | null;
  readonly kill: boolean;
  readonly signal: number | null;
  /** In the order of uid, hook, entry before return. */
  readonly policies: readonly Conduct[];
};

export type RandomNode = {
  readonly input: LinkInput;
  readonly random: Random;
  readonly newCall: () => RandomCall;
};

/** A node with random policies on one attach point, the whole engine, and calls to come. */
export function randomNode(seed: number, maxPolicies: number): RandomNode {
  const random = createRandom(seed);
  const policies = randomPolicies(random, 1 + random.int(maxPolicies), String(seed));
  const host = random.oneIn(5) ? null : byNamespace(() => random.int(3));
  const hostNamespaces = host === null ? [] : LINUX_NAMESPACES.map((name) => host[name]);
  const input = testInput(policies, { hostNamespaces, pods: RANDOM_PODS, prototypes: RANDOM_PROTOTYPES, target: WHOLE_ENGINE });
  return { input, random, newCall: () => randomCall(random, host) };
}

/** Cases, or the first one that differs, as text. A case is one call of all policies. */
export function compareNode(seed: number, calls: number, maxPolicies: number): { readonly cases: number } | { readonly mismatch: string } {
  const { input, newCall } = randomNode(seed, maxPolicies);
  const node = link(input);
  const strange = node.problems.filter(({ reason }) => !BUDGETS.has(reason));
  if (strange.length > 0) return { mismatch: `seed ${seed}: ${strange.map(({ reason, message }) => `${reason}: ${message}`).join('; ')}` };
  const engine = openEngine(node);
  const linked = new Set(node.policies.map((entry) => entry.ref.uid));
  const policies = input.policies.filter((policy) => linked.has(policy.ref.uid));
  for (let i = 0; i < calls; i += 1) {
    const call = newCall();
    const actual = conductOf(engine, call);
    const expected = conductByReference(policies, node, call);
    if (!isDeepStrictEqual(actual, expected)) return { mismatch: describe(seed, i, actual, expected, policies, call) };
  }
  return { cases: calls };
}

/** Reasons for which a random policy may be left out. */
const BUDGETS: ReadonlySet<string> = new Set(['HookSelectorBudget', 'TooManyPlanes', 'TooManySlots', 'CelBudget', 'TooManyActions']);

export type Engine = {
  readonly node: LinkedNode;
  readonly lanes: readonly { readonly hook: LinkedHook; readonly entry: EngineModel; readonly atReturn: EngineModel | null }[];
};

export function openEngine(node: LinkedNode): Engine {
  const entries = node.hooks.filter((hook) => hook.id === hook.recordHook);
  const lanes = entries.map((hook) => {
    const companion = node.hooks.find((other) => other.id !== hook.id && other.recordHook === hook.id);
    return { hook, entry: openModel(hook, node), atReturn: companion === undefined ? null : openModel(companion, node) };
  });
  return { node, lanes };
}

/** What the engine does with a call: all lanes run, and what is not denied returns. */
export function conductOf({ node, lanes }: Engine, call: RandomCall): CallConduct {
  const entries = lanes.map(({ hook, entry, atReturn }) => ({ hook, atReturn, verdict: entry.run(call.task(hook.scope), call.valueOf) }));
  const summary = sumUp(entries.map(({ verdict }) => verdict));
  const conducts = entries.flatMap(({ hook, verdict }) => verdict.matches.map((match) => ofMatch(node, hook, match, 'entry')));
  const returns =
    summary.errno !== null
      ? []
      : entries.flatMap(({ hook, atReturn, verdict }) => {
          if (atReturn === null) return [];
          const run = atReturn.run(call.task(hook.scope), call.valueOf, verdict.frame);
          return run.matches.map((match) => ofMatch(node, hook, match, 'return'));
        });
  return { ...summary, policies: [...conducts, ...returns].toSorted(inOrder) };
}

function sumUp(verdicts: readonly ModelVerdict[]): Omit<CallConduct, 'policies'> {
  // Every lane's error is the strictest of its policies; what is left is to take the strictest of all.
  const errors = verdicts.flatMap(({ errno }) => (errno === null ? [] : [errno]));
  const kill = verdicts.some((verdict) => verdict.kill);
  const signals = verdicts.flatMap(({ signal }) => (signal === null ? [] : [signal]));
  return {
    errno: errors.includes(-1) ? -1 : errors.includes(-13) ? -13 : errors.length === 0 ? null : Math.max(...errors),
    kill,
    signal: kill || signals.length === 0 ? null : Math.min(...signals),
  };
}

/** What the engine did for one selector, in the words of both. */
export function ofMatch(node: LinkedNode, hook: LinkedHook, match: ModelMatch, at: Conduct['at']): Conduct {
  const { bit: _bit, policy, selector, ...rest } = match;
  const uid = node.policies.find((entry) => entry.number === policy)?.ref.uid ?? `number ${policy} on ${hook.key}`;
  return { uid, at, ...decodeSelector(selector), ...rest };
}

function inOrder(a: Conduct, b: Conduct): number {
  return a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : a.hookIndex - b.hookIndex || (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
}

/** The union of what the reference evaluator says of every policy alone. */
export function conductByReference(policies: readonly LinkPolicy[], node: LinkedNode, call: RandomCall): CallConduct {
  const entries = policies.flatMap((policy) =>
    policy.plan.hooks.map((hook, hookIndex) => {
      const facts: HookCall = { args: call.argsOf(hook), process: call.process };
      return { policy, hook, hookIndex, facts, verdict: evaluate(policy.plan, hook, policy.mode, facts) };
    }),
  );
  const summary = combine(entries.map((entry) => entry.verdict));
  const conducts = entries.flatMap(({ policy, hook, hookIndex, facts, verdict }): readonly Conduct[] => {
    if (verdict.selector === null) return [];
    const slots = slotsOf(node, policy.ref.uid, hookIndex);
    const common = { uid: policy.ref.uid, hookIndex };
    const entry = ofVerdict({ ...common, at: 'entry' }, verdict, hook, slots);
    if (summary.errno !== null) return [entry];
    const after = evaluateReturn(policy.plan, hook, policy.mode, facts, verdict);
    return after.selector === null ? [entry] : [entry, ofVerdict({ ...common, at: 'return' }, after, hook, slots)];
  });
  return { ...summary, policies: conducts.toSorted(inOrder) };
}

function slotsOf(node: LinkedNode, uid: string, hookIndex: number): HookMember['argSlots'] {
  const members = node.hooks.flatMap((hook) => (hook.id === hook.recordHook ? hook.members : []));
  return members.find((member) => member.uid === uid && member.hookIndex === hookIndex)?.argSlots ?? [];
}

/** The same of the reference evaluator. `slots`: of the hook's arguments. */
export function ofVerdict(
  common: Pick<Conduct, 'uid' | 'hookIndex' | 'at'>,
  verdict: PolicyVerdict,
  hook: PlanHook,
  slots: HookMember['argSlots'],
): Conduct {
  const selector = hook.selectors[verdict.selector ?? 0];
  const actions = (common.at === 'entry' ? selector?.actions : selector?.returnActions) ?? [];
  const { post, errno, kill, signal, wouldDeny, wouldKill, wouldSignal } = verdict;
  const acts = verdict.others.map((action) => actOf(action, actions, slots));
  return {
    ...common,
    selectorIndex: verdict.selector ?? 0,
    known: !verdict.byUnknown,
    post,
    errno,
    kill,
    signal,
    wouldDeny,
    wouldKill,
    wouldSignal,
    acts,
  };
}

function actOf(action: SideAction, actions: readonly PlanAction[], slots: HookMember['argSlots']): ActFields {
  const slotOf = (arg: number): number => slots[arg] ?? 0xff;
  const elsewhere = (type: number): ActFields => ({ type, slot: 0, a: actions.indexOf(action), b: 0 });
  switch (action.type) {
    case 'track_sock':
      return { type: PAL_DO_TRACK_SOCK, slot: slotOf(action.arg), a: 0, b: 0 };
    case 'untrack_sock':
      return { type: PAL_DO_UNTRACK_SOCK, slot: slotOf(action.arg), a: 0, b: 0 };
    case 'notify_enforcer':
      return { type: PAL_DO_NOTIFY_ENFORCER, slot: 0, a: action.errno, b: action.signal };
    case 'cleanup_enforcer':
      return { type: PAL_DO_CLEANUP_ENFORCER, slot: 0, a: 0, b: 0 };
    case 'set':
      return { type: PAL_DO_SET, slot: slotOf(action.arg), a: action.value, b: 0 };
    case 'set_registers':
      return elsewhere(PAL_DO_SET_REGISTERS);
    case 'redirect':
      return elsewhere(PAL_DO_REDIRECT);
    case 'get_url':
      return elsewhere(PAL_DO_GET_URL);
    case 'dns_lookup':
      return elsewhere(PAL_DO_DNS_LOOKUP);
  }
}

const MAX_MISMATCH_CHARS = 12_000;

function describe(
  seed: number,
  call: number,
  actual: CallConduct,
  expected: CallConduct,
  policies: readonly LinkPolicy[],
  { process }: RandomCall,
): string {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'bigint' ? String(member) : Buffer.isBuffer(member) ? member.toString() : member,
    );
  const named = (conduct: CallConduct): readonly string[] => conduct.policies.map(text);
  const missing = named(expected).filter((entry) => !named(actual).includes(entry));
  const extra = named(actual).filter((entry) => !named(expected).includes(entry));
  const uids = new Set([...actual.policies, ...expected.policies].map((entry) => entry.uid));
  const involved = policies.filter(
    (policy) => uids.has(policy.ref.uid) && [...missing, ...extra].some((entry) => entry.includes(policy.ref.uid)),
  );
  return [
    `seed ${seed}, call ${call}`,
    `engine ${text({ ...actual, policies: undefined })}, reference ${text({ ...expected, policies: undefined })}`,
    ...missing.map((entry) => `reference only: ${entry}`),
    ...extra.map((entry) => `engine only: ${entry}`),
    `process ${text(process)}`,
    ...involved.map((policy) => `${policy.ref.uid} ${policy.mode} ${text(policy.plan)}`),
  ]
    .join('\n')
    .slice(0, MAX_MISMATCH_CHARS);
}
