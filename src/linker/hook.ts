/** Fuses the hooks of all policies on one attach point into one configuration, one table and the rows of its maps. */
import { createHash } from 'node:crypto';
import { type SlotFields, writeConfig } from '../abi/hook-config.ts';
import { type SelectorFields, writeTable } from '../abi/hook-table.ts';
import {
  PAL_FEAT_LATE_MARK,
  PAL_FEAT_LATE_RUN,
  PAL_FEAT_OVERLAY_FILTER,
  PAL_FEAT_OVERRIDE,
  PAL_FEAT_RETURNS,
  PAL_FEAT_SYS_ENTER,
  PAL_FEAT_SYSCALL,
  PAL_MASK_CLASSES,
  PAL_PLANES,
  PAL_SLOTS,
  PAL_SRC_ARG,
  PAL_T_FILE,
} from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { LIMITS } from '../policy/limits.ts';
import { pinName } from './attach-target.ts';
import { layOutBits } from './bit-layout.ts';
import { columnRows } from './columns.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { failed, linked, type LinkFailure, type LinkResult } from './link-failure.ts';
import { encodeSelector, type HookMember, type LinkedHook } from './linked-node.ts';
import { createPlaneBuilder, type PlaneBuilder } from './plane-builder.ts';
import { collectScopeRules, describeRules } from './scope.ts';
import { addFilters, type FilterContext } from './selector-filters.ts';
import { selectorEffect, splitVerdicts } from './verdicts.ts';
import { collectSlots, type SlotTable } from './slot-table.ts';

/** Bit of the register mask that says: arguments lie behind a pt_regs pointer. */
const REGISTERS_BEHIND_POINTER = 1 << 8;

export function linkHook(input: HookInput): LinkResult<LinkedHook> {
  const layout = layOutBits(input.members.map((member) => member.hook.selectors.length));
  if (layout === null) return failed(overrun('HookSelectorBudget', `more selectors on ${input.key} than 256 bits hold`));
  const collected = collectSlots(input);
  if (!collected.ok) return collected;
  const slots = collected.value;
  const planes = createPlaneBuilder();
  const columns = new Map<number, SelectorMask>();
  const need = new Map<number, SelectorMask>();
  const members: HookMember[] = [];
  const selectors: SelectorFields[] = [];

  for (const [position, member] of input.members.entries()) {
    const firstBit = layout.firstBits[position] ?? 0;
    const argSlots = slots.of(member);
    const context: FilterContext = { input, member, argSlots, slots: slots.list(), planes, columns, need };
    for (const [index, selector] of member.hook.selectors.entries()) {
      const failure = addFilters(context, selector, firstBit + index);
      if (failure !== null) return failed(failure);
      selectors.push(selectorFields(member, index, firstBit + index, argSlots));
    }
    members.push(memberOf(member, firstBit, argSlots));
  }
  const excess = findExcess(input, slots, planes);
  if (excess !== null) return failed(excess);

  const placed = input.members.map((member, i) => ({ member, firstBit: layout.firstBits[i] ?? 0 }));
  const verdicts = splitVerdicts(placed);
  if (verdicts === null) return failed(overrun('TooManyActions', `policies return more than 8 different errors on ${input.key}`));
  const scope = collectScopeRules(placed);
  const built = planes.build(layout.all);
  const fields = slots.list();
  const { rows: columnRowList, columns: columnCount } = columnRows(columns);
  const config = writeConfig({
    hook: input.entryId,
    words: layout.words,
    taskPlanes: built.taskPlanes,
    scalarPlanes: built.scalarPlanes,
    memoryPlanes: built.memoryPlanes,
    slots: fields,
    registerMask: registerMask(input, fields),
    features: features(input, fields),
    columns: columnCount,
    syscallNumber: input.syscallNumber,
  });
  const table = writeTable({
    all: layout.all,
    first: layout.first,
    last: layout.last,
    ...verdicts,
    planes: built.masks,
    need: fields.map((_, slot) => need.get(slot) ?? 0n),
    selectors,
    maskClasses: built.maskClasses,
  });
  const rows = { ints: built.intRows, strs: built.stringRows, cols: Buffer.concat(columnRowList) };
  return linked({
    id: input.id,
    recordHook: input.entryId,
    name: pinName(input.id, input.key),
    key: input.key,
    methods: input.methods,
    config,
    table,
    rows,
    columns: columnCount,
    configDigest: sha256([config]),
    dataDigest: sha256([table, rows.ints, rows.strs, rows.cols, Buffer.from(describeRules(scope))]),
    members,
    scope,
  });
}

