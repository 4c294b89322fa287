/** The slots of a fused hook: equal ones are shared, their order does not depend on which policy asked first. */
import type { SlotFields } from '../abi/hook-config.ts';
import { PAL_SF_LATE, PAL_T_NONE } from '../abi/layout.ts';
import type { PlanHook } from '../policy/plan.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { linked, type LinkResult } from './link-failure.ts';
import { latePathSlot, sizeSlot, slotOf, type WantedSlot } from './slot.ts';

/** For each argument of a member's hook, the slot that has it; null: this hook cannot read it. */
export type ArgSlots = readonly (number | null)[];

export type SlotTable = {
  /** In the order of their numbers. */
  list(): readonly SlotFields[];
  /** The slots of one member's arguments, all of which were collected. */
  of(member: HookMemberInput): ArgSlots;
};

/** All slots of all members. Fails with the argument that this kernel does not have as the policy says. */
export function collectSlots(input: HookInput): LinkResult<SlotTable> {
  if (input.companionOf === null) return collect(input, input.decidesLate);
  const isLate = input.members.some((member) => member.part === 'late');
  const entry = collect(input.companionOf, isLate);
  return entry.ok && isLate ? linked(lateSlots(entry.value, bprmWord(input))) : entry;
}

function collect(
  input: Pick<HookInput, 'convention' | 'prototype' | 'prototypes' | 'members'>,
  decidesLate: boolean,
): LinkResult<SlotTable> {
  const wanted = new Map<PlanHook, readonly (WantedSlot | null)[]>();
  for (const member of input.members) {
    const slots: (WantedSlot | null)[] = [];
    for (const arg of member.hook.args) {
      const { convention, prototype, prototypes } = input;
      const slot = slotOf(arg, { convention, hook: member.hook, prototype, prototypes, decidesLate });
      if (!slot.ok) return { ok: false, failure: { ...slot.failure, uid: member.policy.ref.uid, path: member.hook.path } };
      slots.push(slot.value);
    }
    wanted.set(member.hook, slots);
  }
  const all = [...wanted.values()].flat().flatMap((slot) => slot ?? []);
  const sizes = all.flatMap((slot) => (slot.sizeIndex === undefined ? [] : [sizeSlot(slot.sizeIndex)]));
  const byKey = new Map([...all, ...sizes].map((slot) => [slotKey(slot), slot]));
  const sorted = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const numbers = new Map(sorted.map(([key], number) => [key, number]));
  const list = sorted.map(([, { sizeIndex, ...slot }]: readonly [string, WantedSlot]): SlotFields => {
    const number = sizeIndex === undefined ? undefined : numbers.get(slotKey(sizeSlot(sizeIndex)));
    return number === undefined ? slot : { ...slot, sizeSlot: number };
  });
  const numberOf = (slot: WantedSlot | null): number | null => (slot === null ? null : (numbers.get(slotKey(slot)) ?? null));
  return linked({ list: () => list, of: (member) => (wanted.get(member.hook) ?? []).map(numberOf) });
}

/** Numbered as in the entry hook, so that records of both are read alike; what only the entry can read is an empty slot. */
function lateSlots(entry: SlotTable, word: number): SlotTable {
  const isPath = (slot: SlotFields | undefined): boolean => slot !== undefined && (slot.flags & PAL_SF_LATE) !== 0;
  const before = entry.list();
  const list = before.map((slot) => (isPath(slot) ? latePathSlot(word) : EMPTY_SLOT));
  return {
    list: () => list,
    of: (member) => entry.of(member).map((number) => (number !== null && isPath(before[number]) ? number : null)),
  };
}

const EMPTY_SLOT: SlotFields = { type: PAL_T_NONE, source: 0, register: 0, flags: 0, width: 8, storage: 'scalar', maxBytes: 0, steps: [] };

/** LSM hook and its function: the first word. sched_process_exec: the third. */
function bprmWord(input: HookInput): number {
  return input.methods.some((method) => method.startsWith('raw_tp:')) ? 2 : 0;
}

/** Scalars first: the engine reads them without scratch memory. */
function slotKey(slot: WantedSlot): string {
  const size = slot.sizeIndex === undefined ? [] : [slot.sizeIndex];
  const parts = [slot.source, slot.register, ...slot.steps, slot.type, slot.width, slot.flags, slot.maxBytes, ...size];
  return `${slot.storage === 'scalar' ? 0 : 1}/${parts.map((part) => String(part).padStart(6, '0')).join('/')}`;
}
