/** What a loader that runs one linked set must be told to get to the next. */
import type { LinkedHook, LinkedNode } from './linked-node.ts';

export type HookChange = {
  readonly hook: LinkedHook;
  /** SHARE: nothing changed. HOOK: configuration or data changed; the loader keeps the program where the configuration is the same. */
  readonly send: 'SHARE' | 'HOOK';
};

/** Hooks of `previous` that are not named fall away with COMMIT. `previous` is null when it is not known what the loader runs. */
export function diffNodes(previous: LinkedNode | null, next: LinkedNode): readonly HookChange[] {
  const before = new Map(previous?.hooks.map((hook) => [hook.id, hook]));
  return next.hooks.map((hook) => {
    const old = before.get(hook.id);
    return { hook, send: old !== undefined && isSame(old, hook) ? 'SHARE' : 'HOOK' };
  });
}

function isSame(a: LinkedHook, b: LinkedHook): boolean {
  return (
    a.name === b.name &&
    a.configDigest === b.configDigest &&
    a.dataDigest === b.dataDigest &&
    a.methods.length === b.methods.length &&
    a.methods.every((method, i) => method === b.methods[i])
  );
}
