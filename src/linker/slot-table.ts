/** The slots of a fused hook: equal ones are shared, their order does not depend on which policy asked first. */
import type { SlotFields } from '../abi/hook-config.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { linked, type LinkResult } from './link-failure.ts';
import { latePathIndex, latePathSlot, slotOf } from './slot.ts';

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
  const wanted = new Map<HookMemberInput, readonly (SlotFields | null)[]>();
  for (const member of input.members) {
    const slots: (SlotFields | null)[] = [];
    for (const arg of member.hook.args) {
      if (member.late) {
        slots.push(latePathIndex(member.hook) === arg.index && arg.type === 'string' ? latePathSlot(bprmWord(input)) : null);
        continue;
      }
      const slot = slotOf(arg, { convention: input.convention, hook: member.hook, prototype: input.prototype, decidesLate: input.decidesLate });
      if (!slot.ok) return { ok: false, failure: { ...slot.failure, uid: member.policy.ref.uid, path: member.hook.path } };
      slots.push(slot.value);
    }
    wanted.set(member, slots);
  }
  const byKey = new Map<string, SlotFields>();
  for (const slots of wanted.values()) for (const slot of slots) if (slot !== null) byKey.set(slotKey(slot), slot);
  const sorted = [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const numbers = new Map(sorted.map(([key], number) => [key, number]));
  const list = sorted.map(([, slot]) => slot);
  return linked({
    list: () => list,
    of: (member) => (wanted.get(member) ?? []).map((slot) => (slot === null ? null : (numbers.get(slotKey(slot)) ?? null))),
  });
}

/** LSM hook: the first word. sched_process_exec: the third. */
function bprmWord(input: HookInput): number {
  return input.methods.some((method) => method.startsWith('raw_tp:')) ? 2 : 0;
}

/** Scalars first: the engine reads them without scratch memory. */
function slotKey(slot: SlotFields): string {
  const parts = [slot.source, slot.register, ...slot.steps, slot.type, slot.width, slot.flags, slot.maxBytes];
  return `${slot.storage === 'scalar' ? 0 : 1}/${parts.map((part) => String(part).padStart(6, '0')).join('/')}`;
}
