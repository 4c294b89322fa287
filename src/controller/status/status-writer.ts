import { createHash } from 'node:crypto';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { createTokenBucket } from '../../kube/token-bucket.ts';
import type { PolicyStatus } from '../../policy/schema/status.ts';
import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';
import type { PolicyItem } from '../policy/policy-item.ts';
import { policyType } from '../policy/policy-types.ts';
import type { Timing } from '../timing.ts';
import type { StatusChange } from './classify.ts';
import { writeDelayMs } from './write-delay.ts';

/** The only writer of policies' statuses. Keeps at most one status per policy waiting: the newest. */
export type StatusWriter = {
  /** What was computed for this very object; `none` takes back what is waiting. */
  submit(item: PolicyItem, status: PolicyStatus, change: StatusChange): void;
  /** The object as it is after our last write, while the cache still shows it as it was before. */
  refine(item: PolicyItem): PolicyItem;
  forget(key: string): void;
  /** Writes waiting transitions now, as far as the deadline allows. */
  flush(deadlineMs: number): Promise<void>;
  readonly waiting: number;
};

export type StatusWriterOptions = {
  readonly client: Pick<KubeClient, 'apply'>;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Look at this policy again then, with what the cache holds. */
  requeue(key: string, delayMs: number): void;
  /** A write failed for a reason that may pass. */
  requeueAfterError(key: string): void;
};

export const FIELD_MANAGER = 'palisade-controller';
const MAX_IN_FLIGHT = 4;
const WRITE_TIMEOUT_MS = 10_000;

type Waiting = { readonly item: PolicyItem; readonly status: PolicyStatus; readonly change: StatusChange; readonly sinceMs: number };
type Slot = {
  waiting: Waiting | null;
  timer: Timer | null;
  isWriting: boolean;
  lastWriteMs: number;
  /** Our last write: what the object was before, and is now. */
  written: { readonly uid: string; readonly before: string; readonly after: string; readonly status: PolicyStatus } | null;
  isUnavailable: boolean;
};

