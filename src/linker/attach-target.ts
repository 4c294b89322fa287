/** How a hook is reached: which methods share one configuration, and what the fused hook is called. */
import type { BoundMethod } from '../policy/bind/methods.ts';
import type { AttachMethod } from '../policy/kernel-facts.ts';
import type { LinkTarget } from './link-target.ts';

/**
 * Where the engine finds arguments. `context`: words of a typed context. `registers`: of the function call. `record`: fields of a
 * cooked tracepoint's record.
 */
export type Convention = 'context' | 'registers' | 'record';

const CONVENTIONS: Readonly<Record<AttachMethod, Convention>> = {
  lsm: 'context',
  fmod_ret: 'context',
  fentry: 'context',
  fexit: 'context',
  raw_tracepoint: 'context',
  tp_btf: 'context',
  raw_tp_sys_enter: 'registers',
  kprobe: 'registers',
  kprobe_multi: 'registers',
  kprobe_session: 'registers',
  kretprobe: 'registers',
  kretprobe_multi: 'registers',
  uprobe: 'registers',
  uprobe_multi: 'registers',
  uretprobe: 'registers',
  uretprobe_multi: 'registers',
  tracepoint: 'record',
};

/** The loader has programs for these; `bind` may name others, which are passed over. */
const LOADABLE: ReadonlySet<AttachMethod> = new Set(['lsm', 'fmod_ret', 'kprobe_multi', 'kprobe', 'raw_tp_sys_enter', 'tracepoint']);

export function isLoadable(method: AttachMethod, target: LinkTarget): boolean {
  return target.tables === 'all' || LOADABLE.has(method);
}

/** How the return of a hook is watched that is entered by a method; methods that are missing here see no return. */
const RETURN_METHODS: Readonly<Partial<Record<AttachMethod, AttachMethod>>> = {
  lsm: 'fexit',
  fmod_ret: 'fexit',
  fentry: 'fexit',
  kprobe: 'kretprobe',
  kprobe_multi: 'kretprobe_multi',
  uprobe: 'uretprobe',
  uprobe_multi: 'uretprobe_multi',
};

export function returnMethodText(choice: Pick<BoundMethod, 'method' | 'target'>): string | null {
  const method = RETURN_METHODS[choice.method];
  return method === undefined ? null : `${method}:${choice.target}`;
}

export function conventionOf(method: AttachMethod): Convention {
  return CONVENTIONS[method];
}

/** Methods of one family take the same configuration, so the loader may choose among them by trying. */
export function familyOf(method: AttachMethod): string {
  return method === 'kprobe_multi' ? 'kprobe' : method === 'uprobe_multi' ? 'uprobe' : method;
}

/** As HOOK requests spell it: `lsm:file_open`, `kprobe_multi:__x64_sys_execve`, `tracepoint:sched/sched_switch`. */
export function methodText(choice: Pick<BoundMethod, 'method' | 'target'>): string {
  return choice.method === 'raw_tp_sys_enter' ? 'raw_tp:sys_enter' : `${choice.method}:${choice.target}`;
}

/** `single`: the policy wants its probe alone although the kernel has links for many. */
export type HookSharing = 'any' | 'single';

/**
 * Hooks with the same key are fused. Those that override return values, and those that are to have a probe alone, are apart from the
 * others: fewer ways of attaching suit them, and a hook keeps its way for as long as it exists.
 */
export function hookKey(
  choice: Pick<BoundMethod, 'method' | 'target' | 'deny'>,
  place = choice.target,
  sharing: HookSharing = 'any',
): string {
  const kind = choice.deny === 'override_return' ? '_override' : sharing === 'single' ? '_single' : '';
  return `${familyOf(choice.method)}${kind}:${place}`;
}

/** The first engine on an attach point has the plain key. */
export function laneKey(key: string, lane: number): string {
  return lane === 0 ? key : `${key}#${lane + 1}`;
}

/** Name of the pin directory: at most 120 characters of `[a-z0-9_]`; the id makes it unique. */
export function pinName(id: number, key: string): string {
  return `h${id}_${key.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`.slice(0, 120);
}
