import { describe, expect, it } from 'vitest';
import { median, percentile } from './figures.ts';

describe('the median', () => {
  it('is the value in the middle, or between the two', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('a percentile', () => {
  it('is the value that so many in a hundred do not exceed', () => {
    expect(percentile([5, 1, 4, 2, 3], 99)).toBe(5);
    expect(percentile([5, 1, 4, 2, 3], 60)).toBe(3);
    expect(percentile([], 99)).toBeNaN();
  });
});
