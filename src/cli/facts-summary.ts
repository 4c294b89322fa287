import { isFmodRetUsable, isLsmUsable } from '../policy/bind/methods.ts';
import { FACTS, type KernelFacts, hasFact } from '../policy/kernel-facts.ts';
import type { NamedKernel } from './kernel-choice.ts';

/** What people ask of a kernel; its names are counted only. */
export type FactsSummary = Omit<KernelFacts, 'catalogue' | 'config'> & {
  readonly name: string;
  /** Where a policy can deny here: `LSM hooks`, `system calls`, … */
  readonly denies: readonly string[];
  readonly names: { readonly functions: number; readonly lsmHooks: number; readonly tracepoints: number };
  readonly config: Readonly<Record<string, string>>;
};

export function summarizeFacts({ name, facts: kernel }: NamedKernel): FactsSummary {
  const { catalogue, config = {}, ...rest } = kernel;
  return {
    name,
    ...rest,
    denies: deniesOf(kernel),
    names: {
      functions: catalogue?.functions.size ?? 0,
      lsmHooks: catalogue?.lsmHooks.size ?? 0,
      tracepoints: catalogue?.tracepoints.size ?? 0,
    },
    config,
  };
}

/** As `bind` decides (bind/deny.ts). */
function deniesOf(kernel: KernelFacts): readonly string[] {
  const byFmodRet = isFmodRetUsable(kernel);
  return [
    ...(isLsmUsable(kernel) || byFmodRet ? ['LSM hooks'] : []),
    ...(byFmodRet && kernel.facts['fmod_ret_syscall'] !== false ? ['system calls'] : []),
    ...(hasFact(kernel, 'uprobe_write') ? ['user probes'] : []),
  ];
}

/** Fact, its value, and what it means; those that this version knows first, each in the order of the list. */
export function abilityRows({ facts }: Pick<FactsSummary, 'facts'>): readonly (readonly [fact: string, value: string, meaning: string])[] {
  const meanings: ReadonlyMap<string, string> = new Map(Object.entries(FACTS));
  const others = Object.keys(facts).filter((fact) => !meanings.has(fact));
  return [...meanings.keys(), ...others].map((fact) => [fact, shownFact(facts[fact]), meanings.get(fact) ?? '']);
}

export function shownFact(value: boolean | string | undefined): string {
  if (value === undefined || value === false) return 'no';
  return value === true ? 'yes' : value;
}
