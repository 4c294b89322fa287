import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isJsonObject } from '../plain-json.ts';
import { tracingPolicySpec } from '../schema/spec.ts';
import { mutate, mutation } from '../testing/mutation.ts';
import { policyFiles } from '../testing/policies.ts';
import { validValue } from '../testing/schema-arbitrary.ts';
import { editorSchema } from './editor-schema.ts';

/** zod reads JSON Schema as well, conditions aside: a second opinion on what the file says. */
const { if: condition, then, ...unconditional } = editorSchema();
const editor = z.fromJSONSchema(unconditional);

const objectOf = (spec: unknown): unknown => ({ apiVersion: 'cilium.io/v1alpha1', kind: 'TracingPolicy', metadata: { name: 'a' }, spec });

describe('the schema for editors', () => {
  it('takes and refuses what parse takes and refuses, rules over several fields aside', () => {
    const changed = fc
      .tuple(validValue(tracingPolicySpec), fc.array(mutation, { maxLength: 2 }))
      .map(([value, mutations]) => mutations.reduce<unknown>((current, each) => mutate(current, each), value));
    fc.assert(
      fc.property(changed, (spec) => {
        const issues = tracingPolicySpec.safeParse(spec).error?.issues ?? [];
        const isFine = issues.every((issue) => issue.code === 'custom');
        expect(editor.safeParse(objectOf(spec)).success).toBe(isFine);
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  it.each([
    'examples',
    ...['credentials', 'escape', 'execution', 'files', 'kernel', 'network', 'privileges', 'seed'].map((name) => `examples/${name}`),
  ])('has nothing against what is in %s', (folder) => {
    for (const { name, object } of policyFiles(folder)) {
      expect([name, editor.safeParse(object).error?.issues]).toEqual([name, undefined]);
    }
  });

  it('marks what a namespaced policy cannot have', () => {
    expect(condition).toEqual({ properties: { kind: { const: 'TracingPolicyNamespaced' } }, required: ['kind'] });
    expect(then).toMatchObject({ properties: { spec: { properties: { hostSelector: false, uprobes: { maxItems: 0 } } } } });
  });

  it('describes every field, closes every object, and says nothing twice', () => {
    const definitions = Object.values(isJsonObject(unconditional['definitions']) ? unconditional['definitions'] : {});
    expect(definitions.length).toBeGreaterThan(15);
    for (const definition of definitions.filter(isJsonObject)) {
      expect([definition['title'], definition['additionalProperties']]).toEqual([definition['title'], false]);
      for (const [name, field] of Object.entries(isJsonObject(definition['properties']) ? definition['properties'] : {})) {
        expect([definition['title'], name, isJsonObject(field) ? typeof (field['description'] ?? field['$ref']) : undefined]).toEqual([
          definition['title'],
          name,
          'string',
        ]);
      }
    }
    expect(JSON.stringify(editorSchema()).length).toBeLessThan(80_000);
  });
});
