import type { LinkPolicy } from '../src/linker/link-input.ts';
import { testPolicy } from '../src/linker/testing/policies.ts';

/**
 * Policies on one hook, each with two selectors of four path prefixes that the measured file has none of, and with a set of binaries in
 * the second: what ebpf-engine.md §2 measured.
 */
export function pathPolicies(count: number, scope: 'all processes' | 'pods only'): readonly LinkPolicy[] {
  return Array.from({ length: count }, (_, i) => {
    const prefixes = (kind: string): string => JSON.stringify(['a', 'b', 'c', 'd'].map((leaf) => `/t/${kind}-${i}/${leaf}/`));
    return testPolicy(
      `bench-${i}`,
      `${scope === 'pods only' ? 'podSelector: {matchLabels: {app: web}}\n' : ''}lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: ${prefixes('denied')}}]
    matchActions: [{action: Override, argError: -1}]
  - matchArgs: [{index: 0, operator: Prefix, values: ${prefixes('watched')}}]
    matchBinaries: [{operator: NotIn, values: [/usr/bin/trusted-${i % 8}, /usr/bin/known]}]
    matchActions: [{action: Post}]`,
    );
  });
}

/** Denies opening any of so many files. */
export function manyPaths(count: number): LinkPolicy {
  const paths = Array.from({ length: count }, (_, i) => `/data/folder-${i % 977}/file-${i}`);
  return testPolicy(
    'many-paths',
    `lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Equal, values: ${JSON.stringify(paths)}}]
    matchActions: [{action: Override, argError: -1}]`,
  );
}

/** Reports every open below a folder, without a limit. */
export function reportOpens(prefix: string): LinkPolicy {
  return testPolicy(
    'report-opens',
    `options: [{name: palisade.dev/event-rate, value: 1000000/s}]
lsmhooks:
- hook: file_open
  args: [{index: 0, type: file}]
  selectors:
  - matchArgs: [{index: 0, operator: Prefix, values: [${prefix}]}]
    matchActions: [{action: Post}]`,
  );
}
