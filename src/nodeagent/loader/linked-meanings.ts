/** What numbers in hook records mean, for the generations whose records may still arrive. */
import { decodeSelector, type LinkedNode } from '../../linker/linked-node.ts';
import type { LinkPolicy } from '../../linker/link-input.ts';
import type { MatchMeaning, Meanings } from '../events/meaning.ts';

export type LinkedMeanings = Meanings & {
  /** From now on records of this generation may come. */
  add(generation: number, node: LinkedNode, plans: readonly LinkPolicy[]): void;
};

/** Generations whose records may still be in flight: the rings are drained within seconds, flips are rarely closer than that. */
const KEPT_GENERATIONS = 16;

/** No record has a slot of this number: the argument is not in the event. */
const NO_SLOT = 255;

type Generation = { readonly matches: ReadonlyMap<string, MatchMeaning>; readonly names: ReadonlyMap<number, string> };

export function createLinkedMeanings(): LinkedMeanings {
  const generations = new Map<number, Generation>();
  let latest: Generation | undefined;
  return {
    add(generation, node, plans) {
      latest = meaningsOf(node, plans);
      generations.delete(generation);
      generations.set(generation, latest);
      for (const old of generations.keys()) {
        if (generations.size <= KEPT_GENERATIONS) break;
        generations.delete(old);
      }
    },
    match(generation, hookId, policy, selector) {
      const { hookIndex } = decodeSelector(selector);
      return (generations.get(generation) ?? latest)?.matches.get(`${hookId}/${policy}/${hookIndex}`);
    },
    policyName: (policy) => latest?.names.get(policy),
  };
}

function meaningsOf(node: LinkedNode, plans: readonly LinkPolicy[]): Generation {
  const policies = new Map(plans.map((policy) => [policy.ref.uid, policy]));
  const matches = new Map<string, MatchMeaning>();
  // Records of late hooks carry the entry hook's id and its slot numbers.
  for (const hook of node.hooks.filter(({ id, recordHook }) => id === recordHook)) {
    for (const member of hook.members) {
      const policy = policies.get(member.uid);
      const planHook = policy?.plan.hooks[member.hookIndex];
      if (policy === undefined || planHook === undefined) continue;
      const { name, namespace, uid } = policy.ref;
      matches.set(`${hook.id}/${member.policyNumber}/${member.hookIndex}`, {
        policyName: name,
        policyNamespace: namespace,
        policyUid: uid,
        mode: policy.mode,
        hook: planHook,
        slotOfArg: member.argSlots.map((slot) => slot ?? NO_SLOT),
      });
    }
  }
  const names = new Map(
    node.policies.map((entry) => [
      entry.number,
      entry.ref.namespace === null ? entry.ref.name : `${entry.ref.namespace}/${entry.ref.name}`,
    ]),
  );
  return { matches, names };
}
