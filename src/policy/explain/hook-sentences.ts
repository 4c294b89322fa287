import type { PlanHook } from '../plan.ts';
import { FUNCTIONS, type HookKnowledge, LSM_HOOKS, SYSCALLS, TRACEPOINTS } from './hook-knowledge.ts';
import { type ArgumentNames, placeName } from './value-names.ts';
import { andList, many, orList, shortened } from './words.ts';

/** What is known about where a hook sits; undefined: nothing beyond its name. */
export function knowledgeOf(hook: PlanHook): HookKnowledge | undefined {
  if (hook.generated !== undefined) return undefined;
  switch (hook.kind) {
    case 'lsm':
      return LSM_HOOKS.get(hook.target);
    case 'tracepoint':
    case 'raw_tracepoint':
      return TRACEPOINTS.get(hook.target) ?? syscallTracepoint(hook.target);
    case 'kprobe':
    case 'fentry':
      if (hook.syscall) return SYSCALLS.get(syscallName(hook.target));
      return (
        LSM_HOOKS.get(hook.target.replace(/^security_/, '').replace(/^bprm_check$/, 'bprm_check_security')) ?? FUNCTIONS.get(hook.target)
      );
    case 'uprobe':
    case 'usdt':
      return undefined;
  }
}

function syscallTracepoint(target: string): HookKnowledge | undefined {
  const [, side, name = ''] = /^syscalls\/sys_(enter|exit)_(.+)$/.exec(target) ?? [];
  const known = SYSCALLS.get(name);
  // What a call is about to do is done when it returns, or was refused.
  return side === 'exit' && known !== undefined ? { ...known, what: `the system call ${name} returns` } : known;
}

/** `execve` of `sys_execve` and `i386/sys_execve`. */
function syscallName(target: string): string {
  return target.replace(/^.*\//, '').replace(/^sys_/, '');
}

/** `a file is about to be opened (kernel function security_file_open)`. */
export function whenSentence(hook: PlanHook): string {
  const known = knowledgeOf(hook)?.what;
  const place = placeOf(hook);
  const returns = hook.returns === true ? ', and again when it returns' : '';
  const isKernel = hook.kind !== 'uprobe' && hook.kind !== 'usdt' && hook.generated === undefined;
  if (known === undefined && isKernel) return `the ${place} is reached${returns}`;
  return known === undefined ? `a process gets to ${place}${returns}` : `${known} (${place})${returns}`;
}

/** `one of 3 functions is reached: system call open, system call openat or kernel function do_exit`. */
export function whenAnySentence(hooks: readonly PlanHook[]): string {
  const returns = hooks.some((hook) => hook.returns === true) ? ', and again when it returns' : '';
  return `one of ${many(hooks.length, 'function')} is reached${returns}: ${orList(shortened(hooks.map(placeOf), MAX_FUNCTIONS))}`;
}

const MAX_FUNCTIONS = 24;

function placeOf(hook: PlanHook): string {
  const { generated, target, user } = hook;
  if (generated?.from === 'syscalls') return 'any system call of the kernel';
  if (generated?.from === 'ftrace') return `any kernel function whose name matches /${generated.pattern}/`;
  switch (hook.kind) {
    case 'lsm':
      return `LSM hook ${target}`;
    case 'tracepoint':
      return `tracepoint ${target}`;
    case 'raw_tracepoint':
      return `raw tracepoint ${target}`;
    case 'kprobe':
      return hook.syscall ? `system call ${syscallText(target)}` : `kernel function ${target}`;
    case 'fentry':
      return `${hook.syscall ? `system call ${syscallText(target)}` : `kernel function ${target}`}, by fentry`;
    case 'uprobe':
      return `${userPlaces(user)} of the program ${target}`;
    case 'usdt':
      return `the probe ${user?.provider ?? ''}:${user?.name ?? ''} of the program ${target}`;
  }
}

function syscallText(target: string): string {
  const [abi, name] = target.includes('/') ? target.split('/') : [undefined, target];
  const short = (name ?? '').replace(/^sys_/, '');
  return abi === undefined ? short : `${short} of the ${abi} interface`;
}

function userPlaces(user: PlanHook['user']): string {
  const symbols = user?.symbols ?? [];
  if (symbols.length > 0) return `the ${symbols.length === 1 ? 'function' : 'functions'} ${andList(shortened(symbols))}`;
  const offsets = user?.offsets ?? [];
  if (offsets.length > 0) return `the ${offsets.length === 1 ? 'offset' : 'offsets'} ${andList(shortened(offsets))}`;
  const addresses = user?.addresses ?? [];
  return `the ${addresses.length === 1 ? 'address' : 'addresses'} ${andList(shortened(addresses))}`;
}

/** What events show: `argument 0 (file) as file`. */
export function readSentences(hook: PlanHook, names: ArgumentNames): readonly string[] {
  return hook.args
    .filter(({ type }) => type !== 'nop')
    .map((arg) => {
      const extras = [
        ...(arg.sizeIndex === undefined ? [] : [`as long as argument ${arg.sizeIndex} says`]),
        ...(arg.returnCopy === true ? ['read when the function returns'] : []),
        ...(arg.maxData === true ? [`up to ${MAX_DATA_BYTES} bytes`] : []),
      ];
      const type = arg.type === 'auto' ? 'as the kernel declares it' : `as ${arg.type}`;
      return [`${placeName(hook, arg, names)} ${type}`, ...extras].join(', ');
    });
}

const MAX_DATA_BYTES = 327_360;

export function remarksOf(hook: PlanHook): readonly string[] {
  return [
    ...(hook.ignoreMissing === true ? ['where the kernel or file lacks it, the hook is skipped'] : []),
    ...(hook.returnSocket === undefined
      ? []
      : [`the socket that the function returns is ${hook.returnSocket === 'track' ? "remembered as this process's" : 'forgotten'}`]),
    ...(hook.user?.digests === undefined
      ? []
      : [
          `only if the file has ${hook.user.digests.length === 1 ? 'the digest' : `one of ${many(hook.user.digests.length, 'digest')}`} that the policy allows`,
        ]),
    ...(hook.message === '' ? [] : [`events say: ${JSON.stringify(hook.message)}`]),
    ...(hook.tags.length === 0 ? [] : [`events are tagged ${andList(hook.tags)}`]),
  ];
}
