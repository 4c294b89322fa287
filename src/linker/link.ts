/**
 * Links all policies of a node: one configuration and table per attach point. Pure. A policy that cannot be linked is left out wholly,
 * named with its reason, and the others are linked without it.
 */
import { createHash } from 'node:crypto';
import { createPicker, type NumberPicker } from './allocation.ts';
import { type Blamed, blame, createJury } from './blame.ts';
import { linkHook } from './hook.ts';
import { alignChoices, chooseHooks } from './hook-choice.ts';
import { hookInputDigest } from './hook-digest.ts';
import { type ChosenHook, groupHooks, type HookCandidate } from './hook-groups.ts';
import { LANE_REASONS } from './hook-budget.ts';
import { failed, type LinkFailure, type LinkResult } from './link-failure.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';
import type { LinkedHook, LinkedNode, LinkedPolicy, LinkProblem } from './linked-node.ts';
import { lanePlace } from './allocation.ts';
import { ENGINE_OF_TODAY } from './link-target.ts';
import { assignClasses } from './pod-classes.ts';
import { describeSets, setTables } from './process-sets.ts';
import { createSetNumbers, type SetNumbers } from './set-numbers.ts';
import { identityOf } from './bit-order.ts';

/**
 * `previous`: what an earlier link gave. Hooks whose inputs are the same are taken from it, and nothing else is: the result does not depend
 * on it.
 */
export function link(input: LinkInput, previous: LinkedNode | null = null): LinkedNode {
  const problems = new Map<string, LinkProblem>();
  const turn: Turn = {
    input,
    previous,
    made: new Map(previous?.hooks.map((hook) => [hook.inputDigest, hook])),
    laneFrom: new Map(),
    jury: createJury(),
  };
  // Each turn leaves out at least one more policy, or moves one to a further lane, so this ends.
  for (;;) {
    const policies = input.policies.filter((policy) => !problems.has(policy.ref.uid)).toSorted(byAdmission(input));
    const result = linkAll(turn, policies);
    if (result.ok) return { ...result.value, problems: [...problems.values()].toSorted((a, b) => (a.uid < b.uid ? -1 : 1)) };
    for (const { uid, reason, path, message } of result.failures) problems.set(uid, { uid, reason, path, message });
  }
}

type Turn = {
  readonly input: LinkInput;
  readonly previous: LinkedNode | null;
  /** Hooks by the digest of what they are made from: of the link before, and of the turns before. */
  readonly made: Map<string, LinkedHook>;
  /** Lanes that have no room for a policy, by `lanePlace`: the first that may have. */
  readonly laneFrom: Map<string, number>;
  readonly jury: ReturnType<typeof createJury>;
};

type LinkAll =
  | { readonly ok: true; readonly value: Omit<LinkedNode, 'problems'> }
  | { readonly ok: false; readonly failures: readonly Blamed[] };

type Numbers = { readonly hooks: NumberPicker; readonly policies: NumberPicker; readonly sets: NumberPicker };

/** `policies` in order of admission: when all together are too much, the last ones have to go. */
function linkAll(turn: Turn, policies: readonly LinkPolicy[]): LinkAll {
  const { input } = turn;
  const target = input.target ?? ENGINE_OF_TODAY;
  const numbers: Numbers = {
    hooks: createPicker('hooks', input.allocation.hooks, 'latest'),
    policies: createPicker('policies', input.allocation.policies, 'latest'),
    sets: createPicker('binarySets', input.allocation.binarySets, 'lowest'),
  };
  const failures: Blamed[] = [];
  const sets = createSetNumbers(numbers.sets);
  const unaligned: ChosenHook[] = [];
  const skipped: Map<string, readonly number[]> = new Map();
  for (const policy of policies) {
    const choices = chooseHooks(policy, input);
    if (!choices.ok) {
      failures.push(blame(policy, choices.failure));
      continue;
    }
    const policyNumber = numbers.policies.numberOf(policy.ref.uid);
    if (policyNumber === null) {
      failures.push(blame(policy, { reason: 'HookSelectorBudget', message: 'more policies on this node than can be numbered' }));
      continue;
    }
    const numbered = sets.add(policy);
    if (!numbered.ok) {
      failures.push(numbered.failure);
      continue;
    }
    const stamp = stampOf(policy, policyNumber, numbered.stamp);
    skipped.set(policy.ref.uid, choices.value.skipped);
    unaligned.push(...choices.value.choices.map((choice) => ({ policy, policyNumber, stamp, choice })));
  }
  const aligned = alignChoices(unaligned.map(({ choice }) => choice));
  const chosen = unaligned.map((entry, i) => ({ ...entry, choice: aligned[i] ?? entry.choice }));
  const { prototypes, hostNamespaces } = input;
  const groups = groupHooks(
    chosen,
    policies,
    input,
    { sets: sets.numbers, hostNamespaces, prototypes, target, arch: input.kernel.arch },
    {
      lanesPerHook: target.lanesPerHook,
      previous: input.allocation.lanes ?? new Map(),
      isKnown: (uid) => input.allocation.policies.numbers.has(uid),
      from: turn.laneFrom,
    },
  );
  // Who is refused at one place leaves room at others: these are for the next turn.
  for (const { policy, place, path } of groups.refused.filter((entry) => entry.place === groups.refused[0]?.place)) {
    const message = `${place} has no room left for the selectors of this policy beside those that were there before`;
    failures.push(blame(policy, { reason: 'HookSelectorBudget', path, message }));
  }
  if (failures.length > 0) return { ok: false, failures };

  const hooks: LinkedHook[] = [];
  let crowded: { readonly candidate: HookCandidate; readonly failure: LinkFailure } | null = null;
  const excessive = new Set<string>();
  for (const candidate of groups.candidates) {
    // What is wrong with an entry hook is wrong with its companions, too.
    if (excessive.has(candidate.entryKey)) continue;
    const result = makeHook(turn, candidate, numbers.hooks);
    if (result.ok) {
      hooks.push(result.value);
      continue;
    }
    excessive.add(candidate.entryKey);
    const fault = turn.jury.findFault(result.failure, candidate, policies);
    if (fault !== null) failures.push(fault);
    else crowded ??= { candidate, failure: result.failure };
  }
  if (failures.length > 0) return { ok: false, failures };
  if (crowded !== null) {
    const { candidate, failure } = crowded;
    const excess = turn.jury.findExcess(failure, candidate, policies);
    const stuck = excess.filter(({ uid }) => !(LANE_REASONS.has(failure.reason) && moveOn(turn, candidate, uid, target.lanesPerHook)));
    return stuck.length > 0 ? { ok: false, failures: stuck } : linkAll(turn, policies);
  }
  return { ok: true, value: assemble(turn, policies, { ...numbers, skipped }, hooks, sets.sets) };
}

