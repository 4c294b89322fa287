/**
 * Which policies share an engine. An attach point has as many as its target allows: where one cannot hold all policies, the newest go to
 * the next. A policy keeps its lane while it exists: two engines read the number of the generation one after the other, and a policy
 * between them could be missed.
 */
import { lanePlace } from './allocation.ts';
import { layOutBits } from './bit-layout.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkPolicy } from './link-input.ts';
import { inBitOrder, NAMESPACED_BITS } from './selector-budget.ts';

export type LaneRules = {
  readonly lanesPerHook: number;
  /** Lanes of the link before, by `lanePlace`; a policy that was linked and is not in here was in the first. */
  readonly previous: ReadonlyMap<string, number>;
  readonly isKnown: (uid: string) => boolean;
  /** Lanes that turned out to have no room, by `lanePlace`: the first to be tried. */
  readonly from: ReadonlyMap<string, number>;
};

export type Lanes = {
  /** By lane; lanes without policies are not there. */
  readonly members: ReadonlyMap<number, readonly HookMemberInput[]>;
  readonly refused: readonly LinkPolicy[];
};

/** `policies` in order of admission. */
export function assignLanes(key: string, members: readonly HookMemberInput[], policies: readonly LinkPolicy[], rules: LaneRules): Lanes {
  if (rules.lanesPerHook === 1 && fits(members)) return { members: new Map([[0, members]]), refused: [] };
  const ofPolicy = Map.groupBy(members, (member) => member.policy);
  const lanes = new Map<number, HookMemberInput[]>();
  const refused: LinkPolicy[] = [];
  for (const policy of policies) {
    const own = ofPolicy.get(policy);
    if (own === undefined) continue;
    const place = lanePlace(key, policy.ref.uid);
    const kept = rules.isKnown(policy.ref.uid) ? (rules.previous.get(place) ?? 0) : null;
    const first = kept ?? rules.from.get(place) ?? 0;
    const last = kept ?? rules.lanesPerHook - 1;
    const lane = range(first, last).find((number) => fits([...(lanes.get(number) ?? []), ...own]));
    if (lane === undefined || lane >= rules.lanesPerHook) refused.push(policy);
    else lanes.set(lane, [...(lanes.get(lane) ?? []), ...own]);
  }
  return { members: lanes, refused };
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

function fits(members: readonly HookMemberInput[]): boolean {
  const namespaced = members.filter((member) => member.policy.ref.namespace !== null);
  const bits = namespaced.reduce((sum, member) => sum + member.hook.selectors.length, 0);
  return bits <= NAMESPACED_BITS && layOutBits(inBitOrder(members).map((member) => member.hook.selectors.length)) !== null;
}
