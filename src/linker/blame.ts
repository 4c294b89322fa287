/** Whose fault it is that a hook cannot be made. */
import { linkHook } from './hook.ts';
import { LANE_REASONS } from './hook-budget.ts';
import type { HookCandidate } from './hook-groups.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkFailure, LinkResult } from './link-failure.ts';
import type { LinkPolicy } from './link-input.ts';
import type { LinkedHook } from './linked-node.ts';

export type Blamed = LinkFailure & { readonly uid: string; readonly path: string };

/** `sum`: each would fit without the others. */
export type Judgement = { readonly blamed: readonly Blamed[]; readonly fault: 'own' | 'sum' };

export function blame(policy: LinkPolicy, failure: LinkFailure): Blamed {
  return { ...failure, uid: policy.ref.uid, path: failure.path ?? 'spec' };
}

/**
 * The policy named, else one that does not even fit alone, else the newest on the hook, of those that share what is used up: as many as have
 * to go until the others fit. One jury serves one link: what it found out about a policy alone holds for all its turns.
 */
export function createJury(): { judge(failure: LinkFailure, candidate: HookCandidate, policies: readonly LinkPolicy[]): Judgement } {
  const fitsAlone = new Set<string>();

  function isTooMuchAlone(policy: LinkPolicy, candidate: HookCandidate): LinkFailure | null {
    const name = `${candidate.key} ${policy.ref.uid}`;
    if (fitsAlone.has(name)) return null;
    const result = linkOnly(new Set([policy]), candidate);
    if (!result.ok) return result.failure;
    fitsAlone.add(name);
    return null;
  }

  return {
    judge(failure, candidate, policies) {
      const here = policies.filter((policy) => candidate.members.some((member) => member.policy === policy));
      const own = (policy: LinkPolicy, why: LinkFailure): Blamed => ({ ...blame(policy, { path: pathOf(candidate, policy), ...why }) });
      const named = here.find((policy) => policy.ref.uid === failure.uid);
      if (named !== undefined) return { blamed: [own(named, failure)], fault: 'own' };
      for (const policy of here) {
        const why = isTooMuchAlone(policy, candidate);
        if (why !== null) return { blamed: [own(policy, why)], fault: 'own' };
      }
      const crowd = failure.share === 'namespaces' ? here.filter(({ ref }) => ref.namespace !== null) : here;
      if (crowd.length === 0) throw new Error(`hook ${candidate.key} has no members`);
      const excess = findExcessive(crowd, here, candidate, failure.share);
      return { blamed: excess.map((policy) => own(policy, failure)), fault: LANE_REASONS.has(failure.reason) ? 'sum' : 'own' };
    },
  };
}

/** The last ones of the crowd, without which all others fit. Found by halves: one by one would link a full hook hundreds of times. */
function findExcessive(
  crowd: readonly LinkPolicy[],
  here: readonly LinkPolicy[],
  candidate: HookCandidate,
  share: LinkFailure['share'],
): readonly LinkPolicy[] {
  let fitting = 0;
  let most = crowd.length - 1;
  while (fitting < most) {
    const middle = Math.ceil((fitting + most) / 2);
    const staying = new Set(here).difference(new Set(crowd.slice(middle)));
    const result = linkOnly(staying, candidate);
    // What others have used up is for the next turn to say.
    if (result.ok || result.failure.share !== share) fitting = middle;
    else most = middle - 1;
  }
  return crowd.slice(fitting);
}

/** The hook as it would be if there were no other policies. */
function linkOnly(policies: ReadonlySet<LinkPolicy>, candidate: HookCandidate): LinkResult<LinkedHook> {
  const own = (members: readonly HookMemberInput[]): readonly HookMemberInput[] => members.filter(({ policy }) => policies.has(policy));
  const { companionOf } = candidate;
  const entry = companionOf === null ? null : { ...companionOf, members: own(companionOf.members) };
  return linkHook({ ...candidate, id: 1, entryId: 1, members: own(candidate.members), companionOf: entry }, '');
}

function pathOf(candidate: HookCandidate, policy: LinkPolicy): string {
  return candidate.members.find((member) => member.policy === policy)?.hook.path ?? 'spec';
}
