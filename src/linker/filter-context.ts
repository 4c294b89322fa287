import type { SlotFields } from '../abi/hook-config.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import type { CelTable } from './cel-table.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import type { FilterUse, PlaneBuilder } from './plane-builder.ts';
import { addTo } from './plane-data.ts';
import type { ArgSlots } from './slot-table.ts';

/** Where the filters of one member's selectors go. */
export type FilterContext = {
  readonly input: HookInput;
  readonly member: HookMemberInput;
  readonly argSlots: ArgSlots;
  readonly slots: readonly SlotFields[];
  readonly planes: PlaneBuilder;
  readonly cel: CelTable;
  /** Selectors by slot that they need; added to. */
  readonly need: Map<number, SelectorMask>;
};

/** The slot of an argument, noted as needed by the selector; null: this hook cannot read it. */
export function slotForFilter(
  context: FilterContext,
  arg: number,
  use: FilterUse,
): { readonly number: number; readonly fields: SlotFields } | null {
  const number = context.argSlots[arg] ?? null;
  const fields = number === null ? undefined : context.slots[number];
  if (number === null || fields === undefined) return null;
  addTo(context.need, number, bitMask(use.bit));
  return { number, fields };
}
