import { describe, expect, it } from 'vitest';
import { matchesLabels } from './label-match.ts';
import type { LabelRequirement } from './plan.ts';

const expression = (operator: LabelRequirement['operator'], values: string[] = []) => ({
  matchLabels: {},
  matchExpressions: [{ key: 'app', operator, values }],
});

describe('label selectors', () => {
  it('an empty one selects everything', () => {
    expect(matchesLabels({ matchLabels: {}, matchExpressions: [] }, {})).toBe(true);
  });

  it.each([
    [expression('In', ['web', 'db']), { app: 'web' }, true],
    [expression('In', ['web']), {}, false],
    [expression('NotIn', ['web']), { app: 'web' }, false],
    [expression('NotIn', ['web']), {}, true],
    [expression('Exists'), { app: '' }, true],
    [expression('Exists'), {}, false],
    [expression('DoesNotExist'), {}, true],
    [expression('DoesNotExist'), { app: 'web' }, false],
    [{ matchLabels: { app: 'web', tier: 'x' }, matchExpressions: [] }, { app: 'web' }, false],
  ])('%j on %j: %s', (selector, labels, expected) => {
    expect(matchesLabels(selector, labels)).toBe(expected);
  });

  it('a label is one only if the object has it, not if every object has it', () => {
    const selector = { matchLabels: {}, matchExpressions: [{ key: 'constructor', operator: 'Exists' as const, values: [] }] };
    expect(matchesLabels(selector, {})).toBe(false);
  });
});
