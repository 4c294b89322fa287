import { describe, expect, it } from 'vitest';
import { addTallies, cargoTally, closingLine, emptyTally, orOneFailure, vitestTally } from './tally.ts';

describe('the tally of all test runners', () => {
  it('reads what vitest reports', () => {
    const report = { numPassedTests: 4, numFailedTests: 1, numPendingTests: 2, numTodoTests: 0, numFailedTestSuites: 1 };
    expect(vitestTally(JSON.stringify(report))).toEqual({ passed: 4, failed: 1, skipped: 2 });
  });

  it('counts a test file that cannot be loaded as a failure', () => {
    expect(vitestTally('{"numPassedTests":3,"numFailedTests":0,"numFailedTestSuites":1}').failed).toBe(1);
  });

  it('adds up the test programs of cargo', () => {
    const output =
      'test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\nx\ntest result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured\n';
    expect(cargoTally(output)).toEqual({ passed: 7, failed: 3, skipped: 1 });
  });

  it('counts a runner that ended badly without naming a test as one failure', () => {
    expect(orOneFailure({ passed: 2, failed: 0, skipped: 0 }, 1).failed).toBe(1);
    expect(orOneFailure({ passed: 2, failed: 3, skipped: 0 }, 1).failed).toBe(3);
    expect(orOneFailure(emptyTally, 0)).toEqual(emptyTally);
  });

  it('ends with one plain line, which names skipped tests only if there are any', () => {
    expect(closingLine(addTallies({ passed: 1, failed: 0, skipped: 0 }, { passed: 2, failed: 1, skipped: 0 }))).toBe('3 passed, 1 failed');
    expect(closingLine({ passed: 1, failed: 0, skipped: 2 })).toBe('1 passed, 0 failed, 2 skipped');
  });
});
