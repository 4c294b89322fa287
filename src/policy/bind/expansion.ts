/** What a hook that stands for many functions stands for on a kernel. */
import type { KernelFacts } from '../kernel-facts.ts';
import { LIMITS } from '../limits.ts';
import { compileNamePattern } from '../name-pattern.ts';
import type { PlanHook } from '../plan.ts';
import type { BindFailure } from './bound-hook.ts';
import { nameField } from './fields.ts';
import { syscallNames } from './missing-name.ts';

/** Null: the hook is one function, or the kernel's names are not known. Names as in `target`, sorted. */
export function expand(hook: PlanHook, kernel: KernelFacts): readonly string[] | BindFailure | null {
  const { generated } = hook;
  if (generated === undefined || kernel.catalogue === null) return null;
  const field = nameField(hook);
  const { functions } = kernel.catalogue;
  const names = generated.from === 'syscalls' ? [...syscallNames(functions, kernel.arch)] : matching(generated.pattern, functions);
  if (names === null) return { reason: 'FunctionNotFound', field, message: `the pattern of ${hook.target} cannot be read` };
  if (names.length === 0)
    return { reason: 'FunctionNotFound', field, message: `this kernel has no function that ${hook.target} stands for` };
  if (names.length > LIMITS.hooksPerPolicy) {
    const message = `${hook.target} stands for ${names.length} functions on this kernel; at most ${LIMITS.hooksPerPolicy} fit one policy, so make its pattern narrower`;
    return { reason: 'SetTooLarge', field, message };
  }
  return names.toSorted();
}

function matching(pattern: string, functions: Iterable<string>): string[] | null {
  const compiled = compileNamePattern(pattern);
  return compiled.ok ? [...functions].filter((name) => compiled.matches(name)) : null;
}
