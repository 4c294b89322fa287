/** What a fused hook is made from, as one digest: equal digests give equal hooks, so that the one from the last link can be used again. */
import { createHash } from 'node:crypto';
import { memberQueries } from './hook-choice.ts';
import type { HookInput, HookMemberInput } from './hook-input.ts';
import type { Prototype } from './prototype.ts';

export function hookInputDigest(input: HookInput): string {
  const { id, entryId, key, lane, convention, methods, hostNamespaces, decidesLate, syscallNumber, target, arch, companionOf } = input;
  const parts: string[] = [
    JSON.stringify([id, entryId, key, lane, convention, methods, hostNamespaces, decidesLate, syscallNumber, target, arch]),
    prototypeText(input.prototype),
  ];
  for (const member of input.members) {
    parts.push(memberText(member));
    if (!member.hook.args.some((arg) => arg.resolve !== undefined)) continue;
    for (const query of memberQueries(member.hook)) parts.push(`${query}=${prototypeText(input.prototypes.get(query))}`);
  }
  if (companionOf !== null) {
    parts.push(companionOf.convention, prototypeText(companionOf.prototype), ...companionOf.members.map(memberText));
  }
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function memberText({ stamp, hookIndex, methods, part, substituted }: HookMemberInput): string {
  return `${stamp} ${hookIndex} ${part} ${substituted ? 1 : 0} ${methods.map((method) => method.deny).join()}`;
}

const prototypeTexts = new WeakMap<Prototype, string>();

function prototypeText(prototype: Prototype | null | undefined): string {
  if (prototype === null || prototype === undefined) return String(prototype);
  const known = prototypeTexts.get(prototype) ?? JSON.stringify(prototype);
  prototypeTexts.set(prototype, known);
  return known;
}
