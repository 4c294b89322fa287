import { describe, expect, test } from 'vitest';
import { decodeNamesFrame, MAX_BUILDS, MAX_CATALOGUE_FRAME_BYTES } from '../../protocol/catalogue.ts';
import { catalogueDigest } from '../../protocol/hub-binary.ts';
import { fakeHello } from '../testing/fake-agent.ts';
import { catalogueDifference, type CatalogueView } from './catalogue-difference.ts';
import { createFleetCatalogue } from './fleet-catalogue.ts';

const text = JSON.stringify({ functions: ['a'], lsmHooks: ['b'], tracepoints: ['c/d'] });
const lie = JSON.stringify({ functions: [], lsmHooks: [], tracepoints: [] });
const hello = (node: string, release = '6.1') => fakeHello({ node, release });
const { build } = hello('x').kernel;

describe('the memory of kernels', () => {
  test('asks one node of a build for its names, and a second one to confirm them', () => {
    const catalogue = createFleetCatalogue();
    expect(catalogue.greeted('a', hello('a'), 0)).toBe('catalogue');
    expect(catalogue.greeted('b', hello('b'), 1)).toBe('catalogue-digest');
    expect(catalogue.uploaded('a', build, text)).toBe(true);
    expect(catalogue.packedNames(build)).toBeNull();
    expect(catalogue.noticed('b', build, catalogueDigest(text))).toBe(true);
    expect(catalogue.packedNames(build)).not.toBeNull();
    expect(catalogue.greeted('c', hello('c'), 2)).toBeUndefined();
  });

  test('believes the only node of a build, until there is a second one', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    catalogue.uploaded('a', build, text);
    expect(catalogue.packedNames(build)).not.toBeNull();
    expect(catalogue.greeted('b', hello('b'), 1)).toBe('catalogue-digest');
    expect(catalogue.packedNames(build)).toBeNull();
  });

  test('takes a confirmation that came before the names', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    catalogue.greeted('b', hello('b'), 0);
    catalogue.noticed('b', build, catalogueDigest(text));
    catalogue.uploaded('a', build, text);
    expect(catalogue.packedNames(build)).not.toBeNull();
  });

  test('does not act upon names that two nodes contradict each other about', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    catalogue.greeted('b', hello('b'), 0);
    catalogue.uploaded('a', build, lie);
    catalogue.noticed('b', build, catalogueDigest(text));
    expect(catalogue.packedNames(build)).toBeNull();
    expect(catalogue.disputed()).toBe(1);
    catalogue.greeted('c', hello('c'), 1);
    catalogue.noticed('c', build, catalogueDigest(lie));
    expect(catalogue.disputed()).toBe(0);
  });

  test('asks another node when the first one does not answer', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    expect(catalogue.greeted('b', hello('b'), 59_000)).toBe('catalogue-digest');
    expect(catalogue.greeted('c', hello('c'), 61_000)).toBe('catalogue');
  });

  test('refuses names of a node for kernels that are not its own', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    catalogue.greeted('b', hello('b', '5.10'), 0);
    expect(catalogue.uploaded('b', build, text)).toBe(false);
    expect(() => catalogue.uploaded('a', build, '[]')).toThrow();
  });

  test('takes no names from a node that webhooks would refuse: they would lose touch with the hub over and over', () => {
    const catalogue = createFleetCatalogue();
    catalogue.greeted('a', hello('a'), 0);
    const names = { functions: ['a'], lsmHooks: ['b'], tracepoints: ['c/d'] };
    for (const odd of [{ functions: [''] }, { lsmHooks: ['x'.repeat(513)] }, { lsmHooks: Array.from({ length: 10_001 }, () => 'x') }]) {
      expect(() => catalogue.uploaded('a', build, JSON.stringify({ ...names, ...odd }))).toThrow();
    }
    expect(catalogue.packedNames(build)).toBeNull();
  });

  test('forgets a build with its last node, and keeps no more builds than webhooks do', () => {
    const catalogue = createFleetCatalogue();
    for (let at = 0; at < MAX_BUILDS + 5; at += 1) {
      catalogue.greeted(`n${at}`, hello(`n${at}`, `6.${at}`), 0);
    }
    expect([...catalogue.builds()]).toHaveLength(MAX_BUILDS);
    catalogue.removeNode('n0');
    expect([...catalogue.builds()]).toHaveLength(MAX_BUILDS - 1);
  });
});

describe('what a webhook is told', () => {
  const catalogue = createFleetCatalogue();
  catalogue.greeted('a', hello('a'), 0);
  catalogue.uploaded('a', build, text);
  const frame = [...catalogue.builds()][0];
  const view = (names: Buffer | null): CatalogueView => ({
    builds: frame === undefined ? [] : [{ frame, names }],
    nodes: [{ name: 'a', labels: {}, build, silentMs: 0 }],
  });
  const nothing = { builds: new Map(), nodes: new Map() };
  const kinds = (frames: readonly object[]): string[] =>
    frames.map((one) => (Buffer.isBuffer(one) ? `names of ${decodeNamesFrame(one).build.slice(0, 4)}` : String(Reflect.get(one, 't'))));

  test('at first everything, afterwards only what changed', () => {
    const first = catalogueDifference(nothing, view(catalogue.packedNames(build)), 'first');
    expect(kinds(first.frames)).toEqual(['build', `names of ${build.slice(0, 4)}`, 'nodes']);
    expect(catalogueDifference(first.told, view(catalogue.packedNames(build)), 'later').frames).toEqual([]);
    expect(kinds(catalogueDifference(first.told, { builds: [], nodes: [] }, 'later').frames)).toEqual(['gone', 'nodes']);
  });

  test('of many nodes with many labels in frames that it takes', () => {
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`example.com/label-${at}`, 'x'.repeat(60)]));
    const nodes = Array.from({ length: 600 }, (_, at) => ({ name: `n${at}`, labels, build: null, silentMs: 0 }));
    const { frames } = catalogueDifference(nothing, { builds: [], nodes }, 'first');
    expect(frames.every((one) => JSON.stringify(one).length <= MAX_CATALOGUE_FRAME_BYTES)).toBe(true);
    const told = frames.flatMap((one) => (!Buffer.isBuffer(one) && one.t === 'nodes' ? [one] : []));
    expect(told.flatMap(({ put }) => put.map(({ name }) => name))).toEqual(nodes.map(({ name }) => name));
    expect(told.map(({ full }) => full)).toEqual(told.map((_, at) => at === 0));
  });

  test('names that it holds from before are not sent again', () => {
    const told = { builds: new Map([[build, 'with-names' as const]]), nodes: new Map() };
    expect(kinds(catalogueDifference(told, view(catalogue.packedNames(build)), 'first').frames)).toEqual(['build', 'nodes']);
  });

  test('names that became doubtful are taken back', () => {
    const first = catalogueDifference(nothing, view(catalogue.packedNames(build)), 'first');
    expect(kinds(catalogueDifference(first.told, view(null), 'later').frames)).toEqual(['gone', 'build']);
  });
});
