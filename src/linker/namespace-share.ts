/**
 * What policies of namespaces may take together of a hook and of a node, so that those of the cluster find room whenever they come. Counted
 * without regard to what policies of the cluster use as well: else one that goes would push out another.
 */
import { DENY_CLASSES, type TableFields } from '../abi/hook-table.ts';
import { PAL_PLANES, PAL_SELECTORS, PAL_SET_WORDS, PAL_SLOTS } from '../abi/layout.ts';
import { bitRange, type SelectorMask } from '../abi/selector-mask.ts';
import { LIMITS } from '../policy/limits.ts';
import type { PlacedMember } from './hook-input.ts';
import type { LinkFailure } from './link-failure.ts';
import type { Plane } from './plane-builder.ts';
import type { ArgSlots } from './slot-table.ts';
import { countTexts } from './string-trie.ts';

/** Three quarters. */
function share(total: number): number {
  return Math.floor((total * 3) / 4);
}

export const NAMESPACED_SELECTORS = share(PAL_SELECTORS);
export const NAMESPACED_SETS = share(64 * PAL_SET_WORDS);
const NAMESPACED_PLANES = share(PAL_PLANES);
const NAMESPACED_SLOTS = share(PAL_SLOTS);
const NAMESPACED_ERRORS = share(DENY_CLASSES);
const NAMESPACED_ROWS = share(LIMITS.valuesPerFilter);

type Uses = {
  readonly key: string;
  readonly placed: readonly (PlacedMember & { readonly argSlots: ArgSlots })[];
  readonly planes: readonly Plane[];
  readonly deny: TableFields['deny'];
};

/** Null: there is room left for the cluster's. Selectors are counted before (`lane-room.ts`). */
export function findNamespaceExcess({ key, placed, planes, deny }: Uses): LinkFailure | null {
  const own = placed.filter(({ member }) => member.policy.ref.namespace !== null);
  const bits = own.reduce((mask, { member, firstBit }) => mask | bitRange(firstBit, member.hook.selectors.length), 0n);
  if (bits === 0n) return null;
  const isOwn = (mask: SelectorMask): boolean => (mask & bits) !== 0n;
  const fail = (reason: LinkFailure['reason'], most: number, what: string): LinkFailure => {
    return {
      reason,
      message: `policies of namespaces ${what} on ${key}; ${most} are for them, and the rest for policies of the cluster`,
      share: 'namespaces',
    };
  };
  const slots = new Set(own.flatMap(({ argSlots }) => argSlots.filter((slot) => slot !== null)));
  if (slots.size > NAMESPACED_SLOTS) return fail('TooManySlots', NAMESPACED_SLOTS, `read ${slots.size} different arguments`);
  const ownPlanes = planes.filter((plane) => isOwn(plane.care)).length;
  if (ownPlanes > NAMESPACED_PLANES) return fail('TooManyPlanes', NAMESPACED_PLANES, `need ${ownPlanes} different lookups`);
  const errors = deny.filter(({ selectors }) => isOwn(selectors)).length;
  if (errors > NAMESPACED_ERRORS) return fail('TooManyActions', NAMESPACED_ERRORS, `return ${errors} different errors`);
  const rows = Math.max(
    countOwn(planes, ({ content }) => [...content.ints.values()].filter(isOwn).length),
    countOwn(planes, ({ content }) =>
      countTexts(
        content.strings.filter(({ prefix, equal }) => isOwn(prefix | equal)),
        NAMESPACED_ROWS / PAL_PLANES,
      ),
    ),
  );
  return rows > NAMESPACED_ROWS ? fail('SetTooLarge', NAMESPACED_ROWS, `name ${rows} values`) : null;
}

function countOwn(planes: readonly Plane[], count: (plane: Plane) => number): number {
  return planes.reduce((sum, plane) => sum + count(plane), 0);
}
