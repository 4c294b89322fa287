import type { KubeClient } from '../../kube/client.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { type PolicyItem, projectPolicy } from './policy-item.ts';
import { POLICY_KINDS, policyType } from './policy-types.ts';

/** All policies of both kinds, by policy key. */
export type PolicyCache = {
  readonly informers: readonly Informer<PolicyItem>[];
  find(key: string): PolicyItem | undefined;
  keys(): Iterable<string>;
  onChange(callback: (key: string) => void): void;
};

export type PolicyCacheOptions = { readonly client: KubeClient; readonly clock: Clock; readonly log: Log; readonly metrics: Metrics };

export function createPolicyCache(options: PolicyCacheOptions): PolicyCache {
  const byKey = new Map<string, PolicyItem>();
  const callbacks: ((key: string) => void)[] = [];
  const informers = POLICY_KINDS.map((kind) =>
    createInformer<PolicyItem>({
      ...options,
      type: policyType(kind),
      selection: { namespace: null },
      project: (object) => projectPolicy(kind, object),
    }),
  );
  for (const informer of informers) {
    informer.addHandlers({
      onChange: (change) => {
        const { item } = change;
        if (change.type !== 'deleted') {
          byKey.set(item.key, item);
        } else if (byKey.get(item.key)?.uid === item.uid) {
          byKey.delete(item.key);
        }
        for (const callback of callbacks) {
          callback(item.key);
        }
      },
    });
  }
  return {
    informers,
    find: (key) => byKey.get(key),
    keys: () => byKey.keys(),
    onChange: (callback) => void callbacks.push(callback),
  };
}
