import { describe, expect, it } from 'vitest';
import { PROBLEM_CODES } from './problem-codes.ts';
import { REASONS, findReason, isReason } from './reasons.ts';

describe('reasons and codes', () => {
  it('are unique CamelCase words that fit a condition', () => {
    for (const list of [REASONS, PROBLEM_CODES]) {
      const names = list.map((entry) => entry.name);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) {
        expect(name).toMatch(/^[A-Z][A-Za-z0-9]{1,62}$/);
      }
    }
  });

  it('a summary is one clause, so that it fits into a sentence', () => {
    for (const { summary } of REASONS) {
      expect(summary).toMatch(/^[a-z"].*[^.]$/);
      expect(summary.length).toBeLessThanOrEqual(160);
    }
  });

  it('what a node of another version says may be no reason of ours', () => {
    expect(findReason('LSMNotEnabled')).toMatchObject({ blame: 'policy', terminal: true });
    expect([isReason('LSMNotEnabled'), isReason('FluxCapacitorMissing'), isReason('constructor')]).toEqual([true, false, false]);
  });

  it("blames the node for what is the node's fault", () => {
    const blamed = ['PermissionDenied', 'LoaderUnavailable', 'BTFUnavailable', 'KernelLockdown', 'MemoryLimit', 'ResourceBusy'];
    expect(blamed.map((name) => findReason(name)?.blame)).toEqual(blamed.map(() => 'node'));
  });

  it('blames the policy for a refusal that has no name: whoever waits for it must hear that it does not run', () => {
    expect(findReason('LoadError')).toMatchObject({ blame: 'policy', terminal: false });
  });
});
