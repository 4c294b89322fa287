import { describe, expect, it } from 'vitest';
import { failureList, lastLines, vitestFailures } from './failure-list.ts';

describe('the list of failures at the end', () => {
  it('names a failed test and what it said', () => {
    const report = {
      testResults: [
        {
          name: 'a.test.ts',
          status: 'failed',
          assertionResults: [
            { status: 'passed', fullName: 'a holds' },
            { status: 'failed', fullName: 'b holds', failureMessages: ['expected 1 to be 2'] },
          ],
        },
      ],
    };
    expect(vitestFailures(JSON.stringify(report))).toEqual([{ test: 'b holds', message: 'expected 1 to be 2' }]);
  });

  it('names a file that could not be run, with the error of its set-up', () => {
    const report = { testResults: [{ name: 'a.test.ts', status: 'failed', message: 'git: ended with 128', assertionResults: [] }] };
    expect(vitestFailures(JSON.stringify(report))).toEqual([{ test: 'a.test.ts', message: 'git: ended with 128' }]);
  });

  it('is empty for a runner that left no report', () => {
    expect(vitestFailures('{}')).toEqual([]);
  });

  it('bounds tests, lines and columns, and counts what it leaves out', () => {
    const message = Array.from({ length: 20 }, () => 'x'.repeat(500)).join('\n');
    const printed = failureList(Array.from({ length: 15 }, (_, n) => ({ test: `test ${n}`, message })));
    expect(printed).toContain('(6 more lines above)');
    expect(printed).toContain('and 3 more');
    expect(Math.max(...printed.split('\n').map((line) => line.length))).toBeLessThan(230);
  });

  it('shows the end of what a step without tests has printed', () => {
    const output = Array.from({ length: 50 }, (_, n) => `line ${n}`).join('\n');
    expect(lastLines('types', output).message).toMatch(/^line 36[\s\S]*line 49$/);
  });
});
