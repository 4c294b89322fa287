import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STRING_ROW_BYTES } from '../abi/map-rows.ts';
import { HookMemory } from './hook-memory.ts';
import { link } from './link.ts';
import type { LinkInput, LinkPolicy } from './link-input.ts';
import { testInput } from './testing/kernels.ts';
import { fileOpenPolicy, testPolicy } from './testing/policies.ts';
import { policySets } from './testing/policy-arbitraries.ts';

const sets = policySets({
  args: fc.constant([
    { index: 0, type: 'file', label: '' },
    { index: 1, type: 'int32', label: '' },
  ]),
  texts: ['/etc/', '/etc/passwd', '/e', '/srv/'],
  ints: [0n, 1n, -1n],
  binaries: ['/bin/sh', '/bin/cat', '/usr/bin/python3'],
  podNamespaces: ['default'],
  always: [],
  maxPolicies: 8,
});
const steps = fc.array(
  fc.record({
    chosen: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    modes: fc.array(fc.constantFrom('enforce' as const, 'monitor' as const), { minLength: 8, maxLength: 8 }),
    hostNamespaces: fc.constantFrom(
      [],
      Array.from({ length: 10 }, (_, i) => i + 1),
    ),
  }),
  { minLength: 2, maxLength: 6 },
);
const big = testPolicy(
  'big',
  `lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ${JSON.stringify(Array.from({ length: 500 }, (_, i) => `/data/${i}`))}}]
    matchActions: [{action: Post}]`,
);
const unlink = testPolicy(
  'unlink',
  `lsmhooks:
- hook: inode_unlink
  selectors: [{matchActions: [{action: Post}]}]`,
);

function rowsOf(policies: readonly LinkPolicy[], memory: HookMemory, changes: Partial<LinkInput> = {}): Buffer | undefined {
  return link(testInput(policies, changes), memory).hooks.find((hook) => hook.key === 'lsm:file_open')?.rows.strs;
}

describe('the memory of a link', () => {
  it('changes nothing of what is linked, whatever policies come and go', () => {
    fc.assert(
      fc.property(sets, steps, (policies, turns) => {
        const memory = new HookMemory();
        let { allocation } = testInput([]);
        for (const { chosen, modes, hostNamespaces } of turns) {
          const some = policies.flatMap((policy, i) => (chosen[i] === true ? [{ ...policy, mode: modes[i] ?? policy.mode }] : []));
          const input = testInput(some, { hostNamespaces, allocation });
          const node = link(input, memory);
          // Tables are large: vitest would compare them byte by byte.
          expect(isDeepStrictEqual(node, link(input))).toBe(true);
          allocation = node.allocation;
        }
      }),
      { numRuns: 50 },
    );
  }, 60_000);

  it('makes a hook once while its policies stay, although those of other hooks change', () => {
    const memory = new HookMemory();
    const first = rowsOf([big], memory);
    expect(rowsOf([big, unlink], memory) === first).toBe(true);
    expect(rowsOf([big], memory) === first).toBe(true);
  });

  it('makes a hook anew when a policy joins it, changes its mode, or the meaning of a number changes', () => {
    const memory = new HookMemory();
    const first = rowsOf([big], memory);
    const joined = rowsOf([big, fileOpenPolicy('etc', { prefix: '/etc/' })], memory);
    expect(joined?.length).toBe((first?.length ?? 0) + STRING_ROW_BYTES);
    const alone = rowsOf([big], memory);
    expect(first?.equals(alone ?? Buffer.alloc(0))).toBe(true);
    expect(rowsOf([{ ...big, mode: 'monitor' }], memory) === alone).toBe(false);
    expect(rowsOf([big], memory, { hostNamespaces: [1, 2, 3] }) === alone).toBe(false);
  });

  it('forgets hooks that nobody wants any more', () => {
    const memory = new HookMemory();
    const first = rowsOf([big], memory);
    expect(rowsOf([unlink], memory)).toBeUndefined();
    const again = rowsOf([big], memory);
    expect(first?.equals(again ?? Buffer.alloc(0))).toBe(true);
    expect(again === first).toBe(false);
  });
});
