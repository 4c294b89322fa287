/**
 * Links all policies of a node: one configuration and table per attach point. Pure. A policy that cannot be linked is left out wholly,
 * named with its reason, and the others are linked without it.
 */
import { createHash } from 'node:crypto';
import { createPicker, digestKey } from './allocation.ts';
import { binarySetKey, binarySetRows, mergeBinaryFilters } from './binary-set.ts';
import { methodText } from './attach-target.ts';
import { linkHook } from './hook.ts';
import { HookMemory } from './hook-memory.ts';
import { alignChoices, chooseHooks, type HookChoice } from './hook-choice.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { chooseLateHook, hasLateHook } from './late-exec.ts';
import { failed, type LinkFailure, type LinkResult } from './link-failure.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';
import type { LinkedHook, LinkedNode, LinkedPolicy, LinkProblem } from './linked-node.ts';
import { assignClasses } from './pod-classes.ts';
import { inBitOrder, withoutRoom } from './selector-budget.ts';
import { syscallNumber } from './syscall-numbers.ts';

/** `memory`: what the last link of this node made; without one every hook is made anew, with the same result. */
export function link(input: LinkInput, memory = new HookMemory()): LinkedNode {
  const node = linkWhatFits(input, memory);
  memory.settle();
  return node;
}

function linkWhatFits(input: LinkInput, memory: HookMemory): LinkedNode {
  const problems = new Map<string, LinkProblem>();
  // Each turn leaves out at least one more policy, so this ends.
  for (;;) {
    const policies = input.policies.filter((policy) => !problems.has(policy.ref.uid)).toSorted(byAdmission(input));
    const result = linkAll(input, policies, memory);
    if (result.ok) return { ...result.value, problems: [...problems.values()].toSorted((a, b) => (a.uid < b.uid ? -1 : 1)) };
    for (const { uid, reason, path, message } of result.failures) problems.set(uid, { uid, reason, path, message });
  }
}

type Blamed = LinkFailure & { readonly uid: string; readonly path: string };
type LinkAll =
  | { readonly ok: true; readonly value: Omit<LinkedNode, 'problems'> }
  | { readonly ok: false; readonly failures: readonly Blamed[] };

/** `policies` in order of admission: when all together are too much, the last ones have to go. */
function linkAll(input: LinkInput, policies: readonly LinkPolicy[], memory: HookMemory): LinkAll {
  const hookNumbers = createPicker('hooks', input.allocation.hooks, 'latest');
  const policyNumbers = createPicker('policies', input.allocation.policies, 'latest');
  const setNumbers = createPicker('binarySets', input.allocation.binarySets, 'lowest');
  const failures: Blamed[] = [];
  const chosen: { policy: LinkPolicy; policyNumber: number; choice: HookChoice }[] = [];
  const groups = new Map<string, { choice: HookChoice; members: HookMemberInput[] }>();
  const setValues = new Map<number, readonly string[]>();
  const setNumberByKey = new Map<string, number>();

  for (const policy of policies) {
    const choices = chooseHooks(policy, input);
    if (!choices.ok) {
      failures.push(blame(policy, choices.failure));
      continue;
    }
    const policyNumber = policyNumbers.numberOf(policy.ref.uid);
    if (policyNumber === null) {
      failures.push(blame(policy, { reason: 'HookSelectorBudget', message: 'more policies on this node than can be numbered' }));
      continue;
    }
    chosen.push(...choices.value.map((choice) => ({ policy, policyNumber, choice })));
    for (const set of binarySetsOf(policy)) {
      const key = binarySetKey(set);
      const number = setNumbers.numberOf(key);
      if (number === null) {
        failures.push(
          blame(policy, { reason: 'NodeSetBudget', message: 'policies of this node name more than 256 different sets of binaries' }),
        );
        break;
      }
      setNumberByKey.set(key, number);
      setValues.set(number, set.values);
    }
  }
  const aligned = alignChoices(chosen.map(({ choice }) => choice));
  for (const [i, { policy, policyNumber }] of chosen.entries()) {
    const choice = aligned[i];
    if (choice === undefined) continue;
    const { hook, hookIndex, methods, substituted } = choice;
    const group = groups.get(choice.key) ?? { choice, members: [] };
    group.members.push({ policy, policyNumber, hookIndex, hook, methods, late: false, substituted });
    groups.set(choice.key, group);
  }
  for (const [key, { members }] of groups) failures.push(...refuse(key, members, policies));
  if (failures.length > 0) return { ok: false, failures };

  const common = { binarySets: setNumberByKey, hostNamespaces: input.hostNamespaces };
  const hooks: LinkedHook[] = [];
  for (const candidate of hookCandidates(groups, input, common)) {
    const id = hookNumbers.numberOf(candidate.key);
    const entryId = hookNumbers.numberOf(candidate.entryKey);
    const result =
      id === null || entryId === null
        ? failed({ reason: 'HookSelectorBudget', message: 'more hooks on this node than can be numbered' })
        : linkChecked({ ...candidate, id, entryId }, memory);
    if (result.ok) hooks.push(result.value);
    else failures.push(attribute(result.failure, candidate, policies));
  }
  if (failures.length > 0) return { ok: false, failures };

  const binarySets = binarySetRows(setValues);
  const classes = assignClasses(input.allocation.classes, input.pods);
  hooks.sort((a, b) => a.id - b.id);
  return {
    ok: true,
    value: {
      hooks,
      binarySets,
      policies: policies
        .map((policy) => linkedPolicy(policy, policyNumbers.numberOf(policy.ref.uid) ?? 0))
        .toSorted((a, b) => (a.ref.uid < b.ref.uid ? -1 : 1)),
      podClasses: classes.byPod,
      unclassedPods: classes.unclassed,
      allocation: {
        hooks: hookNumbers.finish(),
        policies: policyNumbers.finish(),
        binarySets: setNumbers.finish(),
        classes: classes.space,
      },
      label: labelOf(hooks, binarySets),
    },
  };
}

