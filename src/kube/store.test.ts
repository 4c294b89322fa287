import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStore, type StoreEntry } from './store.ts';

const object = (key: string, uid: string, resourceVersion: string): StoreEntry<string> => ({
  key,
  uid,
  resourceVersion,
  item: `${uid}@${resourceVersion}`,
});

test('an object made again under its name is a deletion and an addition', () => {
  const store = createStore<string>();
  store.put(object('a', 'u1', '1'));
  expect(store.put(object('a', 'u2', '2'))).toEqual([
    { type: 'deleted', key: 'a', item: 'u1@1' },
    { type: 'added', key: 'a', item: 'u2@2' },
  ]);
});

test('an object that comes again unchanged is no change', () => {
  const store = createStore<string>();
  store.put(object('a', 'u1', '1'));
  expect(store.put(object('a', 'u1', '1'))).toEqual([]);
});

test('a replaced list tells deletions first, with the last known object', () => {
  const store = createStore<string>();
  store.replace([object('a', 'u1', '1'), object('b', 'u2', '2')]);
  expect(store.replace([object('b', 'u2', '3'), object('c', 'u3', '4')])).toEqual([
    { type: 'deleted', key: 'a', item: 'u1@1' },
    { type: 'updated', key: 'b', item: 'u2@3', previous: 'u2@2' },
    { type: 'added', key: 'c', item: 'u3@4' },
  ]);
});

test('an object that is not wanted is not kept, and leaves when it stops being wanted', () => {
  const store = createStore<string>();
  expect(store.put({ ...object('b', 'u0', '1'), item: undefined })).toEqual([]);
  store.put(object('a', 'u1', '1'));
  expect(store.put({ ...object('a', 'u1', '2'), item: undefined })).toEqual([{ type: 'deleted', key: 'a', item: 'u1@1' }]);
  expect(store.size).toBe(0);
});

test('removing what is not there is no change', () => {
  expect(createStore<string>().remove('a')).toEqual([]);
});

test('who applies all changes holds what the store holds', () => {
  const anyObject = fc.record({ name: fc.constantFrom('a', 'b', 'c'), uid: fc.constantFrom('1', '2'), version: fc.nat(5) });
  const step = fc.oneof(
    anyObject.map((entry) => ({ call: 'put' as const, list: [entry] })),
    anyObject.map((entry) => ({ call: 'remove' as const, list: [entry] })),
    fc.uniqueArray(anyObject, { selector: (entry) => entry.name }).map((list) => ({ call: 'replace' as const, list })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const store = createStore<string>();
      const mirror = new Map<string, string>();
      for (const { call, list } of steps) {
        const objects = list.map((entry) => object(entry.name, entry.uid, String(entry.version)));
        const changes =
          call === 'replace'
            ? store.replace(objects)
            : objects.flatMap((entry) => (call === 'put' ? store.put(entry) : store.remove(entry.key)));
        for (const change of changes) {
          expect(mirror.has(change.key)).toBe(change.type !== 'added');
          if (change.type === 'deleted') {
            mirror.delete(change.key);
          } else {
            mirror.set(change.key, change.item);
          }
        }
        expect(mirror).toEqual(new Map([...store.keys()].map((key) => [key, store.get(key) ?? ''])));
      }
    }),
  );
});
