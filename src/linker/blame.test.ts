import { describe, expect, it } from 'vitest';
import { identityOf } from './bit-order.ts';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import { testInput } from './testing/kernels.ts';
import { testPolicy } from './testing/policies.ts';

const TYPES = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'];

/** `lookups`: how many each function's hook needs, of a type that nobody else reads. */
function wanting(name: string, type: number, lookups: Readonly<Record<string, number>>): LinkPolicy {
  const hooks = Object.entries(lookups).map(([call, count]) => {
    const indexes = Array.from({ length: Math.ceil(count / 16) }, (_, index) => index);
    const filters = indexes.flatMap((index) =>
      Array.from({ length: Math.min(16, count - 16 * index) }, (_, i) => `{index: ${index}, operator: Equal, values: ["${i + 1}"]}`),
    );
    const args = indexes.map((index) => `{index: ${index}, type: ${TYPES[type] ?? ''}}`);
    const selectors = indexes.map((index) => `{matchArgs: [${filters.slice(16 * index, 16 * index + 16).join(', ')}]}`);
    return `{call: ${call}, syscall: false, args: [${args.join(', ')}], selectors: [${selectors.join(', ')}]}`;
  });
  return testPolicy(name, `kprobes: [${hooks.join(', ')}]`);
}

/** Of policies that were never linked, those of lesser identity are admitted first. */
const [older = '', newer = ''] = ['p', 'q'].toSorted((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
const base = wanting('base', 0, { f: 48 });

function refusedOf(...newcomers: readonly LinkPolicy[]): readonly string[] {
  const before = link(testInput([base]));
  return link(testInput([base, ...newcomers], { allocation: before.allocation }), before).problems.map(({ uid }) => uid);
}

describe('what does not fit beside the others keeps out nobody who does', () => {
  it('on one hook: one that asks for too much is no reason against a modest one that comes later', () => {
    expect(refusedOf(wanting(older, 1, { f: 32 }), wanting(newer, 2, { f: 1 }))).toEqual([older]);
    expect(refusedOf(wanting(older, 1, { f: 10 }), wanting(newer, 2, { f: 10 }))).toEqual([newer]);
  });

  it('on another hook: what leaves one hook leaves all of them', () => {
    expect(refusedOf(wanting(older, 1, { f: 32, g: 32 }), wanting(newer, 2, { g: 40 }))).toEqual([older]);
  });

  it('nor does a policy that grows push out one that runs', () => {
    const [small, other] = [wanting(older, 1, { f: 4 }), wanting(newer, 2, { f: 4 })];
    const before = link(testInput([base, small, other]));
    const next = [base, other].map((policy): LinkPolicy => ({ ...policy, runs: true }));
    const input = testInput([...next, wanting(older, 1, { f: 13 })], { allocation: before.allocation });
    expect(link(input, before).problems.map(({ uid }) => uid)).toEqual([older]);
    expect(link(input).problems.map(({ uid }) => uid)).toEqual([older]);
  });

  it('neither for its selectors', () => {
    const selectors = (count: number): string => `[${Array.from({ length: count }, () => '{matchActions: [{action: Post}]}').join(', ')}]`;
    const on = (name: string, counts: Readonly<Record<string, number>>): LinkPolicy =>
      testPolicy(
        name,
        `kprobes: [${Object.entries(counts)
          .flatMap(([call, count]) =>
            [64, 64, 64, 64].slice(0, count).map((n) => `{call: ${call}, syscall: false, selectors: ${selectors(n)}}`),
          )
          .join(', ')}]`,
      );
    const full = on('full', { f: 3 });
    const before = link(testInput([full]));
    const { problems } = link(testInput([full, on(older, { f: 2, g: 2 }), on(newer, { g: 3 })], { allocation: before.allocation }), before);
    expect(problems.map(({ uid, reason }) => [uid, reason])).toEqual([[older, 'HookSelectorBudget']]);
  });
});
