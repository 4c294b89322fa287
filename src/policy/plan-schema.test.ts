import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPlan } from './plan-schema.ts';
import { specArbitrary } from './testing/arbitraries.ts';
import { compiled, policyFiles, policyObject } from './testing/policies.ts';

const { text } = compiled(policyObject({ lsmhooks: [{ hook: 'file_open', args: [{ index: 0, type: 'file' }] }] }));

describe('reading a plan from elsewhere', () => {
  it('takes whatever the compiler writes', () => {
    fc.assert(
      fc.property(specArbitrary, (spec) => {
        const result = compiled(policyObject(spec));
        expect(readPlan(result.text)).toEqual({ ok: true, plan: result.plan });
      }),
    );
    for (const file of [...policyFiles('examples'), ...policyFiles('examples/seed')]) {
      expect(readPlan(compiled(file.object).text)).toMatchObject({ ok: true });
    }
  });

  it.each([
    ['no JSON', '{', 'no JSON'],
    ['another format', text.replace('"format":1', '"format":2'), 'format'],
    ['another spelling of the same plan', ` ${text}`, 'canonical'],
    ['a field more', text.replace('{"format"', '{"extra":1,"format"'), 'extra'],
    ['a selector without actions', text.replace('"actions":[{"type":"post"}]', '"actions":[]'), 'actions'],
    [
      'a filter on an argument that is not read',
      text.replace('"filters":[]', '"filters":[{"arg":1,"on":"int","operator":"Equal","values":["1"]}]'),
      'does not read',
    ],
    [
      'a namespaced plan that would act on anybody',
      text.replace('"namespace":null', '"namespace":"a"').replace('"onPending":"wait"', '"onPending":"apply"'),
      'unknown namespace',
    ],
  ])('refuses %s', (_, wrong, part) => {
    const result = readPlan(wrong);
    expect(result.ok ? '' : result.message).toContain(part);
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (anything) => {
        expect(readPlan(anything).ok).toBe(false);
      }),
    );
  });
});
