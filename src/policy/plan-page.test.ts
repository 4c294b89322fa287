import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PLAN_TYPES } from './compile/argument-types.ts';
import { compiled, policyObject } from './testing/policies.ts';
import { WHOLE_LANGUAGE } from './testing/whole-language.ts';

const page = readFileSync(new URL('../../docs/plan.md', import.meta.url), 'utf8');

/** Names of members; of `matchLabels` the members are names of labels. */
function membersOf(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.flatMap(membersOf);
  }
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, child]) => [name, ...(name === 'matchLabels' ? [] : membersOf(child))])
    : [];
}

describe('docs/plan.md', () => {
  it('names every member that a plan of the whole language has', () => {
    const members = new Set(WHOLE_LANGUAGE.flatMap(([, spec]) => membersOf(compiled(policyObject(spec)).plan)));
    expect(members.size).toBeGreaterThan(90);
    expect([...members].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every type that a value can be read as', () => {
    const ranges = /^u?int(8|16|32|64)$/;
    expect(Object.values(PLAN_TYPES).filter((type) => !ranges.test(type) && !page.includes(`\`${type}\``))).toEqual([]);
  });
});
