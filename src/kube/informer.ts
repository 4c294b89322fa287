import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { KubeClient, Selection } from './client.ts';
import { objectKey, type KubeObject } from './kube-object.ts';
import { createReflector, type ListReason } from './reflector.ts';
import { resourceName, type ResourceType } from './resource-type.ts';
import { createStore, type StoreChange, type StoreEntry, type StoreReader } from './store.ts';

/** What an object is reduced to on arrival, so that memory holds only what is used. Undefined: not kept at all. */
export type Projection<Item> = (object: KubeObject) => Item | undefined;

export type InformerOptions<Item> = {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly project: Projection<Item>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly random?: () => number;
  readonly pageSize?: number;
  readonly silenceMs?: number;
};

export type InformerHandlers<Item> = {
  /** Called synchronously after the store has changed. Must only note and enqueue; what it throws is counted and logged. */
  onChange(change: StoreChange<Item>): void;
  /** Called after each full list has been put into the store (and its changes been told), the first included. */
  onList?(reason: ListReason): void;
};

/** A store that follows the API server. */
export type Informer<Item> = {
  readonly store: StoreReader<Item>;
  /** Handlers added late are told `added` for all that is there. */
  addHandlers(handlers: InformerHandlers<Item>): void;
  /** True once the first list is in the store. */
  hasSynced(): boolean;
  /** Resolves at the first list, or when the signal is aborted. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Until the signal is aborted; never rejects. To be called once. */
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds since the API server last said anything about this kind; Infinity before the first list. For liveness. */
  silentForMs(): number;
};

export function createInformer<Item>(options: InformerOptions<Item>): Informer<Item> {
  const { metrics, type } = options;
  const resource = resourceName(type);
  const log = options.log.with({ resource });
  const synced = Promise.withResolvers<void>();
  const handlers: InformerHandlers<Item>[] = [];
  const unreadable = metrics.counter('informer_unreadable_objects_total', 'Objects that could not be projected and are left out.', [
    'resource',
  ]);
  const store = createStore<Item>();
  const reduce = (object: KubeObject): StoreEntry<Item> => {
    const { metadata } = object;
    const { uid, resourceVersion } = metadata;
    return { key: objectKey(metadata), uid, resourceVersion, item: project(object) };
  };
  const project = (object: KubeObject): Item | undefined => {
    try {
      return options.project(object);
    } catch (error) {
      unreadable.inc({ resource });
      log.error('An object could not be read and is left out', {
        name: object.metadata.name,
        namespace: object.metadata.namespace,
        error,
      });
      return undefined;
    }
  };
  const faults = metrics.counter('informer_handler_errors_total', 'Handlers that threw.', ['resource']);
  const missed = metrics.counter('reflector_missed_total', 'Changes that no watch event told, found by listing again.', ['resource']);
  const objects = metrics.gauge('informer_objects', 'Objects in the store.', ['resource']);
  metrics.onScrape(() => objects.set({ resource }, store.size));
  let isSynced = false;

  const call = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      faults.inc({ resource });
      log.error('A handler failed', { error });
    }
  };
  const tell = (changes: readonly StoreChange<Item>[]): void => {
    for (const change of changes) {
      for (const handler of handlers) {
        call(() => handler.onChange(change));
      }
    }
  };
  const reflector = createReflector({
    ...options,
    sink: {
      reduce,
      put: (entry) => tell(store.put(entry)),
      remove: (entry) => tell(store.remove(entry.key)),
      replace: (list, reason) => {
        const changes = store.replace(list);
        if (isSynced) {
          missed.inc({ resource }, changes.length);
        }
        isSynced = true;
        tell(changes);
        for (const handler of handlers) {
          call(() => handler.onList?.(reason));
        }
        synced.resolve();
      },
    },
  });

  return {
    store,
    addHandlers: (added) => {
      handlers.push(added);
      for (const key of store.keys()) {
        const item = store.get(key);
        if (item !== undefined) {
          call(() => added.onChange({ type: 'added', key, item }));
        }
      }
    },
    hasSynced: () => isSynced,
    waitForSync: async (signal) => {
      const aborted = Promise.withResolvers<void>();
      const onAbort = (): void => aborted.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) {
        return;
      }
      await Promise.race([synced.promise, aborted.promise]);
      signal.removeEventListener('abort', onAbort);
    },
    run: (signal) => reflector.run(signal),
    silentForMs: () => reflector.silentForMs(),
  };
}