export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, clock, timing, log, metrics } = options;
  const writes = metrics.counter('status_writes_total', 'Writes of statuses by what changed and how they ended.', ['class', 'result']);
  const waits = metrics.histogram('status_write_wait_seconds', 'Time from computing a status to writing it.', SECONDS_BUCKETS);
  const unavailable = metrics.gauge(
    'status_unavailable',
    'Policies whose kind has no status, because another product replaced its definition.',
  );
  const slots = new Map<string, Slot>();
  const transitions = createTokenBucket({ clock, perSecond: 50, burst: 100 });
  const others = createTokenBucket({ clock, perSecond: 10, burst: 10 });
  const line: string[] = [];
  let inFlight = 0;

  const slotOf = (key: string): Slot => {
    let slot = slots.get(key);
    if (slot === undefined) {
      slot = { waiting: null, timer: null, isWriting: false, lastWriteMs: Number.NEGATIVE_INFINITY, written: null, isUnavailable: false };
      slots.set(key, slot);
    }
    return slot;
  };
  const cancel = (slot: Slot): void => {
    slot.timer?.cancel();
    slot.timer = null;
    slot.waiting = null;
  };
  /** The time has come: takes a token, then a place in the line. */
  const due = (key: string, slot: Slot): void => {
    const bucket = slot.waiting?.change === 'transition' ? transitions : others;
    slot.timer = clock.setTimer(bucket.reserveMs(), () => {
      slot.timer = null;
      line.push(key);
      work();
    });
  };
  const work = (): void => {
    while (inFlight < MAX_IN_FLIGHT) {
      const key = line.shift();
      if (key === undefined) {
        return;
      }
      const slot = slots.get(key);
      const waiting = slot?.waiting ?? null;
      if (slot !== undefined && waiting !== null && !slot.isWriting) {
        inFlight += 1;
        void write(key, slot, waiting).finally(() => {
          inFlight -= 1;
          work();
        });
      }
    }
  };
  const write = async (key: string, slot: Slot, waiting: Waiting): Promise<void> => {
    const { item, status, change } = waiting;
    slot.waiting = null;
    slot.isWriting = true;
    waits.observe({}, (clock.monotonicMs() - waiting.sinceMs) / 1_000);
    try {
      const answer = await client.apply(
        policyType(item.kind),
        { namespace: item.namespace, name: item.name },
        {
          metadata: {
            name: item.name,
            ...(item.namespace === null ? {} : { namespace: item.namespace }),
            resourceVersion: item.resourceVersion,
          },
          status,
        },
        { fieldManager: FIELD_MANAGER, subresource: 'status', timeoutMs: WRITE_TIMEOUT_MS },
      );
      slot.lastWriteMs = clock.monotonicMs();
      slot.written = { uid: item.uid, before: item.resourceVersion, after: answer.metadata.resourceVersion, status };
      setUnavailable(slot, key, item, 'available');
      writes.inc({ class: change, result: 'ok' });
      if (change === 'transition') {
        logTransition(log, item, status);
      }
    } catch (error) {
      failed(key, slot, item, change, error);
    } finally {
      slot.isWriting = false;
      if (slot.waiting !== null && slot.timer === null && !line.includes(key)) {
        due(key, slot);
      }
    }
  };
  const failed = (key: string, slot: Slot, item: PolicyItem, change: StatusChange, error: unknown): void => {
    if (isKubeError(error, 'Conflict')) {
      writes.inc({ class: change, result: 'conflict' });
      options.requeue(key, timing.conflictRetryMs);
    } else if (isKubeError(error, 'NotFound')) {
      // The object may just have been deleted; the cache will say. If it is still there then, its kind has lost its status.
      writes.inc({ class: change, result: 'not-found' });
      setUnavailable(slot, key, item, 'unavailable');
      slot.lastWriteMs = clock.monotonicMs();
      options.requeue(key, timing.statusUnavailableRetryMs);
    } else {
      writes.inc({ class: change, result: 'error' });
      log.warn('Could not write a status', { policy: key, error });
      options.requeueAfterError(key);
    }
  };
  const setUnavailable = (slot: Slot, key: string, item: PolicyItem, state: 'available' | 'unavailable'): void => {
    const isUnavailable = state === 'unavailable';
    if (slot.isUnavailable !== isUnavailable) {
      slot.isUnavailable = isUnavailable;
      log.warn(
        isUnavailable ? 'The status of a policy cannot be written: StatusUnavailable' : 'The status of a policy can be written again',
        {
          policy: key,
          generation: item.generation,
        },
      );
    }
  };
  metrics.onScrape(() =>
    unavailable.set(
      {},
      slots.values().reduce((sum, slot) => sum + (slot.isUnavailable ? 1 : 0), 0),
    ),
  );

  return {
    submit: (item, status, change) => {
      const slot = slotOf(item.key);
      const delayMs = writeDelayMs(
        {
          change,
          previous: item.status,
          next: status,
          sinceLastWriteMs: clock.monotonicMs() - slot.lastWriteMs,
          jitter: jitterOf(item.uid),
        },
        timing,
      );
      if (delayMs === null) {
        cancel(slot);
        return;
      }
      const isUpgrade = slot.waiting !== null && slot.waiting.change !== 'transition' && change === 'transition';
      slot.waiting = { item, status, change, sinceMs: slot.waiting?.sinceMs ?? clock.monotonicMs() };
      if (isUpgrade) {
        slot.timer?.cancel();
        slot.timer = null;
      }
      if (slot.timer === null && !slot.isWriting && !line.includes(item.key)) {
        const waitMs = slot.isUnavailable
          ? Math.max(delayMs, timing.statusUnavailableRetryMs - (clock.monotonicMs() - slot.lastWriteMs))
          : delayMs;
        slot.timer = clock.setTimer(waitMs, () => due(item.key, slot));
      }
    },
    refine: (item) => {
      const written = slots.get(item.key)?.written ?? null;
      const isBehind = written !== null && written.uid === item.uid && written.before === item.resourceVersion;
      return isBehind ? { ...item, resourceVersion: written.after, status: written.status } : item;
    },
    forget: (key) => {
      const slot = slots.get(key);
      if (slot !== undefined) {
        cancel(slot);
        slots.delete(key);
      }
    },
    flush: async (deadlineMs) => {
      const pending = [...slots].filter(([, slot]) => slot.waiting?.change === 'transition' && !slot.isWriting);
      const all = Promise.all(
        pending.map(async ([key, slot]) => {
          slot.timer?.cancel();
          slot.timer = null;
          if (slot.waiting !== null) {
            await write(key, slot, slot.waiting);
          }
        }),
      );
      const expired = Promise.withResolvers<void>();
      const timer = clock.setTimer(deadlineMs, () => expired.resolve());
      await Promise.race([all, expired.promise]);
      timer.cancel();
    },
    get waiting() {
      return slots.values().reduce((sum, slot) => sum + (slot.waiting === null ? 0 : 1), 0);
    },
  };
}

function logTransition(log: Log, item: PolicyItem, status: PolicyStatus): void {
  const ready = status.conditions?.find((condition) => condition.type === 'Ready');
  log.info('A policy changed its state', {
    policy: item.key,
    generation: item.generation,
    digest: status.digest?.slice(0, 8),
    ready: ready?.status,
    reason: ready?.reason,
    loaded: status.loaded,
  });
}

/** The same for a policy at all times and in all processes. */
function jitterOf(uid: string): number {
  return createHash('sha256').update(uid).digest().readUInt32BE(0) / 0x1_0000_0000;
}
