import { parseSyscall } from '../compile/symbols.ts';
import { compileNamePattern } from '../name-pattern.ts';
import { nearestNames } from '../nearest.ts';
import type { Plan, PlanHook, PolicyMode } from '../plan.ts';

/** A policy that is in force in a test. */
export type TestedPolicy = {
  /** `name`, or `namespace/name`. */
  readonly name: string;
  readonly plan: Plan;
  readonly mode: PolicyMode;
};

export type TestedHook = { readonly policy: TestedPolicy; readonly hook: PlanHook };

export type HookChoice =
  | { readonly ok: true; readonly name: string; readonly hooks: readonly TestedHook[] }
  | { readonly ok: false; readonly message: string; readonly hint?: string };

/** `lsm:file_open`, `kprobe:sys_openat`, `uprobe:/bin/bash:readline`: what is called. One for most; a uprobe has one for each place. */
export function hookNames(hook: PlanHook): readonly string[] {
  const { kind, target, user, generated } = hook;
  if (generated !== undefined) return [`${kind}:list:${target}`];
  if (kind === 'usdt') return [`usdt:${user?.file ?? target}:${user?.provider ?? ''}:${user?.name ?? ''}`];
  if (kind !== 'uprobe') return [`${kind}:${target}`];
  const places = [...(user?.symbols ?? []), ...(user?.offsets ?? []), ...(user?.addresses ?? [])];
  return places.map((place) => `uprobe:${user?.file ?? target}:${place}`);
}

export function hookName(hook: PlanHook): string {
  return hookNames(hook)[0] ?? `${hook.kind}:${hook.target}`;
}

/** The hooks that a call goes through: all of the same name, in all policies. */
export function chooseHooks(policies: readonly TestedPolicy[], wanted: string | undefined): HookChoice {
  const all = policies.flatMap((policy) => policy.plan.hooks.map((hook) => ({ policy, hook })));
  const names = [...new Set(all.flatMap(({ hook }) => hookNames(hook)))];
  if (wanted === undefined) {
    const [only, ...others] = new Set(all.map(({ hook }) => hookName(hook)));
    if (only === undefined) return { ok: false, message: 'the policy has no hook: there is nothing to call' };
    if (others.length === 0) return { ok: true, name: only, hooks: all };
    return { ok: false, message: 'is required: the policies have several hooks', hint: `one of ${listed(names)}` };
  }
  const byPath = wanted.startsWith('spec.');
  const found = byPath ? firstOfEach(all, wanted) : all.filter(({ hook }) => isCalled(hook, wanted));
  const [first] = found;
  if (first === undefined) {
    const [near] = nearestNames(wanted, [...names, ...all.map(({ hook }) => hook.path)], 1);
    const hint = near === undefined ? `they have ${listed(names)}` : `did you mean ${JSON.stringify(near)}?`;
    return { ok: false, message: `${JSON.stringify(wanted.slice(0, 120))} is no hook of the policies`, hint };
  }
  const different = byPath && found.some(({ hook }) => hookName(hook) !== hookName(first.hook));
  if (different) {
    const hint = `write ${listed([...new Set(found.map(({ hook }) => hookName(hook)))])}`;
    return { ok: false, message: `${JSON.stringify(wanted)} is another hook in each policy`, hint };
  }
  return { ok: true, name: byPath ? hookName(first.hook) : wanted, hooks: found };
}

/** A list of functions has one hook for each, which differ in nothing else. */
function firstOfEach(all: readonly TestedHook[], path: string): readonly TestedHook[] {
  const found = all.filter(({ hook }) => hook.path === path);
  return found.filter(({ policy }, at) => found.findIndex((other) => other.policy === policy) === at);
}

function isCalled(hook: PlanHook, wanted: string): boolean {
  if (hookNames(hook).includes(wanted)) return true;
  const [kind = '', ...rest] = wanted.split(':');
  const name = rest.join(':');
  if (kind !== hook.kind) return false;
  if (hook.generated?.from === 'syscalls') return parseSyscall(name) !== undefined;
  if (hook.generated?.from === 'ftrace') {
    const pattern = compileNamePattern(hook.generated.pattern);
    return pattern.ok && pattern.matches(name);
  }
  return hook.syscall && parseSyscall(name) === hook.target;
}

const MAX_LISTED = 12;

function listed(names: readonly string[]): string {
  return names.length <= MAX_LISTED ? names.join(', ') : `${names.slice(0, MAX_LISTED).join(', ')}, …`;
}
