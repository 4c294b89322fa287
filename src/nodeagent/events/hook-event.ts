/** One record of a hook call → one event per policy that matched, each with only that policy's arguments, order and labels. */
import {
  PAL_ACT_NOPOST,
  PAL_ACT_OVERRIDE,
  PAL_ACT_POST,
  PAL_ACT_SIGKILL,
  PAL_ACT_WOULD_DENY,
  PAL_ACT_WOULD_KILL,
  PAL_HV_LATE,
  PAL_MF_EXEMPT,
} from '../../abi/layout.ts';
import type { HookRecord, RecordMatch } from '../../abi/record-types.ts';
import { syscallFunction } from '../../policy/bind/attach-point.ts';
import { eventArgument } from './arguments.ts';
import type { EventBody, KprobeAction, PolicyVerdict, ProcessAndParent } from './event.ts';
import type { MatchMeaning } from './meaning.ts';

/**
 * Tag that says what a policy in monitor mode would have done: upstream's messages have no field for it. The action of such an event is
 * `KPROBE_ACTION_POST`, since nothing else was executed.
 */
export const WOULD_TAG = 'palisade.dev/would:';
/** Tag of an event of a process that is never denied or killed: kubelet, runtime, ourselves. */
export const EXEMPT_TAG = 'palisade.dev/exempt';

export function hookEvent(record: HookRecord, match: RecordMatch, meaning: MatchMeaning, who: ProcessAndParent, arch: string): EventBody {
  const { hook } = meaning;
  const isLate = (record.flags & PAL_HV_LATE) !== 0;
  const slots = isLate ? (meaning.lateSlotOfArg ?? meaning.slotOfArg) : meaning.slotOfArg;
  const args = hook.args.map((arg, position) => {
    const slot = slots[position];
    return eventArgument(
      hook.kind === 'tracepoint' ? { ...arg, label: '' } : arg,
      record.args.find((value) => value.slot === slot),
    );
  });
  const tags = [...hook.tags, ...wouldTags(match.actions), ...((match.flags & PAL_MF_EXEMPT) === 0 ? [] : [EXEMPT_TAG])];
  const verdict: PolicyVerdict = {
    ...(args.length === 0 ? {} : { args }),
    action: actionOf(match.actions),
    policy_name: meaning.policyName,
    ...(hook.message === '' ? {} : { message: hook.message }),
    ...(tags.length === 0 ? {} : { tags }),
  };
  if (hook.kind === 'tracepoint') {
    const [subsys = '', event = ''] = hook.target.split('/', 2);
    return { process_tracepoint: { ...who, subsys, event, ...verdict } };
  }
  if (hook.kind === 'lsm') return { process_lsm: { ...who, function_name: hook.target, ...verdict } };
  // As upstream: the kernel's function, with what the architecture puts before system calls.
  const function_name = hook.syscall ? syscallFunction(hook.target, arch) : hook.target;
  return { process_kprobe: { ...who, function_name, ...verdict } };
}

/** The last executed action, as upstream reports it. A kill is named before a deny: it is what happened to the process. */
export function actionOf(actions: number): KprobeAction {
  if ((actions & PAL_ACT_SIGKILL) !== 0) return 'KPROBE_ACTION_SIGKILL';
  if ((actions & PAL_ACT_OVERRIDE) !== 0) return 'KPROBE_ACTION_OVERRIDE';
  if ((actions & (PAL_ACT_POST | PAL_ACT_WOULD_KILL | PAL_ACT_WOULD_DENY)) !== 0) return 'KPROBE_ACTION_POST';
  return (actions & PAL_ACT_NOPOST) !== 0 ? 'KPROBE_ACTION_NOPOST' : 'KPROBE_ACTION_POST';
}

function wouldTags(actions: number): string[] {
  return [
    ...((actions & PAL_ACT_WOULD_KILL) === 0 ? [] : [`${WOULD_TAG}SIGKILL`]),
    ...((actions & PAL_ACT_WOULD_DENY) === 0 ? [] : [`${WOULD_TAG}OVERRIDE`]),
  ];
}
