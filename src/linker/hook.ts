/** Fuses the hooks of all policies on one attach point into one configuration, one table and the rows of its maps. */
import { createHash } from 'node:crypto';
import { type SlotFields, writeConfig } from '../abi/hook-config.ts';
import { type SelectorFields, writeTable } from '../abi/hook-table.ts';
import {
  PAL_FEAT_AC,
  PAL_FEAT_ACTS,
  PAL_FEAT_CEL,
  PAL_FEAT_CHAIN,
  PAL_FEAT_FRAMES,
  PAL_FEAT_LATE_MARK,
  PAL_FEAT_LATE_RUN,
  PAL_FEAT_OVERLAY_FILTER,
  PAL_FEAT_OVERRIDE,
  PAL_FEAT_RETURN_RUN,
  PAL_FEAT_RETURNS,
  PAL_FEAT_SYS_ENTER,
  PAL_FEAT_SYSCALL,
  PAL_SRC_ARG,
  PAL_T_FILE,
} from '../abi/layout.ts';
import { RANGE_ROW_BYTES } from '../abi/map-rows.ts';
import { bitMask, bitRange, type SelectorMask } from '../abi/selector-mask.ts';
import { LIMITS } from '../policy/limits.ts';
import { pinName } from './attach-target.ts';
import { layOutBits } from './bit-layout.ts';
import { createCelTable } from './cel-table.ts';
import { beyondToday } from './engine-of-today.ts';
import type { FilterContext } from './filter-context.ts';
import { findExcess, tooLarge } from './hook-budget.ts';
import type { HookInput, HookMemberInput, PlacedMember } from './hook-input.ts';
import { failed, linked, type LinkFailure, type LinkResult } from './link-failure.ts';
import { encodeSelector, type HookMember, type LinkedHook } from './linked-node.ts';
import { findNamespaceExcess } from './namespace-share.ts';
import { createPlaneBuilder } from './plane-builder.ts';
import { buildTables, type PlaneTables } from './plane-tables.ts';
import { collectScopeRules, describeRules } from './scope.ts';
import { addFilters } from './selector-filters.ts';
import { sideActions } from './side-actions.ts';
import { type ArgSlots, collectSlots } from './slot-table.ts';
import { selectorEffect, splitVerdicts } from './verdicts.ts';

/** Bit of the register mask that says: arguments lie behind a pt_regs pointer. */
const REGISTERS_BEHIND_POINTER = 1 << 8;

type Placed = PlacedMember & { readonly argSlots: ArgSlots };

/** `inputDigest`: what `hookInputDigest` says of the input. */
export function linkHook(input: HookInput, inputDigest: string): LinkResult<LinkedHook> {
  const impossible = findImpossible(input);
  if (impossible !== null) return failed(impossible);
  const layout = layOutBits(input.members.map((member) => member.hook.selectors.length));
  if (layout === null) return failed({ reason: 'HookSelectorBudget', message: `more selectors on ${input.key} than 256 bits hold` });
  const collected = collectSlots(input);
  if (!collected.ok) return collected;
  const slots = collected.value;
  const fields = slots.list();
  const planes = createPlaneBuilder();
  const cel = createCelTable();
  const need = new Map<number, SelectorMask>();
  const selectors: SelectorFields[] = [];
  // A return companion has the bits of its entry hook, and acts for those that watch the return.
  const placed = input.members
    .map((member, i): Placed => ({ member, firstBit: layout.firstBits[i] ?? 0, argSlots: slots.of(member) }))
    .filter(({ member }) => member.part !== 'return' || member.hook.returns === true);

  for (const { member, firstBit, argSlots } of placed) {
    const context: FilterContext = { input, member, argSlots, slots: fields, planes, cel, need };
    for (const [index, selector] of member.hook.selectors.entries()) {
      const failure = addFilters(context, selector, firstBit + index);
      if (failure !== null) return failed(failure);
      selectors.push(selectorFields(member, index, firstBit + index, argSlots));
    }
  }
  const sorted = planes.planes();
  const excess = findExcess(input.key, fields.length, sorted, cel);
  if (excess !== null) return failed(excess);
  const verdicts = splitVerdicts(placed);
  if (verdicts === null)
    return failed({ reason: 'TooManyActions', message: `policies return more than 8 different errors on ${input.key}` });
  const crowd = findNamespaceExcess({ key: input.key, placed, planes: sorted, deny: verdicts.deny });
  if (crowd !== null) return failed(crowd);
  const acts = sideActions(placed);
  if (!acts.ok) return acts;

  const taking = placed.reduce((mask, { member, firstBit }) => mask | bitRange(firstBit, member.hook.selectors.length), 0n);
  const built = buildTables(sorted, taking);
  const rangeRows = built.rows.rng.length / RANGE_ROW_BYTES;
  if (rangeRows > LIMITS.valuesPerFilter) return failed(tooLarge(input.key, rangeRows));
  const scope = collectScopeRules(placed);
  const celRows = cel.rows();
  const config = writeConfig({
    hook: input.entryId,
    words: layout.words,
    taskPlanes: built.taskPlanes,
    scalarPlanes: built.scalarPlanes,
    memoryPlanes: built.memoryPlanes,
    slots: fields,
    registerMask: registerMask(input, fields),
    features: features(input, fields) | tableFeatures(built, acts.value, celRows) | framesFeature(placed),
    columns: built.columns,
    syscallNumber: input.syscallNumber,
  });
  const table = writeTable({
    all: taking,
    first: layout.first & taking,
    last: layout.last & taking,
    ...verdicts,
    planes: built.masks,
    need: fields.map((_, slot) => need.get(slot) ?? 0n),
    selectors,
    maskClasses: built.maskClasses,
  });
  const { ints, strs, cols, ...further } = built.rows;
  const hook: LinkedHook = {
    id: input.id,
    recordHook: input.entryId,
    name: pinName(input.id, input.key),
    key: input.key,
    lane: input.lane,
    methods: input.methods,
    config,
    table,
    rows: { ints, strs, cols },
    further: { ...further, cel: celRows, acts: acts.value },
    columns: built.columns,
    inputDigest,
    configDigest: sha256([config]),
    dataDigest: sha256([table, ints, strs, cols, Buffer.from(describeRules(scope)), ...furtherParts(further, celRows, acts.value)]),
    members: placed.map(({ member, firstBit, argSlots }) => memberOf(member, firstBit, argSlots)),
    scope,
  };
  const beyond = input.target.tables === 'today' ? beyondToday(hook, fields) : null;
  return beyond === null ? linked(hook) : failed({ reason: 'NotInEngine', message: beyond });
}

