/** What selectors do, as masks: who kills, who denies with which error, who only would. */
import { DENY_CLASSES, type TableFields } from '../abi/hook-table.ts';
import {
  PAL_ACT_CLEANUP_ENFORCER,
  PAL_ACT_DNS_LOOKUP,
  PAL_ACT_GET_URL,
  PAL_ACT_NOPOST,
  PAL_ACT_NOTIFY_ENFORCER,
  PAL_ACT_OVERRIDE,
  PAL_ACT_POST,
  PAL_ACT_REDIRECT,
  PAL_ACT_SET,
  PAL_ACT_SET_REGISTERS,
  PAL_ACT_SIGKILL,
  PAL_ACT_SIGNAL,
  PAL_ACT_TRACK_SOCK,
  PAL_ACT_UNTRACK_SOCK,
} from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { type Effect, effectOf, isDenying } from '../policy/effect.ts';
import type { PlanAction } from '../policy/plan.ts';
import type { HookMemberInput, PlacedMember } from './hook-input.ts';

const ACTION_BITS: Readonly<Record<PlanAction['type'], number>> = {
  post: PAL_ACT_POST,
  nopost: PAL_ACT_NOPOST,
  sigkill: PAL_ACT_SIGKILL,
  override: PAL_ACT_OVERRIDE,
  signal: PAL_ACT_SIGNAL,
  track_sock: PAL_ACT_TRACK_SOCK,
  untrack_sock: PAL_ACT_UNTRACK_SOCK,
  notify_enforcer: PAL_ACT_NOTIFY_ENFORCER,
  cleanup_enforcer: PAL_ACT_CLEANUP_ENFORCER,
  get_url: PAL_ACT_GET_URL,
  dns_lookup: PAL_ACT_DNS_LOOKUP,
  set: PAL_ACT_SET,
  set_registers: PAL_ACT_SET_REGISTERS,
  redirect: PAL_ACT_REDIRECT,
};

const EPERM = 1;
const EACCES = 13;

/** What a selector does where this member runs: at the entry of the call, or at its return. */
export function actionsOf(member: HookMemberInput, index: number): readonly PlanAction[] {
  const selector = member.hook.selectors[index];
  return (member.part === 'return' ? selector?.returnActions : selector?.actions) ?? [];
}

/** The effect of a selector where it is attached: where a kill stands in for the deny, it kills. */
export function selectorEffect(member: HookMemberInput, index: number): { readonly effect: Effect; readonly actionBits: number } {
  const actions = actionsOf(member, index);
  const effect = effectOf(actions);
  const actionBits = actions.reduce((bits, action) => bits | ACTION_BITS[action.type], 0);
  if (!member.substituted || effect.errno === null) return { effect, actionBits };
  return { effect: { ...effect, errno: null, kill: true }, actionBits: actionBits | PAL_ACT_SIGKILL };
}

/** It denies this call, or has an enforcer deny a later one. */
export function deniesSomehow(member: HookMemberInput, index: number): boolean {
  return isDenying(selectorEffect(member, index).effect);
}

/** Whether a value that cannot be read counts as a match for this selector's filters. */
export function unknownMatches(member: HookMemberInput, index: number): boolean {
  const option = member.policy.plan.options.onUnknown;
  return option === null ? member.part !== 'return' && deniesSomehow(member, index) : option === 'match';
}

type Verdicts = Pick<TableFields, 'kill' | 'deny' | 'post' | 'wouldKill' | 'wouldDeny'>;

/** Null: more different errors than there are classes. */
export function splitVerdicts(members: readonly PlacedMember[]): Verdicts | null {
  let kill = 0n;
  let post = 0n;
  let wouldKill = 0n;
  let wouldDeny = 0n;
  const deny = new Map<number, SelectorMask>();
  for (const { member, firstBit } of members) {
    const enforces = member.policy.mode === 'enforce';
    member.hook.selectors.forEach((_, index) => {
      const bit = bitMask(firstBit + index);
      const { effect } = selectorEffect(member, index);
      if (effect.post && postsAtEntry(member, index)) post |= bit;
      if (effect.kill) {
        if (enforces) kill |= bit;
        else wouldKill |= bit;
      }
      if (effect.errno !== null) {
        if (enforces) deny.set(effect.errno, (deny.get(effect.errno) ?? 0n) | bit);
        else wouldDeny |= bit;
      }
    });
  }
  if (deny.size > DENY_CLASSES) return null;
  const classes = [...deny].toSorted(([a], [b]) => severity(a) - severity(b)).map(([errno, selectors]) => ({ errno, selectors }));
  return { kill, deny: classes, post, wouldKill, wouldDeny };
}

/** Entry and return have one event: the return sends it only if the entry would. */
function postsAtEntry(member: HookMemberInput, index: number): boolean {
  return member.part !== 'return' || effectOf(member.hook.selectors[index]?.actions ?? []).post;
}

/** Least first: EPERM, EACCES, then by number. `errno` is negative. */
function severity(errno: number): number {
  return -errno === EPERM ? 0 : -errno === EACCES ? 1 : 1 - errno;
}
