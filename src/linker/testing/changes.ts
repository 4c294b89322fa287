/** Random changes of the policies of a node, one at a time. */
import type { LinkPolicy } from '../link-input.ts';
import type { Random } from './random.ts';
import { randomPolicies } from './random-policies.ts';

export type Change = {
  readonly what: 'add' | 'remove' | 'replace' | 'mode';
  readonly uid: string;
  readonly policies: readonly LinkPolicy[];
};

/** `step` makes what is new differ from all before. */
export function randomChange(random: Random, policies: readonly LinkPolicy[], step: number): Change {
  const [fresh] = randomPolicies(random, 1, `step-${step}-${random.int(1 << 30)}`);
  if (fresh === undefined) throw new Error('no policy was drawn');
  if (policies.length === 0 || random.oneIn(2)) {
    const uid = `added-${step}`;
    const added = { ...fresh, ref: { ...fresh.ref, uid, name: uid } };
    return { what: 'add', uid, policies: [...policies, added] };
  }
  const old = random.pick(policies);
  const { uid } = old.ref;
  switch (random.int(3)) {
    case 0:
      return { what: 'remove', uid, policies: policies.filter((policy) => policy !== old) };
    case 1: {
      const ref = { ...fresh.ref, uid, name: old.ref.name, generation: old.ref.generation + 1 };
      return { what: 'replace', uid, policies: policies.map((policy) => (policy === old ? { ...fresh, ref } : policy)) };
    }
    default: {
      const mode = old.mode === 'enforce' ? 'monitor' : 'enforce';
      return { what: 'mode', uid, policies: policies.map((policy) => (policy === old ? { ...old, mode } : policy)) };
    }
  }
}
