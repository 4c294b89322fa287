/** Which policies find room on a hook, and in which order their selectors lie in its masks. */
import { digestKey } from './allocation.ts';
import { layOutBits } from './bit-layout.ts';
import type { HookMemberInput } from './hook-input.ts';
import type { LinkPolicy } from './link-input.ts';

/** Bits of a hook that policies of namespaces may take together; the rest is kept for policies of the cluster. */
const NAMESPACED_BITS = 192;

/** Large fields first, so that the small ones fill the words up; among equals by identity. */
export function inBitOrder(members: readonly HookMemberInput[]): readonly HookMemberInput[] {
  const keyed = members.map((member) => ({
    member,
    key: `${digestKey(member.policy.ref.uid)}/${String(member.hookIndex).padStart(4, '0')}`,
  }));
  return keyed
    .toSorted((a, b) => b.member.hook.selectors.length - a.member.hook.selectors.length || (a.key < b.key ? -1 : 1))
    .map(({ member }) => member);
}

/** Those that do not fit beside the ones before them. `policies` in order of admission. */
export function withoutRoom(policies: readonly LinkPolicy[], members: readonly HookMemberInput[]): readonly LinkPolicy[] {
  if (fits(members)) return [];
  const ofPolicy = Map.groupBy(members, (member) => member.policy);
  let admitted: readonly HookMemberInput[] = [];
  const refused: LinkPolicy[] = [];
  for (const policy of policies) {
    const own = ofPolicy.get(policy);
    if (own === undefined) continue;
    const together = [...admitted, ...own];
    if (fits(together)) admitted = together;
    else refused.push(policy);
  }
  return refused;
}

function fits(members: readonly HookMemberInput[]): boolean {
  const namespaced = members.filter((member) => member.policy.ref.namespace !== null);
  const bits = namespaced.reduce((sum, member) => sum + member.hook.selectors.length, 0);
  return bits <= NAMESPACED_BITS && layOutBits(inBitOrder(members).map((member) => member.hook.selectors.length)) !== null;
}
