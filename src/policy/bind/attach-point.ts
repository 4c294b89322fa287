import type { KernelFacts } from '../kernel-facts.ts';
import type { PlanArg, PlanHook } from '../plan.ts';
import { functionOfHook, hookOfFunction, sharedArguments } from './security-hooks.ts';
import type { PlanUserProbe } from '../plan-probes.ts';

/**
 * Where in the kernel a hook sits, whatever the policy called it: `kprobe:security_file_open` and `lsm:file_open` are one point, and share
 * one program.
 */
export type AttachPoint =
  | { readonly kind: 'security'; readonly lsmHook: string; readonly functionName: string }
  | { readonly kind: 'function'; readonly functionName: string }
  /** `name` without the kernel's own ABI: with a slash it is a call of another one. */
  | { readonly kind: 'syscall'; readonly name: string; readonly functionName: string }
  | { readonly kind: 'tracepoint'; readonly name: string }
  /** `name` as tracefs has it; programs attach by `event` alone. */
  | { readonly kind: 'raw_tracepoint'; readonly name: string; readonly event: string }
  /** In a program: the file, and the places in it. */
  | { readonly kind: 'user'; readonly file: string; readonly places: string };

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
      return { kind: 'security', lsmHook: hook.target, functionName: functionOfHook(hook.target) };
    case 'kprobe':
    case 'fentry':
      return functionPoint(hook, kernel);
  }
}

/** A fentry program sits on the function itself, also where the function stands for an LSM hook. */
function functionPoint(hook: PlanHook, kernel: KernelFacts): AttachPoint {
  if (hook.syscall) {
    return { kind: 'syscall', name: ownSyscall(hook.target, kernel.arch), functionName: syscallFunction(hook.target, kernel.arch) };
  }
  const lsmHook = hookOfFunction(hook.target);
  const isHook = hook.kind === 'kprobe' && lsmHook !== undefined && kernel.catalogue?.lsmHooks.has(lsmHook) !== false;
  return isHook && canStandIn(hook, lsmHook)
    ? { kind: 'security', lsmHook, functionName: hook.target }
    : { kind: 'function', functionName: hook.target };
}

function placesOf(user: PlanUserProbe | undefined): string {
  if (user === undefined) return '';
  if (user.provider !== undefined) return `${user.provider}:${user.name ?? ''}`;
  return [...(user.symbols ?? []), ...(user.offsets ?? []).map((offset) => `+${offset}`), ...(user.addresses ?? [])].join(',');
}

/** Whether hook and function have what the policy reads at the same places. */
export function canStandIn(hook: PlanHook, lsmHook: string): boolean {
  const shared = sharedArguments(lsmHook);
  return hook.args.every((arg) => isWithin(arg, shared));
}

function isWithin(arg: PlanArg, shared: number): boolean {
  const isOwn = arg.from === undefined || arg.from === 'return';
  return (!isOwn || arg.index < shared) && (arg.sizeIndex ?? -1) < shared;
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

const ABI_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['x64', '__x64_'],
  ['i386', '__ia32_'],
  ['arm64', '__arm64_'],
]);

/** `__x64_sys_execve` for `sys_execve` and `x64/sys_execve`, `__ia32_sys_execve` for `i386/sys_execve`. */
export function syscallFunction(name: string, arch: string): string {
  const [abi, call] = name.split('/');
  const prefix = call === undefined ? undefined : ABI_PREFIXES.get(abi ?? '');
  return prefix === undefined ? `${syscallPrefix(arch)}${name}` : `${prefix}${call ?? ''}`;
}

/** `sys_execve` of `x64/sys_execve` on x86-64: a system call of the kernel's own ABI. Others keep their prefix. */
export function ownSyscall(name: string, arch: string): string {
  const own = arch === 'aarch64' ? 'arm64/' : 'x64/';
  return name.startsWith(own) ? name.slice(own.length) : name;
}
