import { expect, it } from 'vitest';
import { link } from './link.ts';
import type { LinkPolicy } from './link-input.ts';
import { testInput } from './testing/kernels.ts';
import { fileOpenPolicy, testPolicy } from './testing/policies.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
const tenant = { namespace: 'team-a' };

/** Why policies are left out that come when those of a namespace are linked already. */
function refusedBeside(tenants: readonly LinkPolicy[], newcomers: readonly LinkPolicy[]): readonly (readonly string[])[] {
  const before = link(testInput(tenants));
  const node = link(testInput([...tenants, ...newcomers], { allocation: before.allocation }), before);
  return node.problems.map(({ uid, reason }) => [uid, reason]);
}

const selectors = (count: number, selector: (i: number) => string): string => `[${range(count).map(selector).join(', ')}]`;

it('namespaces cannot use up the errors of a hook', () => {
  const errors = (name: string, from: number, count: number): LinkPolicy =>
    testPolicy(
      name,
      `lsmhooks: [{hook: file_open, selectors: ${selectors(count, (i) => `{matchActions: [{action: Override, argError: ${-from - i}}]}`)}}]`,
      tenant,
    );
  const denies = fileOpenPolicy('cluster', { prefix: '/etc/' });
  expect(refusedBeside([errors('a', 2, 6)], [denies])).toEqual([]);
  expect(refusedBeside([errors('a', 2, 4), errors('b', 6, 4)], [denies])).toEqual([[expect.stringMatching(/^[ab]$/), 'TooManyActions']]);
});

it('namespaces cannot use up the sets of executables of a node', () => {
  const binaries = (name: string, count: number): LinkPolicy =>
    testPolicy(
      name,
      `kprobes: [{call: f_${name}, syscall: false, selectors: ${selectors(count, (i) => `{matchBinaries: [{operator: In, values: [/${name}/${i}]}]}`)}}]`,
      tenant,
    );
  const cluster = fileOpenPolicy('cluster', { prefix: '/etc/', binaries: ['/bin/sh'] });
  const tenants = ['a', 'b', 'c'].map((name) => binaries(name, 64));
  expect(refusedBeside(tenants, [cluster])).toEqual([]);
  expect(refusedBeside([...tenants, binaries('d', 64)], [cluster])).toEqual([[expect.stringMatching(/^[abcd]$/), 'NodeSetBudget']]);
});

it('a policy that asks for too many sets takes none from those that come after it', () => {
  const binaries = (name: string, count: number, options?: { readonly namespace: string }): LinkPolicy =>
    testPolicy(
      name,
      `kprobes: [{call: f_${name}, syscall: false, selectors: ${selectors(count, (i) => `{matchBinaries: [{operator: In, values: [/${name}/${i}]}]}`)}}]`,
      options,
    );
  const full = ['a', 'b', 'c'].map((name) => binaries(name, 60));
  const small = ['g', 'h', 'i', 'j'].map((name) => binaries(name, 1));
  expect(refusedBeside(full, [...small, binaries('large', 64), binaries('other', 64)])).toEqual([
    [expect.stringMatching(/^(large|other)$/), 'NodeSetBudget'],
  ]);
});

it('namespaces cannot use up the lookups of a hook', () => {
  const onArgs = (name: string, type: string, indexes: readonly number[], filters: number): LinkPolicy =>
    testPolicy(
      name,
      `kprobes: [{call: f, syscall: false, args: [${indexes.map((index) => `{index: ${index}, type: ${type}}`).join(', ')}], selectors: [{matchArgs: [${indexes
        .flatMap((index) => range(filters).map((i) => `{index: ${index}, operator: Equal, values: ["${i + 1}"]}`))
        .join(', ')}]}]}]`,
      tenant,
    );
  const cluster = testPolicy(
    'cluster',
    'kprobes: [{call: f, syscall: false, args: [{index: 5, type: uint64}], selectors: [{matchArgs: [{index: 5, operator: Equal, values: ["1"]}]}]}]',
  );
  const tenants = ['int8', 'int16', 'int32', 'int64'].map((type, i) => onArgs(`p${i}`, type, [0, 1], 7));
  expect(refusedBeside(tenants.slice(0, 3), [cluster])).toEqual([]);
  // With the scope's lookup all 64.
  const all = [...tenants, onArgs('p4', 'uint8', [0], 7)];
  const refused = refusedBeside(all, [cluster]);
  expect(refused.length).toBeGreaterThan(0);
  for (const entry of refused) expect(entry).toEqual([expect.stringMatching(/^p\d$/), 'TooManyPlanes']);
});
