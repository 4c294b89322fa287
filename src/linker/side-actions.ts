/** What selectors do besides events, denial and SIGKILL: `struct pal_acts`. */
import { type ActFields, type ActsFields, type SelectorActs, writeActs } from '../abi/hook-acts.ts';
import {
  PAL_DO_CLEANUP_ENFORCER,
  PAL_DO_DNS_LOOKUP,
  PAL_DO_GET_URL,
  PAL_DO_NOTIFY_ENFORCER,
  PAL_DO_REDIRECT,
  PAL_DO_SET,
  PAL_DO_SET_REGISTERS,
  PAL_DO_TRACK_SOCK,
  PAL_DO_UNTRACK_SOCK,
  PAL_DOES,
  PAL_POST_IMA_HASH,
  PAL_POST_KERNEL_STACK,
  PAL_POST_USER_STACK,
  PAL_RATE_GLOBAL,
  PAL_RATE_PROCESS,
  PAL_RATE_THREAD,
  PAL_SIGNAL_CLASSES,
} from '../abi/layout.ts';
import { bitMask, type SelectorMask } from '../abi/selector-mask.ts';
import type { PlanAction, PlanPost } from '../policy/plan.ts';
import type { HookMemberInput, PlacedMember } from './hook-input.ts';
import { failed, linked, type LinkResult } from './link-failure.ts';
import type { ArgSlots } from './slot-table.ts';
import { actionsOf, deniesSomehow, selectorEffect } from './verdicts.ts';

/** Empty: the hook does nothing besides. */
export function sideActions(members: readonly (PlacedMember & { readonly argSlots: ArgSlots })[]): LinkResult<Buffer> {
  const signals = new Map<number, SelectorMask>();
  const selectors: SelectorActs[] = [];
  let wouldSignal = 0n;
  let spare = 0n;
  // Without these tables the engine spares what denies on this hook; what only an enforcer denies must be told, in monitor mode too.
  let sparesBeyondDenials = false;
  let returns = 0n;
  for (const { member, firstBit, argSlots } of members) {
    for (const [index, selector] of member.hook.selectors.entries()) {
      const bit = bitMask(firstBit + index);
      if (deniesSomehow(member, index)) spare |= bit;
      sparesBeyondDenials ||= (spare & bit) !== 0n && selectorEffect(member, index).effect.errno === null;
      if (member.part === 'entry' && member.hook.returns === true) returns |= bit;
      const signal = signalOf(member, index);
      if (signal !== null && member.policy.mode === 'enforce') signals.set(signal, (signals.get(signal) ?? 0n) | bit);
      if (signal !== null && member.policy.mode === 'monitor') wouldSignal |= bit;
      const acts = actsOf(member, index, argSlots);
      if (acts.length > PAL_DOES) {
        return failed({
          reason: 'TooManyActions',
          message: `a selector does ${acts.length} things besides its event; ${PAL_DOES} fit`,
          uid: member.policy.ref.uid,
          path: selector.path,
        });
      }
      const post = postOf(member, index);
      if (acts.length > 0 || post !== NO_POST) selectors.push({ bit: firstBit + index, ...post, acts });
    }
  }
  const hasTables = signals.size > 0 || (wouldSignal | returns) !== 0n || selectors.length > 0 || sparesBeyondDenials;
  if (!hasTables) return linked(Buffer.alloc(0));
  if (signals.size > PAL_SIGNAL_CLASSES) {
    return failed({ reason: 'TooManyActions', message: `policies send more than ${PAL_SIGNAL_CLASSES} different signals on one hook` });
  }
  const classes = [...signals].toSorted(([a], [b]) => a - b).map(([signal, mask]) => ({ signal, selectors: mask }));
  const fields: ActsFields = { signals: classes, wouldSignal, spare, returns, selectors };
  return linked(writeActs(fields));
}

/** The last one of a selector, if nothing kills. */
function signalOf(member: HookMemberInput, index: number): number | null {
  if (selectorEffect(member, index).effect.kill) return null;
  const last = actionsOf(member, index).findLast((action) => action.type === 'signal');
  return last?.signal ?? null;
}

