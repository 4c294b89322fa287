/** From the choices of all policies to the hooks that are to be made: fused by attach point, split into lanes, with their companions. */
import type { LinkPolicy } from './link-input.ts';
import { laneKey, methodText, returnMethodText } from './attach-target.ts';
import type { HookChoice } from './hook-choice.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { assignLanes, type LaneRules } from './lanes.ts';
import { chooseLateHook, hasLateHook, type LateHook } from './late-exec.ts';
import type { LinkInput } from './link-input.ts';
import { inBitOrder } from './bit-order.ts';
import { syscallNumber } from './syscall-numbers.ts';

/** One hook of one policy with the number of the policy. */
export type ChosenHook = Pick<HookMemberInput, 'policy' | 'policyNumber' | 'stamp'> & { readonly choice: HookChoice };

/** A hook without the numbers that are given out by key. `place`: its attach point, which all lanes share. */
export type HookCandidate = Omit<HookInput, 'id' | 'entryId'> & { readonly entryKey: string; readonly place: string };

export type Common = Pick<HookInput, 'sets' | 'hostNamespaces' | 'prototypes' | 'target' | 'arch'>;

export type HookGroups = {
  readonly candidates: readonly HookCandidate[];
  /** Policies for whose selectors an attach point has no bits left. */
  readonly refused: readonly { readonly policy: LinkPolicy; readonly place: string; readonly path: string }[];
};

/** `policies` in order of admission. */
export function groupHooks(
  chosen: readonly ChosenHook[],
  policies: readonly LinkPolicy[],
  input: Pick<LinkInput, 'kernel' | 'unusable' | 'prototypes'>,
  common: Common,
  rules: LaneRules,
): HookGroups {
  const groups = new Map<string, { choice: HookChoice; members: HookMemberInput[] }>();
  for (const { choice, ...numbered } of chosen) {
    const { hook, hookIndex, methods, substituted } = choice;
    const group = groups.get(choice.key) ?? { choice, members: [] };
    // A hook that reads nothing asks nothing; what others ask about the same place is one question.
    if (group.choice.query === null) group.choice = choice;
    group.members.push({ ...numbered, hookIndex, hook, methods, part: 'entry', substituted });
    groups.set(choice.key, group);
  }
  const late = chooseLateHook(input.kernel, (method) => input.unusable.has(method));
  const candidates: HookCandidate[] = [];
  const refused: { policy: LinkPolicy; place: string; path: string }[] = [];
  for (const [place, { choice, members }] of [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const lanes = assignLanes(place, members, policies, rules);
    for (const policy of lanes.refused) {
      refused.push({ policy, place, path: members.find((member) => member.policy === policy)?.hook.path ?? 'spec' });
    }
    for (const [lane, own] of [...lanes.members].toSorted(([a], [b]) => a - b)) {
      candidates.push(...withCompanions(entryHook(place, lane, own, choice, input, common), late));
    }
  }
  return { candidates, refused };
}

function entryHook(
  place: string,
  lane: number,
  members: readonly HookMemberInput[],
  choice: HookChoice,
  input: Pick<LinkInput, 'kernel' | 'prototypes'>,
  common: Common,
): HookCandidate {
  const key = laneKey(place, lane);
  return {
    ...common,
    key,
    place,
    lane,
    entryKey: key,
    convention: choice.convention,
    methods: commonMethods(members),
    members: inBitOrder(members),
    prototype: choice.query === null ? undefined : input.prototypes.get(choice.query),
    decidesLate: false,
    companionOf: null,
    syscallNumber: place.startsWith('raw_tp_sys_enter:') ? (syscallNumber(choice.hook.target, input.kernel.arch) ?? -1) : -1,
  };
}

/** Every entry hook, followed by its late hook and by what runs at the return, if it has them. */
function withCompanions(entry: HookCandidate, late: LateHook | null): readonly HookCandidate[] {
  // `placeOf` keeps those that are decided late apart from all others.
  const isLate = late !== null && entry.members.every((member) => hasLateHook(member.hook));
  const first = { ...entry, decidesLate: isLate };
  const companion = { ...entry, companionOf: first, syscallNumber: -1 };
  const second = (part: 'late' | 'return', members: readonly HookMemberInput[]): readonly HookMemberInput[] =>
    inBitOrder(members.map((member) => ({ ...member, part })));
  const hooks: HookCandidate[] = [first];
  if (isLate) {
    hooks.push({
      ...companion,
      key: `late:${entry.key}`,
      convention: late.convention,
      methods: [late.method],
      members: second('late', entry.members),
      prototype: undefined,
    });
  }
  if (entry.members.some((member) => member.hook.returns === true)) {
    const [leader] = entry.members;
    const methods = (leader?.methods ?? []).filter((method) => entry.methods.includes(methodText(method)));
    hooks.push({
      ...companion,
      key: `return:${entry.key}`,
      methods: methods.flatMap((method) => returnMethodText(method) ?? []),
      members: second('return', entry.members),
    });
  }
  return hooks;
}

/** Those that suit all members, in the order of the first. */
function commonMethods(members: readonly HookMemberInput[]): readonly string[] {
  const [first, ...others] = members.map((member) => new Set(member.methods.map(methodText)));
  return [...(first ?? [])].filter((method) => others.every((methods) => methods.has(method)));
}
