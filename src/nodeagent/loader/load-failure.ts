/** What a refusal of the loader means for policies. Pure. */
import type { LinkedHook, LinkedNode } from '../../linker/linked-node.ts';
import { type LoadReason, REASONS } from '../../policy/reasons.ts';
import type { LoaderResult } from '../../protocol/loader-frames.ts';
import type { PlanFailure } from '../state/choose-plans.ts';

const LOAD_REASONS: ReadonlySet<string> = new Set(REASONS.filter((entry) => entry.about === 'load').map((entry) => entry.name));
const MAX_MESSAGE_CHARS = 512;

export function isLoadReason(name: string): name is LoadReason {
  return LOAD_REASONS.has(name);
}

/** A reason that this agent does not know is `LoadError`; its name goes into the message. */
export function failureOf(result: LoaderResult, hook: string | null): PlanFailure {
  const known = isLoadReason(result.reason);
  const text = [known || result.reason === '' ? '' : result.reason, result.message, lastLine(result.verifier)]
    .filter((part) => part !== '')
    .join(': ');
  return {
    reason: isLoadReason(result.reason) ? result.reason : 'LoadError',
    message: text.slice(0, MAX_MESSAGE_CHARS),
    ...(hook === null ? {} : { hook }),
    stage: result.stage,
    errno: result.errno,
  };
}

/** Reasons that say nothing about the hook at which they came up: trying later may help, leaving a policy out does not. */
const NODE_FAULTS: ReadonlySet<LoadReason> = new Set(['ResourceBusy', 'GenerationSpent', 'LoaderUnavailable', 'AbiMismatch']);

/**
 * The node's own fault: no policy can be blamed, and it is tried again. Lack of memory or of a permission at a hook is the hook's: one
 * policy that wants too much must not keep all others from changing.
 */
export function isNodeFault(failure: PlanFailure): boolean {
  return NODE_FAULTS.has(failure.reason);
}

/** What the verifier says of the way of attaching: the function may not be denied in, or the helper for it is not there. */
const METHOD_REASONS: ReadonlySet<string> = new Set(['NotErrorInjectable', 'OverrideHelperMissing'] satisfies LoadReason[]);

/**
 * Whether the way of attaching is at fault rather than what is attached: the hook is new, and the loader got stuck before or after the
 * verifier, or the verifier would take no program there.
 */
export function isMethodFault(result: LoaderResult, hook: LinkedHook, active: LinkedNode | null): boolean {
  const isNew = active?.hooks.every((entry) => entry.id !== hook.id) ?? true;
  const isOfMethod = METHOD_REASONS.has(result.reason) || ['btf', 'open', 'attach', 'pin'].includes(result.stage);
  return isNew && isOfMethod;
}

/** Uids of the policies on a hook that are not there in the active generation as they are now. */
export function changedMembers(hook: LinkedHook, next: LinkedNode, active: LinkedNode | null): readonly string[] {
  const before = new Map(active?.policies.map((entry) => [entry.ref.uid, entry]));
  const isChanged = (uid: string): boolean => {
    const now = next.policies.find((entry) => entry.ref.uid === uid);
    const old = before.get(uid);
    return old === undefined || old.digest !== now?.digest || old.mode !== now.mode;
  };
  return [...new Set(hook.members.map((member) => member.uid))].filter(isChanged);
}

function lastLine(log: string): string {
  return log.trim().split('\n').at(-1) ?? '';
}
