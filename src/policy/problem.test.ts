import { describe, expect, it } from 'vitest';
import { MAX_PROBLEMS, TooManyErrors, createProblemSink, formatProblem } from './problem.ts';

const fill = (sink: ReturnType<typeof createProblemSink>, severity: 'error' | 'warn', count: number): void => {
  for (let number = 0; number < count; number += 1) {
    sink[severity]('BadValue', `spec.${severity}[${number}]`, 'is wrong');
  }
};

describe('problems', () => {
  it('are listed in the order in which they were found, each once', () => {
    const sink = createProblemSink();
    sink.warn('Unused', 'spec.lists[0]', 'nothing uses it');
    sink.error('BadValue', 'spec', 'is wrong', 'make it right');
    sink.error('BadValue', 'spec', 'is wrong', 'make it right');
    expect(sink.list().map(formatProblem)).toEqual(['spec.lists[0]: nothing uses it', 'spec: is wrong; make it right']);
  });

  it('are bounded, and the last one says how many are left out', () => {
    const sink = createProblemSink();
    fill(sink, 'warn', 150);
    expect(sink.list()).toHaveLength(MAX_PROBLEMS + 1);
    expect(sink.list().at(-1)).toMatchObject({ message: 'and 50 more problems', severity: 'warning' });
  });

  it('never hide an error behind warnings', () => {
    const sink = createProblemSink();
    fill(sink, 'warn', 150);
    fill(sink, 'error', 2);
    const { length } = sink.list().filter((problem) => problem.severity === 'error');
    expect(length).toBe(3);
    expect(sink.list().at(-1)).toMatchObject({ message: 'and 52 more problems', severity: 'error' });
  });

  it('are no longer looked for after thousands, where that is asked for', () => {
    expect(() => fill(createProblemSink(), 'error', 5_000)).not.toThrow();
    const sink = createProblemSink('stop');
    expect(() => fill(sink, 'error', 5_000)).toThrow(TooManyErrors);
    expect(sink.list().at(-1)?.message).toBe('and more: after 2000 errors no further ones are looked for');
  });
});
