import { createHash } from 'node:crypto';
import { PlanStore } from '../nodeagent/state/plan-store.ts';
import type { Entry } from '../protocol/hub-frames.ts';
import { setDigest } from '../protocol/set-digest.ts';
import type { CheckedPolicy } from './policy-files.ts';

type GoodPolicy = Extract<CheckedPolicy, { ok: true }>;

/** Policies of files as a hub would have sent them. An object that was never stored gets a uid from its name. */
export function entriesOf(policies: readonly GoodPolicy[]): Entry[] {
  return policies.map(({ policy, compiled }) => ({
    uid: createHash('sha256')
      .update(`${policy.kind}/${policy.namespace ?? ''}/${policy.name}`)
      .digest('hex')
      .slice(0, 36),
    kind: policy.kind,
    namespace: policy.namespace,
    name: policy.name,
    generation: Math.max(1, policy.generation),
    digest: compiled.digest,
    mode: compiled.mode,
  }));
}

/** Fills a plan store, so that an agent that opens it runs these policies. */
export async function storePolicies(folder: string, maxBytes: number, policies: readonly GoodPolicy[]): Promise<readonly Entry[]> {
  const entries = entriesOf(policies);
  const store = new PlanStore({ folder, maxBytes });
  await store.open();
  const digests = new Set(policies.map(({ compiled }) => compiled.digest));
  for (const { compiled } of policies) await store.putPlan(compiled.digest, compiled.text, digests);
  await store.putState({ set: setDigest(entries), epoch: 0, entries, loaded: {} });
  if (store.fault !== null) throw new Error(`cannot write ${folder}: ${store.fault}`);
  return entries;
}
