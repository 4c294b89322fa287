/** Where users find what a plan says. */
import type { PlanHook, PlanHookKind } from '../plan.ts';

const NAME_FIELDS: Readonly<Record<PlanHookKind, string>> = {
  kprobe: 'call',
  fentry: 'call',
  lsm: 'hook',
  tracepoint: 'event',
  raw_tracepoint: 'event',
  uprobe: 'path',
  usdt: 'name',
};

/** `spec.kprobes[0].call`. */
export function nameField(hook: PlanHook): string {
  return `${hook.path}.${NAME_FIELDS[hook.kind]}`;
}

/** `spec.kprobes[0].args[1]`, `spec.kprobes[0].data[0]`, `spec.kprobes[0].returnArg`: a plan lists arguments, then data, then the return value. */
export function argField(hook: PlanHook, position: number): string {
  const arg = hook.args[position];
  if (arg?.from === 'return') return `${hook.path}.returnArg`;
  return arg?.from === undefined ? `${hook.path}.args[${position}]` : `${hook.path}.data[${arg.index}]`;
}
