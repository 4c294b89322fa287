/** Gives the node-wide sets of all policies their numbers. */
import type { Plan, PlanFilter } from '../policy/plan.ts';
import type { NumberPicker } from './allocation.ts';
import { type Blamed, blame } from './blame.ts';
import type { LinkPolicy } from './link-input.ts';
import { NAMESPACED_SETS } from './namespace-share.ts';
import { keyedUses, type ProcessSet, SET_CHUNK_PLANES } from './process-sets.ts';
import { byteString, chunkHeads } from './string-trie.ts';

export type NumberedSet = { readonly key: string; readonly set: ProcessSet };

export type SetNumbers = {
  /** Numbers of the sets of one policy, as text; a failure names what does not fit. */
  add(policy: LinkPolicy): { readonly ok: true; readonly stamp: string } | { readonly ok: false; readonly failure: Blamed };
  /** By key. */
  readonly numbers: ReadonlyMap<string, number>;
  /** By number. */
  readonly sets: ReadonlyMap<number, NumberedSet>;
};

type PlanSet = NumberedSet & { readonly path: string; readonly chunks: readonly string[] };

export function createSetNumbers(picker: NumberPicker): SetNumbers {
  const numbers = new Map<string, number>();
  const sets = new Map<number, NumberedSet>();
  const chunks = new Set<string>();
  const ofNamespaces = new Set<string>();

  /** The set with which the policy asks for too much, and why it is; null: all of them fit. Those that fit have a number then. */
  function findExcess(own: readonly PlanSet[], policy: LinkPolicy): { readonly entry: PlanSet; readonly message: string } | null {
    const tooManyChunks = firstBeyond(own, chunks, SET_CHUNK_PLANES, (entry) => entry.chunks);
    if (tooManyChunks !== null) {
      return { entry: tooManyChunks, message: `paths of more than 255 bytes on this node are in more than ${SET_CHUNK_PLANES} pieces` };
    }
    const beyondShare = policy.ref.namespace === null ? null : firstBeyond(own, ofNamespaces, NAMESPACED_SETS, ({ key }) => [key]);
    if (beyondShare !== null) {
      const message = `policies of namespaces on this node name more than ${NAMESPACED_SETS} different sets of executables and process ids; the rest is for policies of the cluster`;
      return { entry: beyondShare, message };
    }
    const unnumbered = own.find(({ key }) => picker.numberOf(key) === null);
    if (unnumbered === undefined) return null;
    return { entry: unnumbered, message: 'policies of this node name more than 256 different sets of executables and process ids' };
  }

  return {
    add(policy) {
      const own = setsOf(policy.plan);
      const excess = findExcess(own, policy);
      if (excess !== null) {
        // What does not fit takes nothing from those that come after it.
        for (const { key } of own) if (!numbers.has(key)) picker.release(key);
        return { ok: false, failure: blame(policy, { reason: 'NodeSetBudget', path: excess.entry.path, message: excess.message }) };
      }
      const given = own.map(({ set, key, chunks: pieces }) => {
        const number = picker.numberOf(key) ?? 0;
        for (const piece of pieces) chunks.add(piece);
        if (policy.ref.namespace !== null) ofNamespaces.add(key);
        numbers.set(key, number);
        const known = sets.get(number);
        sets.set(number, known?.set.follows === true ? known : { key, set });
        return number;
      });
      return { ok: true, stamp: given.join() };
    },
    numbers,
    sets,
  };
}

/** The first that brings a sum of different things beyond what there may be; null: none does. */
function firstBeyond(
  own: readonly PlanSet[],
  before: ReadonlySet<string>,
  most: number,
  thingsOf: (entry: PlanSet) => readonly string[],
): PlanSet | null {
  const fresh = new Set<string>();
  for (const entry of own) {
    for (const thing of thingsOf(entry)) if (!before.has(thing)) fresh.add(thing);
    if (before.size + fresh.size > most) return entry;
  }
  return null;
}

/** Plans do not change: what was found in one holds as long as it is there. */
const remembered = new WeakMap<Plan, readonly PlanSet[]>();
const NO_FILTERS: readonly PlanFilter[] = [];

/** Each once, in the order of the plan. */
function setsOf(plan: Plan): readonly PlanSet[] {
  const known = remembered.get(plan);
  if (known !== undefined) return known;
  const found = new Map<string, PlanSet>();
  for (const selector of plan.hooks.flatMap((hook) => hook.selectors)) {
    for (const { set, key } of [...keyedUses(selector.filters), ...keyedUses(selector.returnFilters ?? NO_FILTERS)]) {
      const follows = set.follows || found.get(key)?.set.follows === true;
      found.set(key, { key, set: { ...set, follows }, path: selector.path, chunks: chunksOf(set) });
    }
  }
  const list = [...found.values()];
  remembered.set(plan, list);
  return list;
}

/** Beginnings of long paths: each takes a plane of the map of paths. */
function chunksOf({ how, values }: ProcessSet): readonly string[] {
  if (how === 'pid' || how === 'innermostPid') return [];
  return chunkHeads(values.map(byteString)).map((head) => `${how === 'postfix' ? '<' : '>'}${head}`);
}
