import type { KernelCatalogue, KernelFacts } from '../policy/kernel-facts.ts';
import { shownFact } from './facts-summary.ts';

/** What one kernel has and the other has not. */
export type FactsDifference = {
  /** `facts`, `functions`, `lsmHooks` … */
  readonly about: string;
  readonly left: readonly string[];
  readonly right: readonly string[];
};

/** Empty: nothing that `bind` looks at by name differs. Signatures of functions are not compared. */
export function diffFacts(left: KernelFacts, right: KernelFacts): readonly FactsDifference[] {
  return [
    difference('kernel', identityOf(left), identityOf(right)),
    difference('facts', factsOf(left), factsOf(right)),
    difference('options of the build', optionsOf(left), optionsOf(right)),
    ...NAMES.map(([about, names]) => difference(about, names(left.catalogue), names(right.catalogue))),
  ].filter((entry) => entry.left.length > 0 || entry.right.length > 0);
}

type Names = (catalogue: KernelCatalogue | null) => Iterable<string>;
const NAMES: readonly (readonly [about: string, names: Names])[] = [
  ['LSM hooks', (catalogue) => catalogue?.lsmHooks ?? []],
  ['tracepoints', (catalogue) => catalogue?.tracepoints ?? []],
  ['functions that may be made to fail', (catalogue) => catalogue?.errorInjectable ?? []],
  ['functions', (catalogue) => catalogue?.functions ?? []],
];

function difference(about: string, left: Iterable<string>, right: Iterable<string>): FactsDifference {
  const [ours, theirs] = [new Set(left), new Set(right)];
  return { about, left: [...ours.difference(theirs)].toSorted(), right: [...theirs.difference(ours)].toSorted() };
}

function identityOf({ release, arch, lsm, preempt }: KernelFacts): readonly string[] {
  return [`release ${release}`, `arch ${arch}`, `preemption ${preempt}`, `active LSMs ${lsm.join(',')}`];
}

function factsOf({ facts }: KernelFacts): readonly string[] {
  return Object.entries(facts).map(([fact, value]) => `${fact}: ${shownFact(value)}`);
}

function optionsOf({ config = {} }: KernelFacts): readonly string[] {
  return Object.entries(config).map(([option, value]) => `${option}=${value}`);
}
