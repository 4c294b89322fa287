import { sleep, type Clock, type Timer } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createBackoff, REFLECTOR_BACKOFF } from './backoff.ts';
import type { KubeClient, Selection } from './client.ts';
import { isKubeError } from './kube-error.ts';
import type { KubeObject, ListPage } from './kube-object.ts';
import { resourceName, type ResourceType } from './resource-type.ts';

/** Where a reflector puts what it sees. Calls come one at a time and must not throw. */
export type ReflectorSink<Entry> = {
  /** Reduces an object on arrival, page by page, so that a long list is never held as a whole in its full size. */
  reduce(object: KubeObject): Entry;
  /** The whole list, before the first event and after each gap. `reason` is `initial` or why it was listed again. */
  replace(list: readonly Entry[], reason: ListReason): void;
  put(entry: Entry): void;
  remove(entry: Entry): void;
};

export type ListReason = 'initial' | 'expired' | 'malformed';

export type ReflectorOptions<Entry> = {
  readonly client: KubeClient;
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly sink: ReflectorSink<Entry>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** 0…1, for delays and the length of watches; Math.random unless a test says otherwise. */
  readonly random?: () => number;
  /** Objects per page of a list. */
  readonly pageSize?: number;
  /** A watch that is silent for this long is opened again from where it was: `SILENCE_MS` says why that is no alarm. */
  readonly silenceMs?: number;
};

export type Reflector = {
  /** Lists and watches until the signal is aborted. Never rejects: every failure ends in a delay and another try. */
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds since the API server last said anything about this kind; Infinity before the first list. */
  silentForMs(): number;
};

const PAGE_SIZE = 500;
/**
 * A healthy watch of a kind that does not change may be silent for ten minutes, bookmarks or not: the API server sends a bookmark about
 * once a minute, but only one that is newer than where the watch began (storage/cacher/cache_watcher.go), and what it knows of a quiet kind
 * moves with etcd's progress notices only. A dead connection looks the same. Opening the watch again costs one request and tells the two
 * apart: if the server answers, nothing is wrong; if not, that is the failure which is logged and delayed.
 */
const SILENCE_MS = 150_000;
const LIST_TIMEOUT_MS = 60_000;

/**
 * Mirrors one kind of object. A port of the behaviour of client-go's tools/cache/reflector.go:
 * list once, then watch; on a clean end, a broken connection, 429 or 5xx watch again from the last version
 * without listing; only where the version is too old, or the stream made no sense, list again.
 */
