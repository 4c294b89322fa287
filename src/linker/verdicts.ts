/** What selectors do, as masks: who kills, who denies with which error, who only would. */
import { DENY_CLASSES, type TableFields } from '../abi/hook-table.ts';
import { PAL_ACT_NOPOST, PAL_ACT_OVERRIDE, PAL_ACT_POST, PAL_ACT_SIGKILL } from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import { type Effect, effectOf } from '../policy/effect.ts';
import type { PlanAction } from '../policy/plan.ts';
import type { HookMemberInput } from './hook-input.ts';

const ACTION_BITS: Readonly<Partial<Record<PlanAction['type'], number>>> = {
  post: PAL_ACT_POST,
  nopost: PAL_ACT_NOPOST,
  sigkill: PAL_ACT_SIGKILL,
  override: PAL_ACT_OVERRIDE,
};

const EPERM = 1;
const EACCES = 13;

/** The effect of a selector where it is attached: where a kill stands in for the deny, it kills. */
export function selectorEffect(member: HookMemberInput, index: number): { readonly effect: Effect; readonly actionBits: number } {
  const actions = member.hook.selectors[index]?.actions ?? [];
  const effect = effectOf(actions);
  const actionBits = actions.reduce((bits, action) => bits | (ACTION_BITS[action.type] ?? 0), 0);
  if (!member.substituted || effect.errno === null) return { effect, actionBits };
  return { effect: { ...effect, errno: null, kill: true }, actionBits: actionBits | PAL_ACT_SIGKILL };
}

/** Whether a value that cannot be read counts as a match for this selector's filters. */
export function unknownMatches(member: HookMemberInput, index: number): boolean {
  const option = member.policy.plan.options.onUnknown;
  return option === null ? selectorEffect(member, index).effect.errno !== null : option === 'match';
}

type Verdicts = Pick<TableFields, 'kill' | 'deny' | 'post' | 'wouldKill' | 'wouldDeny'>;

/** Null: more different errors than there are classes. */
export function splitVerdicts(members: readonly { readonly member: HookMemberInput; readonly firstBit: number }[]): Verdicts | null {
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
      if (effect.post) post |= bit;
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

/** Least first: EPERM, EACCES, then by number. `errno` is negative. */
function severity(errno: number): number {
  return -errno === EPERM ? 0 : -errno === EACCES ? 1 : 1 - errno;
}
