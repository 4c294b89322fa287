import { decodeSelector, type LinkedNode } from '../../linker/linked-node.ts';
import type { Plan } from '../../policy/plan.ts';
import type { MatchMeaning, MatchPlace, Meanings } from '../events/meaning.ts';

/** What the numbers of one generation mean. */
type Page = {
  readonly generation: number;
  /** `hook policy hookIndex` → meaning. */
  readonly matches: ReadonlyMap<string, MatchMeaning>;
  readonly names: ReadonlyMap<number, string>;
};

/** Records in the rings are at most a few flips old. */
const GENERATIONS = 8;

/** Keeps the meaning of the last generations: records of an older one arrive after the flip. */
export class MeaningBook implements Meanings {
  #pages: readonly Page[] = [];

  /** To be called before the flip. `plans`: by policy uid. */
  add(generation: number, linked: LinkedNode, plans: ReadonlyMap<string, Plan>): void {
    const page = makePage(generation, linked, plans);
    this.#pages = [page, ...this.#pages.filter((old) => old.generation !== generation)].slice(0, GENERATIONS);
  }

  match(place: MatchPlace): MatchMeaning | undefined {
    const { generation, hookId, policy, selector } = place;
    const key = matchKey(place.isLate ? 'late' : hookId, policy, decodeSelector(selector).hookIndex);
    // Numbers are stable, so a generation from before a restart of the agent is read with the oldest page there is.
    const page = this.#pages.find((one) => one.generation === generation) ?? this.#pages.at(-1);
    return page?.matches.get(key);
  }

  policyName(policy: number): string | undefined {
    for (const page of this.#pages) {
      const name = page.names.get(policy);
      if (name !== undefined) return name;
    }
    return undefined;
  }
}

function makePage(generation: number, linked: LinkedNode, plans: ReadonlyMap<string, Plan>): Page {
  const policies = new Map(linked.policies.map((policy) => [policy.ref.uid, policy]));
  const matches = new Map<string, MatchMeaning>();
  for (const hook of linked.hooks) {
    for (const member of hook.members) {
      const policy = policies.get(member.uid);
      const planHook = plans.get(member.uid)?.hooks[member.hookIndex];
      if (policy === undefined || planHook === undefined) continue;
      matches.set(matchKey(member.late ? 'late' : hook.id, member.policyNumber, member.hookIndex), {
        policyName: policy.ref.name,
        policyNamespace: policy.ref.namespace,
        policyUid: policy.ref.uid,
        mode: policy.mode,
        hook: planHook,
        slotOfArg: member.argSlots,
      });
    }
  }
  return { generation, matches, names: new Map(linked.policies.map((policy) => [policy.number, policy.ref.name])) };
}

/** Records of the late companion of an execve hook carry the id of the entry hook, and the slots of their own. */
function matchKey(hook: number | 'late', policy: number, hookIndex: number): string {
  return `${hook} ${policy} ${hookIndex}`;
}
