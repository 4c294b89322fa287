import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type StructuralSchema, structuralSchemaOf } from './structural-schema.ts';
import { customResourceDefinition } from './custom-resource.ts';

type Crd = ReturnType<typeof customResourceDefinition>;

const schemaOf = (crd: Crd): StructuralSchema => {
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  if (schema === undefined) {
    throw new Error('the definition has no schema');
  }
  return schema;
};

function* nodesOf(node: StructuralSchema, path: string): Generator<[string, StructuralSchema]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield* nodesOf(child, `${path}.${name}`);
  }
  for (const child of [node.items, node.additionalProperties]) {
    if (child !== undefined) {
      yield* nodesOf(child, `${path}[]`);
    }
  }
}

describe('the definitions of the two kinds', () => {
  const cluster = customResourceDefinition('TracingPolicy');
  const namespaced = customResourceDefinition('TracingPolicyNamespaced');

  it("take over from upstream's by their label, and name their own revision", () => {
    expect(cluster.metadata.name).toBe('tracingpolicies.cilium.io');
    expect(cluster.metadata.labels['cilium.io.k8s.crd.schema.version']).toMatch(/^999\.\d+\.0$/);
    expect(cluster.metadata.annotations['palisade.dev/crd-revision']).toBe('2');
  });

  it('have scopes, short names and categories', () => {
    expect([cluster.spec.scope, namespaced.spec.scope]).toEqual(['Cluster', 'Namespaced']);
    expect([...cluster.spec.names.shortNames, ...namespaced.spec.names.shortNames]).toEqual(['tgtp', 'tgtpn']);
    expect(cluster.spec.names.categories).toEqual(['tetragon', 'palisade']);
  });

  it('keep unknown fields in all 173 objects of spec, so that a typo reaches admission instead of being pruned', () => {
    const spec = schemaOf(cluster).properties?.['spec'];
    const objects = spec === undefined ? [] : [...nodesOf(spec, 'spec')].filter(([, node]) => node.properties !== undefined);
    expect(objects).toHaveLength(173);
    expect(objects.filter(([, node]) => node['x-kubernetes-preserve-unknown-fields'] !== true).map(([path]) => path)).toEqual([]);
  });

  it('are structural: every node has a type, and none closes its object', () => {
    for (const [path, node] of nodesOf(schemaOf(namespaced), '$')) {
      expect([path, typeof node.type]).toEqual([path, 'string']);
      expect([path, node['$ref'] ?? node['anyOf'] ?? node['oneOf'] ?? node['allOf']]).toEqual([path, undefined]);
    }
  });

  it('are small enough for the annotation of kubectl apply, with room to grow', () => {
    for (const crd of [cluster, namespaced]) {
      expect(Buffer.byteLength(JSON.stringify(crd))).toBeLessThan(240_000);
    }
  });

  it('explain every field, in a few sentences', () => {
    for (const [path, node] of nodesOf(schemaOf(cluster), '$')) {
      for (const [name, field] of Object.entries(node.properties ?? {}).filter(([name]) => name !== 'metadata')) {
        const { description } = field;
        expect([`${path}.${name}`, description]).toEqual([`${path}.${name}`, expect.stringMatching(/^[\x20-\x7e]{10,600}[.!)]$/)]);
      }
    }
  });

  it('let server-side apply take a label selector as one value', () => {
    const spec = schemaOf(cluster).properties?.['spec']?.properties ?? {};
    const selectors = Object.entries(spec).filter(([name]) => name.endsWith('Selector'));
    expect(selectors.map(([, node]) => node['x-kubernetes-map-type'])).toEqual(['atomic', 'atomic', 'atomic', 'atomic']);
  });

  it('can be listed by mode', () => {
    expect(cluster.spec.versions[0]?.selectableFields).toEqual([{ jsonPath: '.status.mode' }]);
  });

  it('give a new object a status that says that nobody has looked yet', () => {
    expect(schemaOf(cluster).properties?.['status']?.['default']).toEqual({
      observedGeneration: -1,
      conditions: [
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'Pending',
          message: 'Waiting for the Palisade controller',
          lastTransitionTime: '1970-01-01T00:00:00Z',
        },
      ],
    });
  });

  it('show the columns that people read, and the rest with -o wide', () => {
    const columns = cluster.spec.versions[0]?.additionalPrinterColumns ?? [];
    expect(columns.filter(({ priority }) => priority === undefined).map(({ name }) => name)).toEqual([
      'Ready',
      'Reason',
      'Mode',
      'Loaded',
      'Enforcing',
      'Failed',
      'Age',
    ]);
    expect(columns.filter(({ priority }) => priority === 1).map(({ name }) => name)).toEqual(['Unreachable', 'Events', 'Lost', 'Message']);
  });

  it('ban from namespaces what reaches beyond pods', () => {
    const rules = JSON.stringify(schemaOf(namespaced)['x-kubernetes-validations']);
    for (const field of ['hostSelector', 'uprobes', 'usdts', 'enforcers', 'loader']) {
      expect(rules).toContain(`spec.${field}`);
    }
    expect(schemaOf(cluster)['x-kubernetes-validations']).toBeUndefined();
  });
});

describe('a zod schema that cannot be said in a definition', () => {
  it.each([
    ['a union', z.object({ a: z.union([z.string(), z.number()]) }), '$.a'],
    ['anything', z.object({ b: z.unknown() }), '$.b'],
    ['a tuple', z.object({ c: z.tuple([z.string()]) }), '$.c'],
  ])('is refused with its place: %s', (_, schema, place) => {
    expect(() => structuralSchemaOf(schema, 'prune')).toThrow(place);
  });
});
