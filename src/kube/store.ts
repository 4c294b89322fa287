import { objectKey, type KubeObject, type ObjectMeta } from './kube-object.ts';

/** What happened to one object. An object that was deleted and made again under its name is two changes, deleted and added. */
export type StoreChange<Item> =
  | { readonly type: 'added'; readonly key: string; readonly item: Item }
  | { readonly type: 'updated'; readonly key: string; readonly item: Item; readonly previous: Item }
  /** `item` is the last one known. */
  | { readonly type: 'deleted'; readonly key: string; readonly item: Item };

export type StoreReader<Item> = {
  /** Key: `namespace/name`, or `name` for cluster-scoped kinds. */
  get(key: string): Item | undefined;
  has(key: string): boolean;
  values(): IterableIterator<Item>;
  keys(): IterableIterator<string>;
  readonly size: number;
};

/** What an object is reduced to on arrival, so that memory holds only what is used. Undefined: not kept at all. */
export type Projection<Item> = (object: KubeObject) => Item | undefined;

export type Store<Item> = StoreReader<Item> & {
  /** Each returns what changed, in order; the store has changed when it returns. */
  put(object: KubeObject): readonly StoreChange<Item>[];
  remove(object: KubeObject): readonly StoreChange<Item>[];
  replace(objects: readonly KubeObject[]): readonly StoreChange<Item>[];
};

type Entry<Item> = { readonly uid: string; readonly resourceVersion: string; readonly item: Item };

/** Objects of one kind by key. */
export function createStore<Item>(project: Projection<Item>): Store<Item> {
  const entries = new Map<string, Entry<Item>>();

  const drop = (key: string): readonly StoreChange<Item>[] => {
    const entry = entries.get(key);
    if (entry === undefined) {
      return [];
    }
    entries.delete(key);
    return [{ type: 'deleted', key, item: entry.item }];
  };

  const put = (object: KubeObject): readonly StoreChange<Item>[] => {
    const { uid, resourceVersion } = object.metadata;
    const key = keyOf(object.metadata);
    const existing = entries.get(key);
    if (existing?.uid === uid && existing.resourceVersion === resourceVersion) {
      return [];
    }
    const item = project(object);
    if (item === undefined) {
      return drop(key);
    }
    if (existing !== undefined && existing.uid !== uid) {
      const gone = drop(key);
      entries.set(key, { uid, resourceVersion, item });
      return [...gone, { type: 'added', key, item }];
    }
    entries.set(key, { uid, resourceVersion, item });
    return existing === undefined ? [{ type: 'added', key, item }] : [{ type: 'updated', key, item, previous: existing.item }];
  };

  return {
    get: (key) => entries.get(key)?.item,
    has: (key) => entries.has(key),
    keys: () => entries.keys(),
    values: () => entries.values().map((entry) => entry.item),
    get size() {
      return entries.size;
    },
    put,
    remove: (object) => drop(keyOf(object.metadata)),
    replace: (objects) => {
      const present = new Set(objects.map((object) => keyOf(object.metadata)));
      const gone = [...entries.keys()].filter((key) => !present.has(key)).flatMap(drop);
      return [...gone, ...objects.flatMap(put)];
    },
  };
}

function keyOf(meta: ObjectMeta): string {
  return objectKey(meta);
}
