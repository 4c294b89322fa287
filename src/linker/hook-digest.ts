/** What a fused hook is made from, as one digest: equal digests give equal hooks, so that the one from the last link can be used again. */
import { createHash } from 'node:crypto';
import { memberQueries } from './hook-choice.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import { keyedUses } from './process-sets.ts';
import type { Prototype } from './prototype.ts';

/** Changes when the linker makes something else of the same input: what an older version made is not used then. */
const LINKER_VERSION = 1;

export function hookInputDigest(input: HookInput): string {
  const { id, entryId, key, lane, convention, methods, hostNamespaces, decidesLate, syscallNumber, target, companionOf } = input;
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify([LINKER_VERSION, id, entryId, key, lane, convention, methods, hostNamespaces, decidesLate, syscallNumber, target]),
  );
  hash.update(prototypeText(input.prototype));
  for (const member of input.members) {
    hash.update(memberText(member));
    hash.update(setsText(member, input.sets));
    for (const query of memberQueries(member.hook)) hash.update(`${query}=${prototypeText(input.prototypes.get(query))}`);
  }
  if (companionOf !== null) {
    hash.update(JSON.stringify([companionOf.convention, prototypeText(companionOf.prototype)]));
    for (const member of companionOf.members) hash.update(memberText(member));
  }
  return hash.digest('hex');
}

/** `digest` stands for the plan, and the plan for the hook. */
function memberText({ policy, policyNumber, hookIndex, methods, part, substituted }: HookMemberInput): string {
  const denies = methods.map((method) => method.deny).join();
  return `|${[policy.ref.uid, policy.ref.namespace ?? '', policy.digest, policy.mode, policyNumber, hookIndex, part, substituted ? 1 : 0, denies].join('/')}`;
}

function setsText(member: HookMemberInput, sets: ReadonlyMap<string, number>): string {
  let text = '';
  for (const selector of member.hook.selectors) {
    for (const filters of [selector.filters, selector.returnFilters ?? []]) {
      if (!filters.some((filter) => filter.on === 'binary' || filter.on === 'pid')) continue;
      for (const { key } of keyedUses(filters)) text += `${key}:${sets.get(key) ?? ''},`;
    }
  }
  return text;
}

const prototypeTexts = new WeakMap<Prototype, string>();

function prototypeText(prototype: Prototype | null | undefined): string {
  if (prototype === null || prototype === undefined) return String(prototype);
  const known = prototypeTexts.get(prototype) ?? JSON.stringify(prototype);
  prototypeTexts.set(prototype, known);
  return known;
}
