/**
 * What the last link made of each hook. Every change of any policy links the whole node anew, and a hook may have tens of thousands of
 * values: one whose policies are what they were is not made again. What is remembered is a function of what is compared, so a link with a
 * memory gives exactly what one without gives.
 */
import type { HookInput, HookMemberInput } from './hook-input.ts';
import type { LinkResult } from './link-failure.ts';
import type { LinkedHook } from './linked-node.ts';

type Result = LinkResult<LinkedHook>;
type Remembered = { readonly input: HookInput; readonly result: Result };

export class HookMemory {
  #last: ReadonlyMap<string, Remembered> = new Map();
  #next = new Map<string, Remembered>();

  /** `make` is called for a hook that is not what it was. */
  recall(input: HookInput, make: (input: HookInput) => Result): Result {
    const last = this.#next.get(input.key) ?? this.#last.get(input.key);
    const result = last !== undefined && isSameHook(last.input, input) ? last.result : make(input);
    this.#next.set(input.key, { input, result });
    return result;
  }

  /** The link is done: hooks that it had no use for are forgotten. */
  settle(): void {
    this.#last = this.#next;
    this.#next = new Map();
  }
}

function isSameHook(a: HookInput, b: HookInput): boolean {
  return (
    a.id === b.id &&
    a.entryId === b.entryId &&
    a.key === b.key &&
    a.decidesLate === b.decidesLate &&
    a.syscallNumber === b.syscallNumber &&
    isSameList(a.methods, b.methods) &&
    isSameList(a.hostNamespaces, b.hostNamespaces) &&
    agree(a.binarySets, b.binarySets) &&
    isSamePlace(a, b) &&
    (a.lateOf === null || b.lateOf === null ? a.lateOf === b.lateOf : isSamePlace(a.lateOf, b.lateOf))
  );
}

type Place = Pick<HookInput, 'members' | 'convention' | 'prototype'>;

function isSamePlace(a: Place, b: Place): boolean {
  return (
    a.convention === b.convention &&
    a.prototype === b.prototype &&
    a.members.length === b.members.length &&
    a.members.every((member, i) => isSameMember(member, b.members[i]))
  );
}

/** Plans are compared by identity: an agent reads a plan once and keeps it. An equal one that was read again is linked again. */
function isSameMember(a: HookMemberInput, b: HookMemberInput | undefined): boolean {
  return (
    b !== undefined &&
    a.policy.plan === b.policy.plan &&
    a.hook === b.hook &&
    a.policy.ref.uid === b.policy.ref.uid &&
    a.policy.ref.namespace === b.policy.ref.namespace &&
    a.policy.mode === b.policy.mode &&
    a.policy.digest === b.policy.digest &&
    a.policyNumber === b.policyNumber &&
    a.hookIndex === b.hookIndex &&
    a.late === b.late &&
    a.substituted === b.substituted &&
    JSON.stringify(a.methods) === JSON.stringify(b.methods)
  );
}

/** The sets that both links have bear the same numbers. Equal members use sets that are in both. */
function agree(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  for (const [key, number] of a) {
    const other = b.get(key);
    if (other !== undefined && other !== number) return false;
  }
  return true;
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
