/** In which order the selectors of a hook's policies lie in its masks. */
import { digestKey } from './allocation.ts';
import type { HookMemberInput } from './hook-input.ts';

/** Large fields first, so that the small ones fill the words up; among equals by identity. */
export function inBitOrder(members: readonly HookMemberInput[]): readonly HookMemberInput[] {
  const keyed = members.map((member) => ({ member, key: bitKey(member) }));
  return keyed
    .toSorted((a, b) => b.member.hook.selectors.length - a.member.hook.selectors.length || (a.key < b.key ? -1 : 1))
    .map(({ member }) => member);
}

/** What does not depend on the order in which policies come. */
function bitKey({ policy, hookIndex }: HookMemberInput): string {
  return `${identityOf(policy.ref.uid)}/${String(hookIndex).padStart(4, '0')}`;
}

const identities = new Map<string, string>();
const MAX_IDENTITIES = 16_384;

/** `digestKey` of a uid; asked for thousands of times in one link. */
export function identityOf(uid: string): string {
  const known = identities.get(uid);
  if (known !== undefined) return known;
  if (identities.size >= MAX_IDENTITIES) identities.clear();
  const identity = digestKey(uid);
  identities.set(uid, identity);
  return identity;
}
