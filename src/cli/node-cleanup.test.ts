import { describe, expect, it } from 'vitest';
import { missingAgents } from './node-cleanup.ts';

describe('before Palisade is removed', () => {
  it('a node without an agent is no node that confirmed', () => {
    expect(missingAgents({ image: 'palisade', nodeCount: 3 }, 2)).toBe(
      '1 of 3 nodes has no agent that could be asked; what is pinned there stays in force',
    );
  });

  it('nothing is missing where all have one, and where agents were removed before', () => {
    expect(missingAgents({ image: 'palisade', nodeCount: 3 }, 3)).toBe(undefined);
    expect(missingAgents(null, 0)).toBe(undefined);
  });
});
