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

  function place({ set, key, path, chunks: own }: PlanSet, policy: LinkPolicy): number | Blamed {
    for (const chunk of own) chunks.add(chunk);
    if (chunks.size > SET_CHUNK_PLANES) {
      const message = `paths of more than 255 bytes on this node are in more than ${SET_CHUNK_PLANES} pieces`;
      return blame(policy, { reason: 'NodeSetBudget', path, message });
    }
    if (policy.ref.namespace !== null) ofNamespaces.add(key);
    if (policy.ref.namespace !== null && ofNamespaces.size > NAMESPACED_SETS) {
      const message = `policies of namespaces on this node name more than ${NAMESPACED_SETS} different sets of executables and process ids; the rest is for policies of the cluster`;
      return blame(policy, { reason: 'NodeSetBudget', path, message });
    }
    const number = picker.numberOf(key);
    if (number === null) {
      const message = 'policies of this node name more than 256 different sets of executables and process ids';
      return blame(policy, { reason: 'NodeSetBudget', path, message });
    }
    numbers.set(key, number);
    const known = sets.get(number);
    sets.set(number, known?.set.follows === true ? known : { key, set });
    return number;
  }

  return {
    add(policy) {
      const own: number[] = [];
      for (const entry of setsOf(policy.plan)) {
        const number = place(entry, policy);
        if (typeof number !== 'number') return { ok: false, failure: number };
        own.push(number);
      }
      return { ok: true, stamp: own.join() };
    },
    numbers,
    sets,
  };
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
