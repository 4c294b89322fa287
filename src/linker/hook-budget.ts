/** Whether what all policies together want of one hook fits its tables (engine-spec 3.6). */
import {
  PAL_AC_STATES,
  PAL_CEL_EXPRESSIONS,
  PAL_K_AC,
  PAL_K_STR,
  PAL_K_XCOL,
  PAL_MASK_CLASSES,
  PAL_PLANES,
  PAL_SLOTS,
} from '../abi/layout.ts';
import { LIMITS } from '../policy/limits.ts';
import type { CelTable } from './cel-table.ts';
import { firstColumn, lastColumn } from './columns.ts';
import type { LinkFailure } from './link-failure.ts';
import type { Plane } from './plane-builder.ts';
import { chunkHeads, countTexts } from './string-trie.ts';
import { countStates } from './substring-automaton.ts';

/** Planes of strings, chunks of long ones included: the number is a byte of the key, and 0 says that nothing follows. */
const STRING_PLANES = 255;
/** The first column of a plane's further sets is a byte. */
const FURTHER_COLUMNS = 255;

/** Reasons that another lane of the hook can help with. */
export const LANE_REASONS: ReadonlySet<LinkFailure['reason']> = new Set([
  'HookSelectorBudget',
  'TooManySlots',
  'TooManyPlanes',
  'SetTooLarge',
  'SubstringBudget',
  'CelBudget',
  'TooManyActions',
]);

export function findExcess(key: string, slots: number, planes: readonly Plane[], cel: CelTable): LinkFailure | null {
  const sum = (count: (plane: Plane) => number): number => planes.reduce((total, plane) => total + count(plane), 0);
  if (slots > PAL_SLOTS) return { reason: 'TooManySlots', message: `policies read more than ${PAL_SLOTS} different arguments on ${key}` };
  if (planes.length > PAL_PLANES) {
    return { reason: 'TooManyPlanes', message: `policies need more than ${PAL_PLANES} different lookups on ${key}` };
  }
  const chunks = sum((plane) => (plane.kind === PAL_K_STR ? chunkHeads(plane.content.strings.map(({ bytes }) => bytes)).length : 0));
  if (planes.length + chunks > STRING_PLANES) {
    return {
      reason: 'TooManyPlanes',
      message: `policies compare texts of more than 255 bytes on ${key}, in ${chunks} pieces; ${STRING_PLANES - planes.length} fit`,
    };
  }
  if (sum((plane) => plane.content.masks.size) > PAL_MASK_CLASSES) {
    return { reason: 'TooManyPlanes', message: `policies name more than ${PAL_MASK_CLASSES} different sets of bits on ${key}` };
  }
  if (sum((plane) => (plane.kind === PAL_K_XCOL ? columnCount(plane) : 0)) > FURTHER_COLUMNS) {
    return { reason: 'TooManyPlanes', message: `policies ask for sets of executables in more than ${FURTHER_COLUMNS} columns on ${key}` };
  }
  const states = sum((plane) => (plane.kind === PAL_K_AC ? countStates(plane.content.substrings.keys()) : 0));
  if (states > PAL_AC_STATES) {
    return {
      reason: 'SubstringBudget',
      message: `the substrings of all policies on ${key} need ${states} states of an automaton; ${PAL_AC_STATES} fit`,
    };
  }
  if (cel.count() > PAL_CEL_EXPRESSIONS) {
    return { reason: 'CelBudget', message: `policies have ${cel.count()} expressions on ${key}; ${PAL_CEL_EXPRESSIONS} fit` };
  }
  // Policies share rows: of many texts only the different ones count.
  const few = LIMITS.valuesPerFilter / PAL_PLANES;
  const most = Math.max(
    sum(({ content }) => content.ints.size),
    sum(({ content }) => countTexts(content.strings, few)),
    sum(({ content }) => content.ranges.length),
    sum(({ content }) => content.networks.length),
  );
  return most > LIMITS.valuesPerFilter ? tooLarge(key, most) : null;
}

/** For rows that are known only when they are built: ranges become several prefixes. */
export function tooLarge(key: string, rows: number): LinkFailure {
  return { reason: 'SetTooLarge', message: `policies name ${rows} values on ${key}; ${LIMITS.valuesPerFilter} fit` };
}

function columnCount(plane: Plane): number {
  return plane.content.sets.size === 0 ? 0 : lastColumn(plane.content.sets) - firstColumn(plane.content.sets) + 1;
}
