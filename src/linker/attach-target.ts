/** How a hook is reached: which methods share one configuration, and what the fused hook is called. */
import type { BoundMethod } from '../policy/bind/methods.ts';
import type { AttachMethod } from '../policy/kernel-facts.ts';

/**
 * Where the engine finds arguments. `context`: words of a typed context. `registers`: of the function call. `record`: fields of a
 * cooked tracepoint's record.
 */
export type Convention = 'context' | 'registers' | 'record';

const CONVENTIONS: Readonly<Record<AttachMethod, Convention>> = {
  lsm: 'context',
  fmod_ret: 'context',
  fentry: 'context',
  raw_tracepoint: 'context',
  raw_tp_sys_enter: 'registers',
  kprobe: 'registers',
  kprobe_multi: 'registers',
  tracepoint: 'record',
};

/** The loader has programs for these; `bind` may name others, which are passed over. */
const LOADABLE: ReadonlySet<AttachMethod> = new Set(['lsm', 'fmod_ret', 'kprobe_multi', 'kprobe', 'raw_tp_sys_enter', 'tracepoint']);

export function isLoadable(method: AttachMethod): boolean {
  return LOADABLE.has(method);
}

export function conventionOf(method: AttachMethod): Convention {
  return CONVENTIONS[method];
}

/** Methods of one family take the same configuration, so the loader may choose among them by trying. */
export function familyOf(method: AttachMethod): string {
  return method === 'kprobe_multi' ? 'kprobe' : method;
}

/** As HOOK requests spell it: `lsm:file_open`, `kprobe_multi:__x64_sys_execve`, `tracepoint:sched/sched_switch`. */
export function methodText(choice: Pick<BoundMethod, 'method' | 'target'>): string {
  return choice.method === 'raw_tp_sys_enter' ? 'raw_tp:sys_enter' : `${choice.method}:${choice.target}`;
}

/**
 * Hooks with the same key are fused. Those that override return values are apart from those that only watch or kill: fewer ways of
 * attaching suit them, and a hook keeps its way for as long as it exists.
 */
export function hookKey(choice: Pick<BoundMethod, 'method' | 'target' | 'deny'>): string {
  return `${familyOf(choice.method)}${choice.deny === 'override_return' ? '_override' : ''}:${choice.target}`;
}

/** Name of the pin directory: at most 120 characters of `[a-z0-9_]`; the id makes it unique. */
export function pinName(id: number, key: string): string {
  return `h${id}_${key.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`.slice(0, 120);
}
