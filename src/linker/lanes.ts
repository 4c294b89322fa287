/**
 * Which policies share an engine. An attach point has as many as its target allows: where one cannot hold all policies, the newest go to
 * the next. A policy keeps its lane while it exists: two engines read the number of the generation one after the other, and a policy
 * between them could be missed.
 */
import { lanePlace } from './allocation.ts';
import type { HookMemberInput } from './hook-input.ts';
import { createLaneRoom, type LaneRoom } from './lane-room.ts';
import type { LinkPolicy } from './link-input.ts';

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

type Lane = { readonly room: LaneRoom; readonly members: HookMemberInput[] };

const emptyLane = (): Lane => ({ room: createLaneRoom(), members: [] });

/** `policies` in order of admission. */
export function assignLanes(key: string, members: readonly HookMemberInput[], policies: readonly LinkPolicy[], rules: LaneRules): Lanes {
  if (rules.lanesPerHook === 1 && createLaneRoom().fits(members)) return { members: new Map([[0, members]]), refused: [] };
  const ofPolicy = Map.groupBy(members, (member) => member.policy);
  const lanes = Array.from({ length: rules.lanesPerHook }, emptyLane);
  const refused: LinkPolicy[] = [];
  for (const policy of policies) {
    const own = ofPolicy.get(policy);
    if (own === undefined) continue;
    const place = lanePlace(key, policy.ref.uid);
    const kept = rules.isKnown(policy.ref.uid) ? (rules.previous.get(place) ?? 0) : null;
    const allowed = kept === null ? lanes.slice(rules.from.get(place) ?? 0) : lanes.slice(kept, kept + 1);
    const lane = allowed.find(({ room }) => room.fits(own));
    lane?.room.add(own);
    lane?.members.push(...own);
    if (lane === undefined) refused.push(policy);
  }
  const used = lanes.map((lane, number): [number, readonly HookMemberInput[]] => [number, lane.members]);
  return { members: new Map(used.filter(([, list]) => list.length > 0)), refused };
}
