/** Whose fault it is that a hook cannot be made. */
import { linkHook } from './hook.ts';
import type { HookCandidate } from './hook-groups.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkFailure, LinkResult } from './link-failure.ts';
import type { LinkPolicy } from './link-input.ts';
import type { LinkedHook } from './linked-node.ts';

export type Blamed = LinkFailure & { readonly uid: string; readonly path: string };

export function blame(policy: LinkPolicy, failure: LinkFailure): Blamed {
  return { ...failure, uid: policy.ref.uid, path: failure.path ?? 'spec' };
}

/** One jury serves one link: what it found out about a policy alone holds for all its turns. */
export type Jury = {
  /** The policy named, or one that does not even fit alone; null: each of them would fit without the others. */
  findFault(failure: LinkFailure, candidate: HookCandidate, policies: readonly LinkPolicy[]): Blamed | null;
  /** Those that do not fit beside who was admitted before them; at least one. */
  findExcess(failure: LinkFailure, candidate: HookCandidate, policies: readonly LinkPolicy[]): readonly Blamed[];
};

export function createJury(): Jury {
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
    findFault(failure, candidate, policies) {
      const here = membersOf(candidate, policies);
      const named = here.find((policy) => policy.ref.uid === failure.uid);
      if (named !== undefined) return blameAt(candidate, named, failure);
      for (const policy of here) {
        const why = isTooMuchAlone(policy, candidate);
        if (why !== null) return blameAt(candidate, policy, why);
      }
      return null;
    },
    findExcess(failure, candidate, policies) {
      const here = membersOf(candidate, policies);
      const crowd = failure.share === 'namespaces' ? here.filter(({ ref }) => ref.namespace !== null) : here;
      if (crowd.length === 0) throw new Error(`hook ${candidate.key} has no members`);
      return admit(crowd, here, candidate, failure.share).map((policy) => blameAt(candidate, policy, failure));
    },
  };
}

function membersOf(candidate: HookCandidate, policies: readonly LinkPolicy[]): readonly LinkPolicy[] {
  return policies.filter((policy) => candidate.members.some((member) => member.policy === policy));
}

function blameAt(candidate: HookCandidate, policy: LinkPolicy, why: LinkFailure): Blamed {
  const path = candidate.members.find((member) => member.policy === policy)?.hook.path ?? 'spec';
  return blame(policy, { path, ...why });
}

/**
 * Admits the crowd in its order, and says who does not fit beside those admitted before. By halves as long as they fit: a full hook takes
 * long to link, and there may be hundreds.
 */
function admit(
  crowd: readonly LinkPolicy[],
  here: readonly LinkPolicy[],
  candidate: HookCandidate,
  share: LinkFailure['share'],
): readonly LinkPolicy[] {
  const staying = new Set(here).difference(new Set(crowd));
  const fits = (more: readonly LinkPolicy[]): boolean => {
    const result = linkOnly(staying.union(new Set(more)), candidate);
    // What others have used up is for the next turn to say.
    return result.ok || result.failure.share !== share;
  };
  const refused: LinkPolicy[] = [];
  for (let rest = crowd; rest.length > 0;) {
    const count = countFitting(rest, fits);
    for (const policy of rest.slice(0, count)) staying.add(policy);
    refused.push(...rest.slice(count, count + 1));
    rest = rest.slice(count + 1);
  }
  return refused;
}

/** How many from the first on fit together. */
function countFitting(rest: readonly LinkPolicy[], fits: (some: readonly LinkPolicy[]) => boolean): number {
  if (!fits(rest.slice(0, 1))) return 0;
  if (rest.length === 1 || fits(rest)) return rest.length;
  let fitting = 1;
  let most = rest.length - 1;
  while (fitting < most) {
    const middle = Math.ceil((fitting + most) / 2);
    if (fits(rest.slice(0, middle))) fitting = middle;
    else most = middle - 1;
  }
  return fitting;
}

/** The hook as it would be if there were no other policies. */
function linkOnly(policies: ReadonlySet<LinkPolicy>, candidate: HookCandidate): LinkResult<LinkedHook> {
  const own = (members: readonly HookMemberInput[]): readonly HookMemberInput[] => members.filter(({ policy }) => policies.has(policy));
  const { companionOf } = candidate;
  const entry = companionOf === null ? null : { ...companionOf, members: own(companionOf.members) };
  return linkHook({ ...candidate, id: 1, entryId: 1, members: own(candidate.members), companionOf: entry }, '');
}
