import type { PlanHookKind } from '../plan.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { ActionName } from './action-parameters.ts';
import type { DeclaredArg } from './declared.ts';

/** What of its hook and policy decides which actions are possible. */
export type ActionContext = {
  readonly kind: PlanHookKind;
  readonly moment: 'entry' | 'return';
  /** Name of the LSM hook; of no interest for other kinds. */
  readonly target: string;
  /** The function can be made to return an error: a system call, a security_* function, an LSM hook. */
  readonly canDeny: boolean;
  /** `spec.enforcers` names calls. */
  readonly hasEnforcer: boolean;
  readonly isNamespaced: boolean;
  readonly args: readonly DeclaredArg[];
};

/** Kinds of hooks at whose entry an action is possible; all others are refused. */
const PLACES: Readonly<Record<ActionName, readonly PlanHookKind[]>> = {
  Post: ['kprobe', 'fentry', 'tracepoint', 'raw_tracepoint', 'lsm', 'uprobe', 'usdt'],
  NoPost: ['kprobe', 'fentry', 'tracepoint', 'raw_tracepoint', 'lsm', 'uprobe', 'usdt'],
  Sigkill: ['kprobe', 'tracepoint', 'raw_tracepoint', 'lsm', 'uprobe', 'usdt'],
  Signal: ['kprobe', 'tracepoint', 'raw_tracepoint', 'lsm', 'uprobe', 'usdt'],
  Override: ['kprobe', 'lsm', 'uprobe'],
  GetUrl: ['kprobe', 'fentry', 'tracepoint', 'raw_tracepoint'],
  DnsLookup: ['kprobe', 'fentry', 'tracepoint', 'raw_tracepoint'],
  TrackSock: ['kprobe', 'fentry'],
  UntrackSock: ['kprobe', 'fentry'],
  NotifyEnforcer: ['kprobe', 'tracepoint', 'raw_tracepoint'],
  CleanupEnforcerNotification: ['kprobe', 'tracepoint', 'raw_tracepoint'],
  Set: ['usdt'],
};

/** Actions that are possible when a function returns, for the kinds that they are possible for at all. */
const AT_RETURN: ReadonlySet<ActionName> = new Set([
  'Post',
  'NoPost',
  'Sigkill',
  'Signal',
  'GetUrl',
  'DnsLookup',
  'CleanupEnforcerNotification',
]);

const KIND_NAMES: Readonly<Record<PlanHookKind, string>> = {
  kprobe: 'a kprobe',
  fentry: 'a fentry',
  tracepoint: 'a tracepoint',
  raw_tracepoint: 'a tracepoint',
  lsm: 'an lsmhook',
  uprobe: 'a uprobe',
  usdt: 'a usdt',
};

/** False after a problem: the action cannot be had at this hook. */
export function checkActionPlace(sink: ProblemSink, path: string, context: ActionContext, action: ActionName): boolean {
  const at = fieldPath(path, 'action');
  const { kind } = context;
  if (action === 'Override' && (kind === 'tracepoint' || kind === 'raw_tracepoint')) {
    const hint = 'use an lsmhook or a kprobe on the system call, or Sigkill';
    sink.error('OverrideOnTracepoint', at, 'Override does nothing on a tracepoint', hint);
    return false;
  }
  if (!PLACES[action].includes(kind)) {
    sink.error('ActionNotPossible', at, `${action} is not possible on ${KIND_NAMES[kind]}`, placeHint(action, kind));
    return false;
  }
  if (context.moment === 'return' && !AT_RETURN.has(action)) {
    const hint = action === 'TrackSock' || action === 'UntrackSock' ? 'use returnArgAction' : 'use it in matchActions';
    sink.error('ActionNotPossible', at, `${action} is not possible when the function returns`, hint);
    return false;
  }
  if (action === 'Override' && kind !== 'uprobe' && !context.canDeny) {
    const message = 'Override works on system calls, security_* functions and lsmhooks only';
    sink.error('OverrideNotPossible', at, message, 'use one of these, or Sigkill');
    return false;
  }
  if (action === 'NotifyEnforcer' && !context.hasEnforcer) {
    sink.error('NoEnforcer', at, 'NotifyEnforcer needs spec.enforcers', 'name the calls that may be denied there');
    return false;
  }
  if ((action === 'GetUrl' || action === 'DnsLookup') && context.isNamespaced) {
    sink.error('NotInNamespacedPolicy', at, `a TracingPolicyNamespaced cannot have ${action}`);
    return false;
  }
  return true;
}

function placeHint(action: ActionName, kind: PlanHookKind): string {
  if (kind === 'fentry') {
    return 'fentries only watch: use a kprobe or an lsmhook';
  }
  const places = new Set(PLACES[action].map((place) => KIND_NAMES[place]));
  return `possible on ${[...places].join(', ')}`;
}

/** Hooks in which the kernel knows the hash of a file that IMA has measured. */
const IMA_HOOKS: ReadonlySet<string> = new Set([
  'bprm_check_security',
  'bprm_committed_creds',
  'bprm_committing_creds',
  'bprm_creds_for_exec',
  'bprm_creds_from_file',
  'file_ioctl',
  'file_lock',
  'file_open',
  'file_post_open',
  'file_receive',
  'mmap_file',
]);

export function imaHashProblem({ kind, target }: ActionContext): { readonly message: string; readonly hint: string } | null {
  const hint = `use an lsmhook on one of ${[...IMA_HOOKS].join(', ')}`;
  if (kind !== 'lsm') {
    return { message: `imaHash is not possible on ${KIND_NAMES[kind]}`, hint };
  }
  return IMA_HOOKS.has(target) ? null : { message: `imaHash is not possible on the hook ${quote(target)}`, hint };
}

/** Stacks can be had where a function of the kernel or of a program is entered. */
export function stackProblem({ kind, moment }: ActionContext): { readonly message: string } | null {
  if (moment === 'return') {
    return { message: 'stack traces are taken when the function is entered, not when it returns' };
  }
  return kind === 'kprobe' || kind === 'fentry' || kind === 'uprobe' || kind === 'usdt'
    ? null
    : { message: `stack traces are not possible on ${KIND_NAMES[kind]}` };
}
