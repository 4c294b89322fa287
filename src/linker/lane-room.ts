/** How much room a lane has: its policies' fields of selectors, packed into words as `layOutBits` does it. */
import { PAL_WORDS } from '../abi/layout.ts';
import type { HookMemberInput } from './hook-input.ts';
import { NAMESPACED_SELECTORS } from './namespace-share.ts';

const WORD_BITS = 64;

export type LaneRoom = {
  /** Whether all selectors of these members fit beside what is there. */
  fits(members: readonly HookMemberInput[]): boolean;
  add(members: readonly HookMemberInput[]): void;
};

/** Only the sizes of fields matter: how many there are of each is all that has to be kept. */
export function createLaneRoom(): LaneRoom {
  const fieldsOfSize = new Uint32Array(WORD_BITS + 1);
  let namespacedBits = 0;
  return {
    fits(members) {
      const total = Uint32Array.from(fieldsOfSize);
      let namespaced = namespacedBits;
      for (const member of members) {
        const size = member.hook.selectors.length;
        if (size > WORD_BITS) return false;
        total[size] = (total[size] ?? 0) + 1;
        if (member.policy.ref.namespace !== null) namespaced += size;
      }
      return namespaced <= NAMESPACED_SELECTORS && canPack(total);
    },
    add(members) {
      for (const member of members) {
        const size = member.hook.selectors.length;
        fieldsOfSize[size] = (fieldsOfSize[size] ?? 0) + 1;
        if (member.policy.ref.namespace !== null) namespacedBits += size;
      }
    },
  };
}

/** Large fields first, each into the first word that has room. */
function canPack(fieldsOfSize: Uint32Array): boolean {
  const free = Array.from({ length: PAL_WORDS }, () => WORD_BITS);
  for (let size = WORD_BITS; size > 0; size -= 1) {
    let left = fieldsOfSize[size] ?? 0;
    for (let word = 0; word < free.length && left > 0; word += 1) {
      const placed = Math.min(left, Math.floor((free[word] ?? 0) / size));
      free[word] = (free[word] ?? 0) - placed * size;
      left -= placed;
    }
    if (left > 0) return false;
  }
  return true;
}
