/** Plans made by hand, for tests of `bind` alone: the whole language, whether it compiles from a spec yet or not. */
import type { Plan, PlanAction, PlanArg, PlanArgType, PlanFilter, PlanHook, PlanHookKind, PlanSection, PlanSelector } from '../../plan.ts';

const SECTIONS: Readonly<Record<PlanHookKind, PlanSection>> = {
  kprobe: 'kprobes',
  lsm: 'lsmhooks',
  tracepoint: 'tracepoints',
  raw_tracepoint: 'tracepoints',
  fentry: 'fentries',
  uprobe: 'uprobes',
  usdt: 'usdts',
};

/** `kprobe:tcp_connect`, `lsm:file_open`, `kprobe:sys_openat` (a system call), `tracepoint:sched/sched_switch`, `uprobe:/bin/bash`. */
export function hookOn(text: string, members: Partial<PlanHook> = {}): PlanHook {
  const [kind, target] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  if (!isKind(kind)) throw new Error(`${kind} is no kind of hook`);
  const isUser = kind === 'uprobe' || kind === 'usdt';
  const path = `spec.${SECTIONS[kind]}[0]`;
  return {
    kind,
    section: SECTIONS[kind],
    index: 0,
    path,
    target,
    syscall: (kind === 'kprobe' || kind === 'fentry') && target.startsWith('sys_'),
    ...(isUser ? { user: { file: target, symbols: ['main'] } } : {}),
    message: '',
    tags: [],
    args: [],
    selectors: [{ path, filters: [], actions: [{ type: 'post' }] }],
    ...members,
  };
}

function isKind(text: string): text is PlanHookKind {
  return Object.hasOwn(SECTIONS, text);
}

export function arg(index: number, type: PlanArgType, members: Partial<PlanArg> = {}): PlanArg {
  return { index, type, label: '', ...members };
}

/** One selector that matches and does this. */
export function doing(...actions: readonly PlanAction[]): { readonly selectors: readonly PlanSelector[] } {
  return { selectors: [{ path: 'spec.selectors[0]', filters: [], actions }] };
}

/** One selector with these filters, which posts. */
export function filtering(...filters: readonly PlanFilter[]): { readonly selectors: readonly PlanSelector[] } {
  return { selectors: [{ path: 'spec.selectors[0]', filters, actions: [{ type: 'post' }] }] };
}

export const DENY: PlanAction = { type: 'override', errno: -1 };
export const KILL: PlanAction = { type: 'sigkill' };

export function planOf(hook: PlanHook | readonly PlanHook[], members: Partial<Plan> = {}, options: Partial<Plan['options']> = {}): Plan {
  return {
    format: 1,
    scope: { namespace: null, podSelector: null },
    options: { onUnknown: null, onPending: 'wait', substitute: 'none', eventRatePerSecond: 1000, ...options },
    hooks: 'kind' in hook ? [hook] : hook,
    ...members,
  };
}
