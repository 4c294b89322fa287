import type { CompiledPolicy } from '../../policy/compile.ts';
import type { Entry } from '../../protocol/hub-frames.ts';
import { alarmsFromStatus, type Alarms } from '../status/alarms.ts';
import { isCompleted } from '../status/completion.ts';
import type { Target } from '../status/node-fact.ts';
import type { Evaluation } from './evaluation.ts';
import type { PolicyItem } from './policy-item.ts';

/** A version of a policy that compiled. */
export type GoodVersion = { readonly generation: number; readonly compiled: CompiledPolicy };

/** What the controller remembers of one policy between two looks at it. */
export type PolicyRecord = {
  readonly key: string;
  readonly uid: string;
  /** Since when (monotonic) this process has known this generation; null: its completion was counted, or is not this process's to count. */
  readonly startedMs: number | null;
  /** Of this generation. */
  readonly generation: number;
  readonly evaluation: Evaluation;
  /** The newest version that compiled, as far as this process knows; null: none, nodes hold what they run. */
  readonly lastGood: GoodVersion | null;
  /** Nodes may get a version that is not running yet. False beside agents of upstream. */
  readonly mayLoad: boolean;
  readonly alarms: Alarms;
  /** Since when (monotonic) each selected node that has said nothing yet has been selected. */
  readonly selectedSince: ReadonlyMap<string, number>;
};

/** The record after a look at the object; evaluates only when the text changed. */
export function refreshRecord(
  item: PolicyItem,
  previous: PolicyRecord | undefined,
  evaluate: (item: PolicyItem) => Evaluation,
  mayLoad: boolean,
  nowMs: number,
): PolicyRecord {
  const same = previous?.uid === item.uid ? previous : undefined;
  const isSameText = same !== undefined && same.generation === item.generation;
  const evaluation = isSameText ? same.evaluation : evaluate(item);
  const isGood = evaluation.kind === 'good' && mayLoad;
  return {
    key: item.key,
    uid: item.uid,
    generation: item.generation,
    startedMs: isSameText ? same.startedMs : isCompleted(item.status, item.generation) ? null : nowMs,
    evaluation,
    lastGood: isGood ? { generation: item.generation, compiled: evaluation.compiled } : (same?.lastGood ?? null),
    mayLoad,
    alarms: same?.alarms ?? alarmsFromStatus(item.status),
    selectedSince: same?.selectedSince ?? new Map(),
  };
}

/** What nodes are told to run: the last good version, or to hold what they have. */
export function entryOf(item: PolicyItem, record: PolicyRecord): Entry {
  const good = record.lastGood;
  return {
    uid: item.uid,
    kind: item.kind,
    namespace: item.namespace,
    name: item.name,
    generation: good?.generation ?? item.generation,
    digest: good?.compiled.digest ?? null,
    mode: good?.compiled.mode ?? 'enforce',
  };
}

export function targetOf(record: PolicyRecord): Target {
  const good = record.lastGood;
  return {
    generation: good?.generation ?? record.generation,
    digest: good?.compiled.digest ?? null,
    mode: good?.compiled.mode ?? 'enforce',
    hasEnforcement: good?.compiled.enforces ?? false,
  };
}
