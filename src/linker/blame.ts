/** Whose fault it is that a hook cannot be made. */
import { linkHook } from './hook.ts';
import { LANE_REASONS } from './hook-budget.ts';
import type { HookCandidate } from './hook-groups.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkFailure } from './link-failure.ts';
import type { LinkPolicy } from './link-input.ts';

export type Blamed = LinkFailure & { readonly uid: string; readonly path: string };

/** `sum`: the policy would fit without the others. */
export type Judgement = { readonly blamed: Blamed; readonly fault: 'own' | 'sum' };

export function blame(policy: LinkPolicy, failure: LinkFailure): Blamed {
  return { ...failure, uid: policy.ref.uid, path: failure.path ?? 'spec' };
}

/**
 * The policy named, else one that does not even fit alone, else the newest on the hook, of those that share what is used up. One jury serves one link: what it found out about
 * a policy alone holds for all its turns.
 */
export function createJury(): { judge(failure: LinkFailure, candidate: HookCandidate, policies: readonly LinkPolicy[]): Judgement } {
  const fitsAlone = new Set<string>();

  function isTooMuchAlone(policy: LinkPolicy, candidate: HookCandidate): LinkFailure | null {
    const name = `${candidate.key} ${policy.ref.uid}`;
    if (fitsAlone.has(name)) return null;
    const own = (members: readonly HookMemberInput[]): readonly HookMemberInput[] => members.filter((member) => member.policy === policy);
    const { companionOf } = candidate;
    const entry = companionOf === null ? null : { ...companionOf, members: own(companionOf.members) };
    const result = linkHook({ ...candidate, id: 1, entryId: 1, members: own(candidate.members), companionOf: entry }, '');
    if (!result.ok) return result.failure;
    fitsAlone.add(name);
    return null;
  }

  return {
    judge(failure, candidate, policies) {
      const here = policies.filter((policy) => candidate.members.some((member) => member.policy === policy));
      const own = (policy: LinkPolicy, why: LinkFailure): Blamed => ({ ...blame(policy, { path: pathOf(candidate, policy), ...why }) });
      const named = here.find((policy) => policy.ref.uid === failure.uid);
      if (named !== undefined) return { blamed: own(named, failure), fault: 'own' };
      for (const policy of here) {
        const why = isTooMuchAlone(policy, candidate);
        if (why !== null) return { blamed: own(policy, why), fault: 'own' };
      }
      const newest = failure.share === 'namespaces' ? here.findLast(({ ref }) => ref.namespace !== null) : here.at(-1);
      if (newest === undefined) throw new Error(`hook ${candidate.key} has no members`);
      return { blamed: own(newest, failure), fault: LANE_REASONS.has(failure.reason) ? 'sum' : 'own' };
    },
  };
}

function pathOf(candidate: HookCandidate, policy: LinkPolicy): string {
  return candidate.members.find((member) => member.policy === policy)?.hook.path ?? 'spec';
}
