import { describe, expect, it } from 'vitest';
import { readRecorded } from '../testing/recorded-kernels.ts';
import { createNameSearch, MAX_PATTERNS } from './name-search.ts';

const names = [...(readRecorded('7.x').catalogue?.functions ?? [])];
const SLOW = '(.{7}|[aeiou].{13}|[rst_].{5}){60}Q';

describe('the functions that a pattern stands for', () => {
  it.each(['^vfs_', '[a-z]+_[a-z]+_[a-z]+_init$', '(alloc|free|map|unmap|lock|unlock|create|destroy).*(page|dev|device|node|inode)s?$'])(
    'are found by usual patterns: %s',
    (pattern) => {
      const found = createNameSearch().matching(pattern, names);
      expect(found).toEqual(names.filter((name) => new RegExp(pattern).test(name)));
    },
  );

  it('are not looked for as long as a pattern made for it would take', () => {
    expect(createNameSearch().matching(SLOW, names)).toBe('too slow');
  });

  it('take no more for many slow patterns than for one, in whatever order they come', () => {
    const search = createNameSearch();
    expect(search.matching('^vfs_', names)).not.toBe('too slow');
    const slow = Array.from({ length: MAX_PATTERNS - 1 }, (_, index) => search.matching(`${SLOW}${index}`, names));
    expect(new Set(slow)).toEqual(new Set(['too slow']));
    expect(search.matching('^vfs_', names)).not.toBe('too slow');
    expect(search.matching('^one_more', names)).toBe('too many');
  });
});
