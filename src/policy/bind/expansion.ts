/** What a hook that stands for many functions stands for on a kernel. */
import type { KernelFacts } from '../kernel-facts.ts';
import { LIMITS } from '../limits.ts';
import type { PlanHook } from '../plan.ts';
import type { BindFailure } from './bound-hook.ts';
import { nameField } from './fields.ts';
import { syscallNames } from './missing-name.ts';
import { MAX_PATTERNS, type NameSearch } from './name-search.ts';

/** Null: the hook is one function, or the kernel's names are not known or cannot be listed. Names as in `target`, sorted. */
export function expand(hook: PlanHook, kernel: KernelFacts, search: NameSearch): readonly string[] | BindFailure | null {
  const { generated, target } = hook;
  if (generated === undefined || kernel.catalogue === null) return null;
  const fail = (reason: BindFailure['reason'], message: string): BindFailure => ({ reason, field: nameField(hook), message });
  const { functions } = kernel.catalogue;
  if (!canList(functions)) return null;
  const names = generated.from === 'syscalls' ? [...syscallNames(functions, kernel.arch)] : search.matching(generated.pattern, functions);
  if (names === 'unreadable') return fail('FunctionNotFound', `the pattern of ${target} is no regular expression`);
  if (names === 'too many')
    return fail('SetTooLarge', `the policy has more than ${MAX_PATTERNS} patterns that the kernel's functions are compared with`);
  if (names === 'too slow')
    return fail('SetTooLarge', `comparing the kernel's functions with the pattern of ${target} takes too long, so make it simpler`);
  if (names.length === 0) return fail('FunctionNotFound', `this kernel has no function that ${target} stands for`);
  if (names.length <= LIMITS.hooksPerPolicy) return names.toSorted();
  const message = `${target} stands for ${names.length} functions on this kernel; at most ${LIMITS.hooksPerPolicy} fit one policy, so make its pattern narrower`;
  return fail('SetTooLarge', message);
}

/** The webhook's sets have a size and say whether a name is there, and list none. */
function canList(names: ReadonlySet<string>): boolean {
  return names.size === 0 || names.values().next().done !== true;
}