function memberOf(member: HookMemberInput, firstBit: number, argSlots: readonly (number | null)[]): HookMember {
  return {
    uid: member.policy.ref.uid,
    policyNumber: member.policyNumber,
    hookIndex: member.hookIndex,
    path: member.hook.path,
    argSlots,
    late: member.late,
    substituted: member.substituted,
    firstBit,
    selectorCount: member.hook.selectors.length,
  };
}

function selectorFields(member: HookMemberInput, index: number, bit: number, argSlots: readonly (number | null)[]): SelectorFields {
  return {
    bit,
    policy: member.policyNumber,
    selector: encodeSelector(member.hookIndex, index),
    captureSlots: argSlots.reduce<number>((mask, slot) => (slot === null ? mask : mask | (1 << slot)), 0),
    actions: selectorEffect(member, index).actionBits,
    counter: member.policyNumber,
    eventsPerSecond: member.policy.plan.options.eventRatePerSecond,
  };
}

function findExcess(input: HookInput, slots: SlotTable, planes: PlaneBuilder): LinkFailure | null {
  if (slots.list().length > PAL_SLOTS)
    return overrun('TooManySlots', `policies read more than ${PAL_SLOTS} different arguments on ${input.key}`);
  if (planes.planeCount() > PAL_PLANES)
    return overrun('TooManyPlanes', `policies need more than ${PAL_PLANES} different lookups on ${input.key}`);
  if (planes.maskClassCount() > PAL_MASK_CLASSES) {
    return overrun('TooManyPlanes', `policies name more than ${PAL_MASK_CLASSES} different sets of capabilities on ${input.key}`);
  }
  const { ints, strings } = planes.rowCounts();
  const most = Math.max(ints, strings);
  if (most > LIMITS.valuesPerFilter)
    return overrun('SetTooLarge', `policies name ${most} values on ${input.key}; ${LIMITS.valuesPerFilter} fit`);
  return null;
}

/** The engine looks for overlayfs's inner opens in the first argument, where all file hooks have their file. */
function features(input: HookInput, slots: readonly SlotFields[]): number {
  const [family] = input.key.split(':');
  let bits = 0;
  if (family === 'lsm' || family === 'fmod_ret') bits |= PAL_FEAT_RETURNS;
  if (input.members.some((member) => member.methods.some((entry) => entry.deny === 'override_return'))) bits |= PAL_FEAT_OVERRIDE;
  if (input.members.some((member) => member.hook.syscall && !member.late)) bits |= PAL_FEAT_SYSCALL;
  if (family === 'raw_tp_sys_enter') bits |= PAL_FEAT_SYS_ENTER;
  if (slots.some((slot) => slot.type === PAL_T_FILE && slot.source === PAL_SRC_ARG && slot.register === 0)) bits |= PAL_FEAT_OVERLAY_FILTER;
  if (input.decidesLate) bits |= PAL_FEAT_LATE_MARK;
  if (input.members.some((member) => member.late)) bits |= PAL_FEAT_LATE_RUN;
  return bits;
}

function registerMask(input: HookInput, slots: readonly SlotFields[]): number {
  if (input.convention === 'record' || input.members.some((member) => member.late)) return 0;
  const behind = input.members.some((member) => member.hook.syscall) ? REGISTERS_BEHIND_POINTER : 0;
  return slots.reduce((mask, slot) => mask | Number(bitMask(slot.register)), behind);
}

function overrun(reason: LinkFailure['reason'], message: string): LinkFailure {
  return { reason, message };
}

function sha256(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    hash.update(length).update(part);
  }
  return hash.digest('hex');
}
