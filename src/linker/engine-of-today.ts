/** What the engine of this version walks. `bind` refuses the rest by its fields; here the tables themselves are looked at once more. */
import type { SlotFields } from '../abi/hook-config.ts';
import {
  CFG_LAYOUT,
  PAL_FEAT_ACTS,
  PAL_FEAT_CHAIN,
  PAL_FEAT_FRAMES,
  PAL_FEAT_RETURN_RUN,
  PAL_K_SUFFIX,
  PAL_P_SLOT,
  PAL_SRC_BPRM_FILENAME,
  PAL_SRC_FIELD,
  PAL_SRC_ARG,
  PAL_T_PATH,
} from '../abi/layout.ts';
import { readPlanes } from '../abi/hook-config.ts';
import type { LinkedHook } from './linked-node.ts';

const SOURCES: ReadonlySet<number> = new Set([PAL_SRC_ARG, PAL_SRC_FIELD, PAL_SRC_BPRM_FILENAME]);
const FURTHER_FEATURES = PAL_FEAT_CHAIN | PAL_FEAT_ACTS | PAL_FEAT_FRAMES | PAL_FEAT_RETURN_RUN;

/** What it is that today's engine does not walk; null: it walks all of it. */
export function beyondToday(hook: LinkedHook, slots: readonly SlotFields[]): string | null {
  const map = Object.entries(hook.further).find(([, rows]) => rows.length > 0);
  if (map !== undefined) return `${hook.key} needs the map ${map[0]}, which the engine of this version has not`;
  const plane = readPlanes(hook.config).find(({ kind, source, field }) => {
    return kind > PAL_K_SUFFIX || source > PAL_P_SLOT || (source === PAL_P_SLOT && field !== 0);
  });
  if (plane !== undefined) return `${hook.key} needs a lookup (${plane.source}, ${plane.kind}) that the engine of this version has not`;
  const slot = slots.find(
    ({ type, source, steps }) => type > PAL_T_PATH || !SOURCES.has(source) || steps.some((step) => step >>> 31 === 1),
  );
  if (slot !== undefined)
    return `${hook.key} reads an argument (${slot.source}, ${slot.type}) that the engine of this version does not read`;
  return (hook.config.readUInt32LE(CFG_LAYOUT.at.feat) & FURTHER_FEATURES) === 0
    ? null
    : `${hook.key} needs what the engine of this version does not do`;
}
