import { effectOf, isDenying } from '../effect.ts';
import { errorName } from '../error-numbers.ts';
import type { PlanAction, PlanHook, PlanPost } from '../plan.ts';
import { signalName } from '../signal-names.ts';
import { type ArgumentNames, placeName } from './value-names.ts';
import { andList, many } from './words.ts';

/** What happens beside events, in order of the policy: `the call is denied: it fails with EPERM and has no effect`. */
export function deedSentences(hook: PlanHook, actions: readonly PlanAction[], names: ArgumentNames): readonly string[] {
  const effect = effectOf(actions);
  // Who is killed gets no other signal.
  const done = effect.kill ? actions.filter(({ type }) => type !== 'signal') : actions;
  const deeds = done.flatMap((action) => deedOf(hook, action, names) ?? []);
  // A kill is not a deny: what many policies say they do, and do not.
  return effect.kill && !isDenying(effect) ? [...deeds, 'the call itself is not denied'] : deeds;
}

/** `an event is sent`, and with what; silent if one of the actions says so. */
export function eventSentence(actions: readonly PlanAction[]): string {
  if (actions.some((action) => action.type === 'nopost')) return 'no event is sent';
  const post = actions.find((action) => action.type === 'post');
  const extras = [
    ...(post?.kernelStack === true ? ["the kernel's stack"] : []),
    ...(post?.userStack === true ? ["the program's stack"] : []),
    ...(post?.imaHash === true ? ["the file's hash"] : []),
  ];
  const extra = extras.length === 0 ? '' : ` with ${andList(extras)}`;
  return `an event is sent${extra}${post?.rateLimitMs === undefined ? '' : limitText(post.rateLimitMs, post.rateLimitScope)}`;
}

function deedOf(hook: PlanHook, action: PlanAction, names: ArgumentNames): string | undefined {
  const place = (arg: number): string => {
    const declared = hook.args[arg];
    return declared === undefined ? `argument ${arg}` : placeName(hook, declared, names);
  };
  switch (action.type) {
    case 'post':
    case 'nopost':
      return undefined;
    case 'sigkill':
      return 'the process is killed (SIGKILL)';
    case 'signal':
      return `${signalText(action.signal)} is sent to the process`;
    case 'override':
      return hook.kind === 'uprobe'
        ? `the function returns ${action.errno} at once, without running`
        : `the call is denied: it fails with ${errorText(action.errno)} and has no effect`;
    case 'set_registers':
      return `registers of the process are set: ${action.registers.join(', ')}`;
    case 'redirect':
      return `the call goes to the ${action.to} ${action.target} of the same file instead`;
    case 'track_sock':
      return `the socket in ${place(action.arg)} is remembered as this process's`;
    case 'untrack_sock':
      return `the socket in ${place(action.arg)} is forgotten`;
    case 'notify_enforcer':
      return enforcerText(action.errno, action.signal);
    case 'cleanup_enforcer':
      return 'what the enforcer was told about this thread is forgotten';
    case 'get_url':
      return `the agent fetches ${action.url}`;
    case 'dns_lookup':
      return `the agent looks up ${action.name}`;
    case 'set':
      return `${place(action.arg)} is set to ${action.value}`;
  }
}

/** `EPERM`, `error -4000`. */
function errorText(errno: number): string {
  const name = errorName(errno);
  return name.startsWith('E') ? name : `error ${name}`;
}

/** `SIGTERM`, `signal 34`. */
function signalText(signal: number): string {
  const name = signalName(signal);
  return name.startsWith('SIG') ? name : `signal ${name}`;
}

function enforcerText(errno: number, signal: number): string {
  const deeds = [
    ...(errno === 0 ? [] : [`makes the call that it stands in fail with ${errorText(errno)}`]),
    ...(signal === 0 ? [] : [`sends ${signalText(signal)} to the process`]),
  ];
  return `the enforcer ${andList(deeds)}`;
}

function limitText(rateLimitMs: number, scope: PlanPost['rateLimitScope']): string {
  const whose = scope === 'process' ? ' of the same process' : scope === 'global' ? '' : ' of the same thread';
  return `, unless an equal one${whose} was sent in the last ${timeText(rateLimitMs)}`;
}

const UNITS = [
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

function timeText(timeMs: number): string {
  const unit = UNITS.find(([, unitMs]) => timeMs % unitMs === 0);
  return unit === undefined ? `${timeMs} ms` : many(timeMs / unit[1], unit[0]);
}
