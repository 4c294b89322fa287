import { describe, expect, it } from 'vitest';
import { atLeast } from './requirements.ts';

describe('versions of tools', () => {
  it('are compared by number', () => {
    expect(atLeast('1.26.8', '1.21')).toBe(true);
    expect(atLeast('1.9', '1.21')).toBe(false);
    expect(atLeast('1.21', '1.21')).toBe(true);
    expect(atLeast('2', '1.85')).toBe(true);
  });

  it('of a tool that is missing are too old', () => {
    expect(atLeast(undefined, '0.1')).toBe(false);
  });
});
