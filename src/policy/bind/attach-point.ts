import type { KernelFacts } from '../kernel-facts.ts';
import type { PlanHook } from '../plan.ts';
import type { PlanUserProbe } from '../plan-probes.ts';

/**
 * Where in the kernel a hook sits, whatever the policy called it: `kprobe:security_file_open` and `lsm:file_open` are one point, and share
 * one program.
 */
export type AttachPoint =
  | { readonly kind: 'security'; readonly lsmHook: string; readonly functionName: string }
  | { readonly kind: 'function'; readonly functionName: string }
  | { readonly kind: 'syscall'; readonly name: string; readonly functionName: string }
  | { readonly kind: 'tracepoint'; readonly name: string }
  /** `name` as tracefs has it; programs attach by `event` alone. */
  | { readonly kind: 'raw_tracepoint'; readonly name: string; readonly event: string }
  /** In a program: the file, and the places in it. */
  | { readonly kind: 'user'; readonly file: string; readonly places: string };

/** LSM hooks whose security_* function has another name. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['bprm_check_security', 'security_bprm_check'],
  ['settime', 'security_settime64'],
  ['vm_enough_memory', 'security_vm_enough_memory_mm'],
]);
const HOOK_OF_FUNCTION: ReadonlyMap<string, string> = new Map([...OTHER_NAMES].map(([hook, name]) => [name, hook]));

/** Here hook and function number their arguments differently, so that one cannot stand in for the other. */
const OTHER_ARGUMENTS: ReadonlySet<string> = new Set([
  'mmap_file',
  'vm_enough_memory',
  'inode_init_security',
  'inode_getsecurity',
  'inode_copy_up_xattr',
  'socket_getpeersec_stream',
  'socket_getpeersec_dgram',
  'sk_alloc_security',
  'sk_free_security',
  'secid_to_secctx',
]);

export function attachPointOf(hook: PlanHook, kernel: KernelFacts): AttachPoint {
  switch (hook.kind) {
    case 'tracepoint':
      return { kind: 'tracepoint', name: hook.target };
    case 'raw_tracepoint':
      return { kind: 'raw_tracepoint', name: hook.target, event: hook.target.slice(hook.target.indexOf('/') + 1) };
    case 'uprobe':
    case 'usdt':
      return { kind: 'user', file: hook.user?.file ?? hook.target, places: placesOf(hook.user) };
    case 'lsm':
      return { kind: 'security', lsmHook: hook.target, functionName: OTHER_NAMES.get(hook.target) ?? `security_${hook.target}` };
    case 'kprobe':
    case 'fentry':
      return functionPoint(hook, kernel);
  }
}

/** A fentry program sits on the function itself, also where the function stands for an LSM hook. */
function functionPoint(hook: PlanHook, kernel: KernelFacts): AttachPoint {
  if (hook.syscall) {
    return { kind: 'syscall', name: hook.target, functionName: `${syscallPrefix(kernel.arch)}${hook.target}` };
  }
  const lsmHook = lsmHookOf(hook.target);
  const isHook = hook.kind === 'kprobe' && lsmHook !== undefined && kernel.catalogue?.lsmHooks.has(lsmHook) !== false;
  return isHook && canStandIn(hook, lsmHook)
    ? { kind: 'security', lsmHook, functionName: hook.target }
    : { kind: 'function', functionName: hook.target };
}

/** The LSM hook that a security_* function calls. */
function lsmHookOf(functionName: string): string | undefined {
  return HOOK_OF_FUNCTION.get(functionName) ?? /^security_(.+)$/.exec(functionName)?.[1];
}

function placesOf(user: PlanUserProbe | undefined): string {
  if (user === undefined) return '';
  if (user.provider !== undefined) return `${user.provider}:${user.name ?? ''}`;
  return [...(user.symbols ?? []), ...(user.offsets ?? []).map((offset) => `+${offset}`), ...(user.addresses ?? [])].join(',');
}

/** Whether hook and function read the same arguments at the same places. */
export function canStandIn(hook: PlanHook, lsmHook: string): boolean {
  return hook.args.length === 0 || !OTHER_ARGUMENTS.has(lsmHook);
}

/** One text per point; equal texts share a program. A fentry never shares one with a kprobe. */
export function attachPointKey(point: AttachPoint): string {
  switch (point.kind) {
    case 'security':
      return `lsm:${point.lsmHook}`;
    case 'function':
      return `kprobe:${point.functionName}`;
    case 'syscall':
      return `syscall:${point.name}`;
    case 'tracepoint':
      return `tracepoint:${point.name}`;
    case 'raw_tracepoint':
      return `raw_tracepoint:${point.event}`;
    case 'user':
      return `user:${point.file}:${point.places}`;
  }
}

/** What the architecture puts before `sys_execve`. */
export function syscallPrefix(arch: string): string {
  return arch === 'aarch64' ? '__arm64_' : '__x64_';
}
