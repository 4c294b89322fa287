import { describe, expect, test } from 'vitest';
import { faultTexts, healthFault, type NodeState } from './node-faults.ts';

const WELL: NodeState = { storeFault: null, exportFault: null, applyFault: null, unclassedPods: 0, isPurged: false };

describe('What is wrong with a node', () => {
  test('is nothing on a healthy one', () => {
    expect([healthFault(WELL), faultTexts(WELL)]).toEqual([{}, []]);
  });

  test('is told when policies about pods do not see all of them: that must not go unnoticed', () => {
    const crowded = { ...WELL, unclassedPods: 3 };
    expect(healthFault(crowded)).toEqual({ fault: 'ScopeClassBudget' });
    expect(faultTexts(crowded)).toEqual(['more different pods than can be told apart: policies about pods do not see 3 of them']);
  });

  test('is told to people in full, and to the hub by its worst', () => {
    const ill: NodeState = {
      storeFault: 'no space left on device',
      exportFault: 'no space left on device',
      applyFault: { reason: 'ResourceBusy', message: 'another process holds it' },
      unclassedPods: 1,
      isPurged: true,
    };
    expect(healthFault(ill)).toEqual({ fault: 'CacheUnwritable' });
    expect(faultTexts(ill)).toHaveLength(5);
    expect(healthFault({ ...ill, storeFault: null })).toEqual({ fault: 'ResourceBusy' });
  });
});
