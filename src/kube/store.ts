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

/** One version of an object, reduced to what is used of it. */
export type StoreEntry<Item> = {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined: the object is there but not wanted, and not kept. */
  readonly item: Item | undefined;
};

export type Store<Item> = StoreReader<Item> & {
  /** Each returns what changed, in order; the store has changed when it returns. */
  put(entry: StoreEntry<Item>): readonly StoreChange<Item>[];
  remove(key: string): readonly StoreChange<Item>[];
  replace(entries: readonly StoreEntry<Item>[]): readonly StoreChange<Item>[];
};

type Kept<Item> = { readonly uid: string; readonly resourceVersion: string; readonly item: Item };

/** Objects of one kind by key. */
export function createStore<Item>(): Store<Item> {
  const kept = new Map<string, Kept<Item>>();

  const remove = (key: string): readonly StoreChange<Item>[] => {
    const existing = kept.get(key);
    kept.delete(key);
    return existing === undefined ? [] : [{ type: 'deleted', key, item: existing.item }];
  };

  const put = ({ key, uid, resourceVersion, item }: StoreEntry<Item>): readonly StoreChange<Item>[] => {
    const existing = kept.get(key);
    if (existing?.uid === uid && existing.resourceVersion === resourceVersion) {
      return [];
    }
    if (item === undefined) {
      return remove(key);
    }
    const gone = existing !== undefined && existing.uid !== uid ? remove(key) : [];
    kept.set(key, { uid, resourceVersion, item });
    return existing === undefined || gone.length > 0
      ? [...gone, { type: 'added', key, item }]
      : [{ type: 'updated', key, item, previous: existing.item }];
  };

  return {
    get: (key) => kept.get(key)?.item,
    has: (key) => kept.has(key),
    keys: () => kept.keys(),
    values: () => kept.values().map((entry) => entry.item),
    get size() {
      return kept.size;
    },
    put,
    remove,
    replace: (entries) => {
      const present = new Set(entries.map((entry) => entry.key));
      const gone = [...kept.keys()].filter((key) => !present.has(key)).flatMap(remove);
      return [...gone, ...entries.flatMap(put)];
    },
  };
}
