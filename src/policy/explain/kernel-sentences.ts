import type { BoundHook } from '../bind/bound-hook.ts';
import { andList } from './words.ts';

export type KernelExplanation = {
  /** Kernels for which all of this is the same. */
  readonly kernels: readonly string[];
  readonly loads: boolean;
  readonly sentences: readonly string[];
};

/** Pure: what a policy comes to on kernels; those on which it is the same are told together. */
export function explainKernels(
  bound: readonly { readonly kernel: string; readonly hooks: readonly BoundHook[] }[],
): readonly KernelExplanation[] {
  const told = bound.map(({ kernel, hooks }) => ({ kernel, loads: loadsAll(hooks), sentences: sentencesOf(hooks) }));
  const groups = Map.groupBy(told, ({ loads, sentences }) => JSON.stringify([loads, sentences]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [{ kernels: group.map(({ kernel }) => kernel), loads: first.loads, sentences: first.sentences }];
  });
}

function loadsAll(hooks: readonly BoundHook[]): boolean {
  return hooks.every(({ failure }) => failure === null);
}

const EFFECTS = { deny: 'denies', kill: 'kills', observe: 'observes', none: 'does nothing' } as const;

function sentencesOf(hooks: readonly BoundHook[]): readonly string[] {
  const failures = hooks.flatMap(({ failure }) => (failure === null ? [] : [`${failure.field}: ${failure.message} (${failure.reason})`]));
  if (failures.length > 0) return ['does not load', ...new Set(failures)];
  const notes = hooks.flatMap((hook) => hook.notes.map(({ field, message, reason }) => `${field}: ${message} (${reason})`));
  return [`loads, and ${waysOf(hooks)}`, ...new Set(notes)];
}

/** `denies (lsm) and observes (kprobe_multi)`. */
function waysOf(hooks: readonly BoundHook[]): string {
  const byEffect = Map.groupBy(hooks, ({ effective }) => effective);
  return andList(
    (['deny', 'kill', 'observe', 'none'] as const).flatMap((effective) => {
      const those = byEffect.get(effective);
      if (those === undefined) return [];
      const methods = new Set(
        those.flatMap(({ methods: [best], returnMethods: [back] }) => [best?.method ?? [], back?.method ?? []].flat()),
      );
      return [`${EFFECTS[effective]}${methods.size === 0 ? '' : ` (${[...methods].join(', ')})`}`];
    }),
  );
}