function actsOf(member: HookMemberInput, index: number, argSlots: ArgSlots): readonly ActFields[] {
  const actions = actionsOf(member, index);
  const own = actions.flatMap((action, position): readonly ActFields[] => {
    const act = actOf(action, position, (arg) => argSlots[arg] ?? NO_SLOT);
    return act === null || (member.policy.mode === 'monitor' && INTERFERING.has(act.type)) ? [] : [act];
  });
  return [...returnedSocket(member, argSlots), ...own];
}

const NO_SLOT = 0xff;
/** What monitor mode leaves out; the engine spares exempt processes the same. */
export const INTERFERING: ReadonlySet<number> = new Set([PAL_DO_NOTIFY_ENFORCER, PAL_DO_SET, PAL_DO_SET_REGISTERS, PAL_DO_REDIRECT]);

function returnedSocket(member: HookMemberInput, argSlots: ArgSlots): readonly ActFields[] {
  const { returnSocket } = member.hook;
  if (member.part !== 'return' || returnSocket === undefined) return [];
  const arg = member.hook.args.findIndex((entry) => entry.from === 'return');
  const type = returnSocket === 'track' ? PAL_DO_TRACK_SOCK : PAL_DO_UNTRACK_SOCK;
  return [{ type, slot: argSlots[arg] ?? NO_SLOT, a: 0, b: 0 }];
}

function actOf(action: PlanAction, position: number, slotOf: (arg: number) => number): ActFields | null {
  const elsewhere = (type: number): ActFields => ({ type, slot: 0, a: position, b: 0 });
  switch (action.type) {
    case 'post':
    case 'nopost':
    case 'sigkill':
    case 'signal':
    case 'override':
      return null;
    case 'track_sock':
      return { type: PAL_DO_TRACK_SOCK, slot: slotOf(action.arg), a: 0, b: 0 };
    case 'untrack_sock':
      return { type: PAL_DO_UNTRACK_SOCK, slot: slotOf(action.arg), a: 0, b: 0 };
    case 'notify_enforcer':
      return { type: PAL_DO_NOTIFY_ENFORCER, slot: 0, a: action.errno, b: action.signal };
    case 'cleanup_enforcer':
      return { type: PAL_DO_CLEANUP_ENFORCER, slot: 0, a: 0, b: 0 };
    case 'set':
      return { type: PAL_DO_SET, slot: slotOf(action.arg), a: action.value | 0, b: 0 };
    case 'set_registers':
      return elsewhere(PAL_DO_SET_REGISTERS);
    case 'redirect':
      return elsewhere(PAL_DO_REDIRECT);
    case 'get_url':
      return elsewhere(PAL_DO_GET_URL);
    case 'dns_lookup':
      return elsewhere(PAL_DO_DNS_LOOKUP);
  }
}

type PostFields = Pick<SelectorActs, 'rateLimitMs' | 'rateScope' | 'post'>;
const NO_POST: PostFields = { rateLimitMs: 0, rateScope: PAL_RATE_THREAD, post: 0 };

/** Of several events that a selector asks for, the last says how. */
function postOf(member: HookMemberInput, index: number): PostFields {
  const last = actionsOf(member, index).findLast((action): action is PlanPost => action.type === 'post');
  const isPlain = last === undefined || (last.rateLimitMs === undefined && !last.kernelStack && !last.userStack && !last.imaHash);
  if (isPlain) return NO_POST;
  return {
    rateLimitMs: last.rateLimitMs ?? 0,
    rateScope: last.rateLimitScope === 'process' ? PAL_RATE_PROCESS : last.rateLimitScope === 'global' ? PAL_RATE_GLOBAL : PAL_RATE_THREAD,
    post:
      (last.kernelStack === true ? PAL_POST_KERNEL_STACK : 0) |
      (last.userStack === true ? PAL_POST_USER_STACK : 0) |
      (last.imaHash === true ? PAL_POST_IMA_HASH : 0),
  };
}