export function createReflector<Entry>(options: ReflectorOptions<Entry>): Reflector {
  const { client, type, selection, sink, clock } = options;
  const random = options.random ?? Math.random;
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  const resource = resourceName(type);
  const log = options.log.with({ resource });
  const lists = options.metrics.counter('reflector_lists_total', 'Full lists by what caused them.', ['resource', 'reason']);
  const restarts = options.metrics.counter('reflector_watch_ends_total', 'Ends of watches by cause.', ['resource', 'reason']);
  const age = options.metrics.gauge('reflector_last_event_age_seconds', 'Time since the API server last said anything about a kind.', [
    'resource',
  ]);
  let lastContactMs = Number.NEGATIVE_INFINITY;
  options.metrics.onScrape(() => {
    if (Number.isFinite(lastContactMs)) {
      age.set({ resource }, (clock.monotonicMs() - lastContactMs) / 1_000);
    }
  });

  const touch = (): void => {
    lastContactMs = clock.monotonicMs();
  };

  /**
   * All pages of the newest state. client-go lists version 0 first, which the server answers from its cache as one page whatever the
   * limit: parsing 100,000 pods at once would block this process for seconds. Where a page is too large, objects are: whoever may make some
   * of a megabyte must not keep the others from being listed.
   */
  const listAll = async (signal: AbortSignal): Promise<ListResult<Entry>> => {
    const entries: Entry[] = [];
    let continueToken: string | undefined;
    let limit = options.pageSize ?? PAGE_SIZE;
    for (;;) {
      const page = await listPage(limit, continueToken, signal);
      if (page === 'too-large') {
        limit = Math.ceil(limit / 4);
        continue;
      }
      touch();
      for (const object of page.items) {
        entries.push(sink.reduce(object));
      }
      if (page.continueToken === undefined) {
        return { entries, resourceVersion: page.resourceVersion };
      }
      continueToken = page.continueToken;
    }
  };

  const listPage = async (limit: number, continueToken: string | undefined, signal: AbortSignal): Promise<ListPage | 'too-large'> => {
    const token = continueToken === undefined ? {} : { continueToken };
    try {
      return await client.list(type, selection, { ...token, limit, timeoutMs: LIST_TIMEOUT_MS, signal });
    } catch (error) {
      if (limit > 1 && isKubeError(error, 'TooLarge')) {
        log.warn('A page of a list is too large; smaller ones are asked for', { limit });
        return 'too-large';
      }
      throw error;
    }
  };

  /** Watches until the stream ends or has been silent for too long, moving the position with every event. */
  const watchOnce = async (from: Position, signal: AbortSignal): Promise<'ended' | 'silent'> => {
    const guard = watchdog(clock, silenceMs);
    try {
      const events = await client.watch(type, selection, {
        resourceVersion: from.resourceVersion,
        timeoutSeconds: Math.round(300 + random() * 300),
        signal: AbortSignal.any([signal, guard.signal]),
      });
      touch();
      guard.reset();
      for await (const event of events) {
        touch();
        guard.reset();
        if (event.type === 'BOOKMARK') {
          from.resourceVersion = event.resourceVersion;
          continue;
        }
        if (event.type === 'DELETED') {
          sink.remove(sink.reduce(event.object));
        } else {
          sink.put(sink.reduce(event.object));
        }
        from.resourceVersion = event.object.metadata.resourceVersion;
      }
      return 'ended';
    } catch (error) {
      if (guard.signal.aborted && !signal.aborted) {
        return 'silent';
      }
      throw error;
    } finally {
      guard.stop();
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    const backoff = createBackoff(clock, random, REFLECTOR_BACKOFF);
    const position: Position = { resourceVersion: '' };
    let next: Step = { kind: 'list', reason: 'initial' };
    while (!signal.aborted) {
      try {
        if (next.kind === 'list') {
          const result = await listAll(signal);
          sink.replace(result.entries, next.reason);
          lists.inc({ resource, reason: next.reason });
          log.debug('Listed', { objects: result.entries.length, reason: next.reason });
          position.resourceVersion = result.resourceVersion;
          next = { kind: 'watch' };
        } else {
          const startMs = clock.monotonicMs();
          const end = await watchOnce(position, signal);
          restarts.inc({ resource, reason: end });
          log.debug('A watch is over', { reason: end });
          if (clock.monotonicMs() - startMs < SHORT_WATCH_MS) {
            // A server that ends watches at once must not be asked in a loop.
            await sleep(clock, backoff.nextMs(), signal);
          }
        }
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        const reason = isKubeError(error) ? error.code : 'Unexpected';
        restarts.inc({ resource, reason });
        next = stepAfter(error, next);
        const askedMs = isKubeError(error) ? (error.retryAfterMs ?? 0) : 0;
        const delayMs = Math.max(backoff.nextMs(), askedMs);
        log.warn('Lost touch with the API server', { reason, error, delayMs: Math.round(delayMs), next: next.kind });
        await sleep(clock, delayMs, signal);
      }
    }
  };

  return {
    run,
    silentForMs: () => clock.monotonicMs() - lastContactMs,
  };
}

const SHORT_WATCH_MS = 1_000;

type Position = { resourceVersion: string };
type ListResult<Entry> = { readonly entries: readonly Entry[]; readonly resourceVersion: string };
type Step = { readonly kind: 'watch' } | { readonly kind: 'list'; readonly reason: ListReason };

function stepAfter(error: unknown, failed: Step): Step {
  if (failed.kind === 'list') {
    return failed;
  }
  if (isKubeError(error, 'Expired') || isTooLargeVersion(error)) {
    return { kind: 'list', reason: 'expired' };
  }
  // A transport or server failure: the version still holds. Anything else (a line that is no event, a bug) may have lost an event.
  const isHarmless = isKubeError(error) && error.code !== 'Malformed' && error.code !== 'BadRequest' && error.code !== 'Invalid';
  return isHarmless ? failed : { kind: 'list', reason: 'malformed' };
}

/** The server has not reached the version yet, or (etcd was restored) never will: 504 with this text (apiserver/pkg/storage/errors.go). */
function isTooLargeVersion(error: unknown): boolean {
  return isKubeError(error, 'Timeout') && error.status === 504 && error.message.includes('Too large resource version');
}

type Watchdog = { readonly signal: AbortSignal; reset(): void; stop(): void };

/** From the first `reset` on, aborts its signal after a time without another: a half-open connection says nothing for ever. */
function watchdog(clock: Clock, limitMs: number): Watchdog {
  const controller = new AbortController();
  let timer: Timer | undefined;
  return {
    signal: controller.signal,
    reset: () => {
      timer?.cancel();
      timer = clock.setTimer(limitMs, () => controller.abort());
    },
    stop: () => timer?.cancel(),
  };
}