function findImpossible(input: HookInput): LinkFailure | null {
  if (input.methods.length === 0) {
    return { reason: 'LoadError', message: `policies want ${input.key} attached in ways that exclude each other` };
  }
  if (input.key.startsWith('raw_tp_sys_enter:') && input.syscallNumber < 0) {
    return { reason: 'FunctionNotFound', message: `the number of the system call of ${input.key} is not known` };
  }
  const tooFar = input.members.find((member) => member.hookIndex >= LIMITS.hooksPerPolicy);
  if (tooFar === undefined) return null;
  const message = `a policy has at most ${LIMITS.hooksPerPolicy} hooks`;
  return { reason: 'HookSelectorBudget', message, uid: tooFar.policy.ref.uid, path: tooFar.hook.path };
}

/** Digests of hooks without further tables are those of versions that did not have them. */
function furtherParts(rows: Readonly<Record<string, Buffer>>, cel: Buffer, acts: Buffer): readonly Buffer[] {
  const parts = [...Object.values(rows), cel, acts];
  return parts.every((part) => part.length === 0) ? [] : parts;
}

function memberOf(member: HookMemberInput, firstBit: number, argSlots: ArgSlots): HookMember {
  return {
    uid: member.policy.ref.uid,
    policyNumber: member.policyNumber,
    hookIndex: member.hookIndex,
    path: member.hook.path,
    argSlots,
    late: member.part !== 'entry',
    substituted: member.substituted,
    firstBit,
    selectorCount: member.hook.selectors.length,
  };
}

function selectorFields(member: HookMemberInput, index: number, bit: number, argSlots: ArgSlots): SelectorFields {
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

/** The engine looks for overlayfs's inner opens in the first argument, where all file hooks have their file. */
function features(input: HookInput, slots: readonly SlotFields[]): number {
  const [family] = input.key.split(':');
  let bits = 0;
  if (input.methods.some((method) => /^(?:lsm|fmod_ret):/.test(method))) bits |= PAL_FEAT_RETURNS;
  if (input.members.some((member) => member.methods.some((entry) => entry.deny === 'override_return'))) bits |= PAL_FEAT_OVERRIDE;
  if (input.members.some((member) => member.hook.syscall && member.part !== 'late')) bits |= PAL_FEAT_SYSCALL;
  if (family === 'raw_tp_sys_enter') bits |= PAL_FEAT_SYS_ENTER;
  if (slots.some((slot) => slot.type === PAL_T_FILE && slot.source === PAL_SRC_ARG && slot.register === 0)) bits |= PAL_FEAT_OVERLAY_FILTER;
  if (input.decidesLate) bits |= PAL_FEAT_LATE_MARK;
  if (input.members.some((member) => member.part === 'late')) bits |= PAL_FEAT_LATE_RUN;
  if (input.members.some((member) => member.part === 'return')) bits |= PAL_FEAT_RETURN_RUN;
  return bits;
}

function tableFeatures(tables: PlaneTables, acts: Buffer, cel: Buffer): number {
  return (
    (tables.isChained ? PAL_FEAT_CHAIN : 0) |
    (tables.rows.ac.length > 0 ? PAL_FEAT_AC : 0) |
    (cel.length > 0 ? PAL_FEAT_CEL : 0) |
    (acts.length > 0 ? PAL_FEAT_ACTS : 0)
  );
}

function framesFeature(placed: readonly Placed[]): number {
  return placed.some(({ member }) => member.part === 'entry' && member.hook.returns === true) ? PAL_FEAT_FRAMES : 0;
}

function registerMask(input: HookInput, slots: readonly SlotFields[]): number {
  if (input.convention === 'record' || input.members.some((member) => member.part === 'late')) return 0;
  const behind = input.members.some((member) => member.hook.syscall) ? REGISTERS_BEHIND_POINTER : 0;
  return slots.reduce((mask, slot) => (slot.source === PAL_SRC_ARG ? mask | Number(bitMask(slot.register)) : mask), behind);
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
