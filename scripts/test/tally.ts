/** How many tests a runner has run, by their outcome. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 };

export function addTallies(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** A step that is no test runner, or a runner that ended badly without saying which test failed, counts as one failure. */
export function orOneFailure(tally: Tally, status: number): Tally {
  return status !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

/** Reads the report of vitest's JSON reporter. */
export function vitestTally(report: string): Tally {
  const parsed: unknown = JSON.parse(report);
  const count = (name: string): number => {
    const value: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, name) : undefined;
    return typeof value === 'number' ? value : 0;
  };
  // A file that cannot be loaded has no tests, and yet has failed.
  const failed = Math.max(count('numFailedTests'), count('numFailedTestSuites') > 0 ? 1 : 0);
  return { passed: count('numPassedTests'), failed, skipped: count('numPendingTests') + count('numTodoTests') };
}

/** Adds up the closing lines of `cargo test`: one for each of its test programs. */
export function cargoTally(output: string): Tally {
  const lines = output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm);
  return [...lines].reduce(
    (sum, [, passed, failed, skipped]) => addTallies(sum, { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }),
    emptyTally,
  );
}

/** The one closing line over all runners. */
export function closingLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed${tally.skipped > 0 ? `, ${tally.skipped} skipped` : ''}`;
}
