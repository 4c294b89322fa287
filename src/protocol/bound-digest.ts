import { createHash } from 'node:crypto';

/** How one policy is attached: per hook, by the hook's path in the spec, the method used. */
export type BoundPolicy = {
  readonly uid: string;
  readonly hooks: readonly { readonly path: string; readonly method: string }[];
};

/**
 * Digest of the attach methods of a node's policies, whatever order they come in. The agent computes it over what it really did for
 * the policies that have no row in its report, the hub over what `bind(plan, facts)` with an unknown catalogue predicts for the same.
 */
export function boundDigest(policies: Iterable<BoundPolicy>): string {
  const lines = Array.from(policies, (policy) => {
    const hooks = policy.hooks.map((hook) => [hook.path, hook.method]).toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
    return JSON.stringify([policy.uid, hooks]);
  }).toSorted();
  return createHash('sha256').update(lines.join('\n'), 'utf8').digest('hex');
}