type Groups = ReadonlyMap<string, { readonly choice: HookChoice; readonly members: readonly HookMemberInput[] }>;
type Candidate = Omit<HookInput, 'id' | 'entryId'> & { readonly entryKey: string };
type Common = Pick<HookInput, 'binarySets' | 'hostNamespaces'>;

/** Every entry hook, each followed by its late hook if it has one. */
function hookCandidates(groups: Groups, input: LinkInput, common: Common): readonly Candidate[] {
  const late = chooseLateHook(input.kernel, (method) => input.unusable.has(method));
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, { choice, members }]) => {
      const lateMembers = late === null ? [] : members.filter((member) => hasLateHook(member.hook));
      const entry: Candidate = {
        ...common,
        key,
        entryKey: key,
        convention: choice.convention,
        methods: commonMethods(members),
        members: inBitOrder(members),
        prototype: choice.query === null ? undefined : input.prototypes.get(choice.query),
        decidesLate: lateMembers.length > 0,
        lateOf: null,
        syscallNumber: key.startsWith('raw_tp_sys_enter:') ? (syscallNumber(choice.hook.target, input.kernel.arch) ?? -1) : -1,
      };
      if (late === null || lateMembers.length === 0) return [entry];
      const second: Candidate = {
        ...common,
        key: `late:${key}`,
        entryKey: key,
        convention: late.convention,
        methods: [late.method],
        members: inBitOrder(lateMembers.map((member) => ({ ...member, late: true }))),
        prototype: undefined,
        decidesLate: false,
        lateOf: entry,
        syscallNumber: -1,
      };
      return [entry, second];
    });
}

/** Policies for whose selectors a hook has no bits left. */
function refuse(key: string, members: readonly HookMemberInput[], policies: readonly LinkPolicy[]): readonly Blamed[] {
  return withoutRoom(policies, members).map((policy) => ({
    uid: policy.ref.uid,
    reason: 'HookSelectorBudget',
    path: members.find((member) => member.policy === policy)?.hook.path ?? 'spec',
    message: `${key} has no room left for the selectors of this policy beside those that were there before`,
  }));
}

function linkChecked(input: HookInput, memory: HookMemory): LinkResult<LinkedHook> {
  if (input.methods.length === 0)
    return failed({ reason: 'LoadError', message: `policies want ${input.key} attached in ways that exclude each other` });
  if (input.key.startsWith('raw_tp_sys_enter:') && input.syscallNumber < 0) {
    return failed({ reason: 'FunctionNotFound', message: `the number of the system call of ${input.key} is not known` });
  }
  const tooFar = input.members.find((member) => member.hookIndex > 1023);
  if (tooFar !== undefined)
    return failed({
      reason: 'HookSelectorBudget',
      message: 'a policy has at most 1024 hooks',
      uid: tooFar.policy.ref.uid,
      path: tooFar.hook.path,
    });
  return memory.recall(input, linkHook);
}

/** Whose fault it is: the policy named, else one that does not even fit alone, else the newest on the hook. */
function attribute(failure: LinkFailure, candidate: Candidate, policies: readonly LinkPolicy[]): Blamed {
  const here = policies.filter((policy) => candidate.members.some((member) => member.policy === policy));
  const named = here.find((policy) => policy.ref.uid === failure.uid);
  const alone = here.find((policy) => {
    const members = candidate.members.filter((member) => member.policy === policy);
    return !linkHook({ ...candidate, id: 1, entryId: 1, members }).ok;
  });
  const policy = named ?? alone ?? here.at(-1);
  if (policy === undefined) throw new Error(`hook ${candidate.key} has no members`);
  return blame(policy, { path: candidate.members.find((member) => member.policy === policy)?.hook.path ?? 'spec', ...failure });
}

function blame(policy: LinkPolicy, failure: LinkFailure): Blamed {
  return { ...failure, uid: policy.ref.uid, path: failure.path ?? 'spec' };
}

/** Those that suit all members, in the order of the first. */
function commonMethods(members: readonly HookMemberInput[]): readonly string[] {
  const [first, ...others] = members.map((member) => member.methods.map(methodText));
  return (first ?? []).filter((method) => others.every((methods) => methods.includes(method)));
}

function binarySetsOf(policy: LinkPolicy): readonly { readonly operator: 'In' | 'NotIn'; readonly values: readonly string[] }[] {
  const selectors = policy.plan.hooks.flatMap((hook) => hook.selectors);
  return selectors.flatMap((selector) => mergeBinaryFilters(selector.filters.filter((filter) => filter.on === 'binary')) ?? []);
}

/** Those that were linked before come first, then policies of the cluster, then those of namespaces; otherwise by identity. */
function byAdmission(input: LinkInput): (a: LinkPolicy, b: LinkPolicy) => number {
  const rank = (policy: LinkPolicy): number =>
    input.allocation.policies.numbers.has(policy.ref.uid) ? 0 : policy.ref.namespace === null ? 1 : 2;
  return (a, b) => rank(a) - rank(b) || (digestKey(a.ref.uid) < digestKey(b.ref.uid) ? -1 : 1);
}

function linkedPolicy(policy: LinkPolicy, number: number): LinkedPolicy {
  return { ref: policy.ref, digest: policy.digest, mode: policy.mode, number };
}

function labelOf(hooks: readonly LinkedHook[], binarySets: Buffer): Buffer {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(hooks.map((hook) => [hook.id, hook.name, hook.methods, hook.configDigest, hook.dataDigest])));
  return hash.update(binarySets).digest();
}
