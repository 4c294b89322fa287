/** What a loader that runs one linked set must be told to get to the next. */
import type { LinkedHook, LinkedNode } from './linked-node.ts';

export type HookChange = {
  readonly hook: LinkedHook;
  /** SHARE: nothing changed. DATA: only tables did, the verified program stays. HOOK: it is new, or its configuration changed. */
  readonly send: 'SHARE' | 'DATA' | 'HOOK';
};

/** Hooks of `previous` that are not named fall away with COMMIT. `previous` is null when it is not known what the loader runs. */
export function diffNodes(previous: LinkedNode | null, next: LinkedNode): readonly HookChange[] {
  const before = new Map(previous?.hooks.map((hook) => [hook.id, hook]));
  return next.hooks.map((hook) => ({ hook, send: changeOf(before.get(hook.id), hook) }));
}

/** A hook that the linker took over from the link before is the same object. */
function changeOf(old: LinkedHook | undefined, now: LinkedHook): HookChange['send'] {
  if (old === now) return 'SHARE';
  const isSameProgram =
    old !== undefined &&
    old.name === now.name &&
    old.configDigest === now.configDigest &&
    old.methods.length === now.methods.length &&
    old.methods.every((method, i) => method === now.methods[i]);
  if (!isSameProgram) return 'HOOK';
  return old.dataDigest === now.dataDigest ? 'SHARE' : 'DATA';
}
