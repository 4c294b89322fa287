import type { StoreReader } from '../../kube/store.ts';
import { PLAN_FORMAT } from '../../policy/plan.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { ActivityLedger } from '../fleet/activity-ledger.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { NodeItem } from '../fleet/node-projection.ts';
import type { FrameStore } from '../hub/frame-store.ts';
import { alarmFacts, updateAlarms } from '../status/alarms.ts';
import { classify, type StatusChange } from '../status/classify.ts';
import { isCompleted } from '../status/completion.ts';
import { computeStatus } from '../status/compute-status.ts';
import type { Coverage, PolicyVerdict } from '../status/status-input.ts';
import type { PolicyStatus } from '../../policy/schema/status.ts';
import { tallyNodes, type Tally } from '../status/tally.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { Timing } from '../timing.ts';
import { type Evaluation, evaluate } from './evaluation.ts';
import { nodeFactsOf } from './node-facts.ts';
import { entryOf, type PolicyRecord, refreshRecord, targetOf } from './policy-book.ts';
import type { PolicyItem } from './policy-item.ts';

/** What the reconciler reads and where its decisions go. */
export type ReconcilerOptions = {
  findPolicy(key: string): PolicyItem | undefined;
  readonly nodes: StoreReader<NodeItem>;
  readonly fleet: Fleet;
  readonly desired: DesiredState;
  readonly frames: FrameStore;
  readonly ledger: ActivityLedger;
  readonly writer: StatusWriter;
  readonly timing: Timing;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  coverage(): Coverage;
  /** Pods of upstream's agents, unless they are allowed beside ours. */
  foreignAgents(): number;
};

export type Outcome = { readonly kind: 'done' } | { readonly kind: 'wait'; readonly delayMs: number };

export type Reconciler = {
  /** One look at one policy (control-plane 2.3). Distribution comes before status: a slow API server does not delay protection. */
  reconcile(key: string): Outcome;
  /** Evaluates and distributes only: before agents are let in, all policies are. */
  distribute(key: string): void;
  records(): Iterable<PolicyRecord>;
};

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { desired, frames, ledger, writer, timing, clock, log } = options;
  const book = new Map<string, PolicyRecord>();
  const loadedSeconds = options.metrics.histogram(
    'apply_to_loaded_seconds',
    'Time from seeing a generation of a policy until every selected node runs it.',
    SECONDS_BUCKETS,
  );

  const remove = (key: string): void => {
    const record = book.get(key);
    if (record !== undefined) {
      desired.assign(record.uid, null);
      ledger.close(record.uid);
      book.delete(key);
      log.info('A policy is gone', { policy: key });
    }
    writer.forget(key);
    forgetPlans();
  };
  const forgetPlans = (): void => {
    frames.keepPlans(new Set(book.values().flatMap((record) => (record.lastGood === null ? [] : [record.lastGood.compiled.digest]))));
  };

  /** Undefined: the policy is gone. */
  const distribute = (key: string): { readonly item: PolicyItem; readonly record: PolicyRecord } | undefined => {
    const cached = options.findPolicy(key);
    if (cached === undefined || cached.isDeleting) {
      remove(key);
      return undefined;
    }
    const item = writer.refine(cached);
    const before = book.get(key);
    if (before !== undefined && before.uid !== item.uid) {
      remove(key);
    }
    const record = refreshRecord(item, book.get(key), (one) => evaluate(one), options.foreignAgents() === 0, clock.monotonicMs());
    book.set(key, record);
    ledger.open(item.uid, item.status?.activity, clock.nowMs());
    const good = record.lastGood;
    if (good !== null) {
      frames.putPlan(PLAN_FORMAT, good.compiled.digest, good.compiled.text);
    }
    desired.assign(item.uid, {
      entry: entryOf(item, record),
      nodeSelector: good?.compiled.nodeSelector ?? null,
      createdMs: item.createdMs,
      planChars: good?.compiled.text.length ?? 0,
    });
    if (before?.lastGood?.compiled.digest !== good?.compiled.digest) {
      forgetPlans();
    }
    if (before?.generation !== record.generation) {
      logEvaluation(log, item, record.evaluation);
    }
    return { item, record };
  };

  const observe = (item: PolicyItem, record: PolicyRecord): { status: PolicyStatus; change: StatusChange; recheckAfterMs?: number } => {
    const nowMs = clock.monotonicMs();
    const facts = nodeFactsOf(
      {
        uid: item.uid,
        nodeSelector: record.lastGood?.compiled.nodeSelector ?? null,
        isCompleted: isCompleted(item.status, item.generation),
        selectedSince: record.selectedSince,
        nowMs,
        unreachableMs: timing.unreachableMs,
      },
      options.nodes.values(),
      options.fleet,
      desired,
    );
    const target = targetOf(record);
    const tally: Tally = tallyNodes(facts.nodes, facts.outsiders, target, timing);
    const lossShare = ledger.lossShare(item.uid, clock.nowMs());
    const alarms = updateAlarms(record.alarms, alarmFacts(tally, lossShare), nowMs, timing.alarmHoldMs);
    book.set(item.key, { ...record, alarms, selectedSince: facts.selectedSince });
    if (record.startedMs !== null && tally.counts.matched > 0 && tally.counts.loaded === tally.counts.matched) {
      loadedSeconds.observe({}, (nowMs - record.startedMs) / 1_000);
      book.set(item.key, { ...record, alarms, selectedSince: facts.selectedSince, startedMs: null });
    }
    const activity = ledger.of(item.uid);
    const result = computeStatus(
      {
        generation: item.generation,
        verdict: verdictOf(record.evaluation, options.foreignAgents()),
        target,
        mode: record.evaluation.kind === 'good' ? record.evaluation.compiled.mode : null,
        tally,
        coverage: facts.haveAllReported ? { isSettled: true } : options.coverage(),
        alarms,
        activity: activity === null ? null : { ...activity, unprotectedStarts: facts.unprotectedStarts },
        previous: item.status,
      },
      { wallMs: clock.nowMs(), monotonicMs: nowMs },
      timing.alarmHoldMs,
    );
    return { ...result, change: classify(item.status, result.status) };
  };

  return {
    reconcile: (key) => {
      const found = distribute(key);
      if (found === undefined) {
        return { kind: 'done' };
      }
      const { status, change, recheckAfterMs } = observe(found.item, found.record);
      writer.submit(found.item, status, change);
      return recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'wait', delayMs: recheckAfterMs };
    },
    distribute: (key) => void distribute(key),
    records: () => book.values(),
  };
}

function verdictOf(evaluation: Evaluation, foreignAgents: number): PolicyVerdict {
  if (evaluation.kind !== 'good') {
    return { kind: evaluation.kind, problems: evaluation.problems };
  }
  return foreignAgents > 0 ? { kind: 'foreign', pods: foreignAgents } : { kind: 'good' };
}

function logEvaluation(log: Log, item: PolicyItem, evaluation: Evaluation): void {
  const fields = { policy: item.key, generation: item.generation };
  if (evaluation.kind === 'good') {
    log.info('Compiled a policy', { ...fields, digest: evaluation.compiled.digest.slice(0, 8), mode: evaluation.compiled.mode });
  } else {
    log.warn('A policy cannot be used', { ...fields, fault: evaluation.kind, problems: evaluation.problems.slice(0, 3) });
  }
}