/** Whether a policy that does not fit beside the others may try the next lane: only before it has been linked for the first time. */
function moveOn(turn: Turn, candidate: HookCandidate, uid: string, lanesPerHook: number): boolean {
  const isKnown = turn.input.allocation.policies.numbers.has(uid);
  if (isKnown || candidate.lane + 1 >= lanesPerHook) return false;
  turn.laneFrom.set(lanePlace(candidate.place, uid), candidate.lane + 1);
  return true;
}

function makeHook(turn: Turn, candidate: HookCandidate, hookNumbers: NumberPicker): LinkResult<LinkedHook> {
  const id = hookNumbers.numberOf(candidate.key);
  const entryId = hookNumbers.numberOf(candidate.entryKey);
  if (id === null || entryId === null) {
    return failed({ reason: 'HookSelectorBudget', message: 'more hooks on this node than can be numbered' });
  }
  const hookInput = { ...candidate, id, entryId };
  const digest = hookInputDigest(hookInput);
  const known = turn.made.get(digest);
  if (known !== undefined) return { ok: true, value: known };
  const result = linkHook(hookInput, digest);
  if (result.ok) turn.made.set(digest, result.value);
  return result;
}

function assemble(
  { input, previous }: Turn,
  policies: readonly LinkPolicy[],
  numbers: Numbers & { readonly skipped: ReadonlyMap<string, readonly number[]> },
  unsorted: readonly LinkedHook[],
  sets: SetNumbers['sets'],
): Omit<LinkedNode, 'problems'> {
  const hooks = unsorted.toSorted((a, b) => a.id - b.id);
  const setsDigest = describeSets(sets);
  const { paths, pids, followed } =
    previous?.setsDigest === setsDigest
      ? { paths: previous.binarySets, pids: previous.pidSets, followed: previous.followedSets }
      : setTables(sets);
  const classes = assignClasses(input.allocation.classes, input.pods);
  const lanes = lanesOf(hooks);
  return {
    hooks,
    binarySets: paths,
    pidSets: pids,
    followedSets: followed,
    setsDigest,
    policies: policies
      .map((policy) => linkedPolicy(policy, numbers.policies.numberOf(policy.ref.uid) ?? 0, numbers.skipped.get(policy.ref.uid) ?? []))
      .toSorted((a, b) => (a.ref.uid < b.ref.uid ? -1 : 1)),
    podClasses: classes.byPod,
    containerClasses: classes.byContainer,
    unclassedPods: classes.unclassed,
    allocation: {
      hooks: numbers.hooks.finish(),
      policies: numbers.policies.finish(),
      binarySets: numbers.sets.finish(),
      classes: classes.space,
      ...(lanes.size === 0 ? {} : { lanes }),
    },
    label: labelOf(hooks, setsDigest),
  };
}

function stampOf({ ref, digest, mode }: LinkPolicy, policyNumber: number, sets: string): string {
  return `${ref.uid}/${ref.namespace ?? ''}/${digest}/${mode}/${policyNumber}/${sets}`;
}

function lanesOf(hooks: readonly LinkedHook[]): ReadonlyMap<string, number> {
  const lanes = new Map<string, number>();
  for (const { key, lane, members } of hooks) {
    // Companions have their own keys; the place is that of the entry hook.
    if (lane === 0 || /^(late|return):/.test(key)) continue;
    const place = key.slice(0, key.lastIndexOf('#'));
    for (const { uid } of members) lanes.set(lanePlace(place, uid), lane);
  }
  return lanes;
}

/**
 * What runs as it is comes first, then other plans of policies that were linked before, then policies of the cluster, then those of
 * namespaces; otherwise by identity. So a policy that grows pushes out itself and no other.
 */
function byAdmission(input: LinkInput): (a: LinkPolicy, b: LinkPolicy) => number {
  const rank = ({ ref, runs }: LinkPolicy): number =>
    runs === true ? 0 : input.allocation.policies.numbers.has(ref.uid) ? 1 : ref.namespace === null ? 2 : 3;
  return (a, b) => rank(a) - rank(b) || (identityOf(a.ref.uid) < identityOf(b.ref.uid) ? -1 : 1);
}

function linkedPolicy({ ref, digest, mode }: LinkPolicy, number: number, skippedHooks: readonly number[]): LinkedPolicy {
  return { ref, digest, mode, number, skippedHooks };
}

/** All that COMMIT would make active: the tables of the sets follow from what `setsDigest` tells. */
function labelOf(hooks: readonly LinkedHook[], setsDigest: string): Buffer {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(hooks.map((hook) => [hook.id, hook.name, hook.methods, hook.configDigest, hook.dataDigest])));
  return hash.update(setsDigest).digest();
}
