import { describe, expect, it } from 'vitest';
import { bind, firstFailure } from './bind.ts';
import { findProblems, policyFiles, problemsOf, compiled } from './testing/policies.ts';
import { kernel612 } from './testing/kernels.ts';

const expectations = (text: string): string[] => [...text.matchAll(/^# expect: (.*)$/gm)].map((match) => match[1] ?? '');

/** What admission says: the compiler, and for what compiles the kernel. */
function refusals(object: unknown): string[] {
  if (findProblems(object).length > 0) {
    return problemsOf(object);
  }
  const failure = firstFailure(bind(compiled(object).plan, kernel612, 'enforce'));
  return failure === null ? [] : [`${failure.field}: ${failure.failure.message}`];
}

describe('twelve bad policies are refused with the path of the field and what would be right', () => {
  for (const file of policyFiles('e2e/fixtures/bad')) {
    it(`refuses ${file.name}`, () => {
      const wanted = expectations(file.text);
      expect(wanted.length).toBeGreaterThan(0);
      const said = refusals(file.object);
      expect(said).toHaveLength(1);
      for (const part of wanted) {
        expect(said[0]).toContain(part);
      }
    });
  }

  it('there are twelve of them', () => {
    expect(policyFiles('e2e/fixtures/bad')).toHaveLength(12);
  });
});
