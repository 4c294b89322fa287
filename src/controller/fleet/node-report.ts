import type { Report, Row } from '../../protocol/hub-frames.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import type { Cell } from '../status/node-fact.ts';

/** A row and since when (monotonic) the node has been saying it. */
type DatedRow = { readonly row: Row; readonly sinceMs: number };

/** What a node said last, resolved against the set it spoke of. */
export type NodeReport = {
  /** The set that is applied; null: none yet, the node is applying its first. */
  readonly applied: DesiredSet | null;
  /** The set the node holds: applied, or being applied. */
  readonly held: DesiredSet;
  readonly rows: ReadonlyMap<string, DatedRow>;
  readonly atMs: number;
  /** So many policies fail here that it must be the node's fault (control-plane 7.2). */
  readonly isFailingMost: boolean;
};

const MIN_FAILING_POLICIES = 5;
const FAILING_STATES: ReadonlySet<Row['state']> = new Set(['failed', 'fallback', 'excluded']);

/**
 * `set` is the set of `report.set`. While a set is being applied, what is not in a row goes on as it was. Rows of policies that the node was
 * never asked to run are dropped: a node could go on inventing them.
 */
export function nextReport(previous: NodeReport | null, report: Report, set: DesiredSet, nowMs: number): NodeReport {
  const applied = report.state === 'applied' ? set : (previous?.applied ?? null);
  const isAsked = (uid: string): boolean => set.entries.has(uid) || applied?.entries.has(uid) === true;
  const exceptions = report.exceptions.filter((row) => isAsked(row.uid));
  const rows = new Map<string, DatedRow>();
  for (const row of exceptions) {
    const before = previous?.rows.get(row.uid);
    const isSame = before?.row.state === row.state && before.row.reason === row.reason && before.row.runs === row.runs;
    rows.set(row.uid, { row, sinceMs: isSame ? before.sinceMs : nowMs });
  }
  if (report.state === 'applying') {
    for (const [uid, dated] of previous?.rows ?? []) {
      if (!rows.has(uid) && isAsked(uid)) {
        rows.set(uid, dated);
      }
    }
  }
  const failing = exceptions.filter((row) => FAILING_STATES.has(row.state)).map((row) => row.uid);
  return {
    applied,
    held: set,
    rows,
    atMs: nowMs,
    isFailingMost: isMost(failing, set),
  };
}

/**
 * At least five policies and more than half, and of more than half of those who own any (namespaces, and the platform): the bad policies of
 * one tenant must not make what fails of others look like the node's fault.
 */
function isMost(failing: readonly string[], { entries }: DesiredSet): boolean {
  if (failing.length < MIN_FAILING_POLICIES || failing.length * 2 <= entries.size) {
    return false;
  }
  const owners = new Set(entries.values().map((entry) => entry.namespace));
  const failingOwners = new Set(failing.flatMap((uid) => entries.get(uid) ?? []).map((entry) => entry.namespace));
  return failingOwners.size * 2 > owners.size;
}

/** What the node says about one policy: its row, else what the applied set implies; null: nothing. */
export function cellOf(report: NodeReport, uid: string, predictedMethod: string, nowMs: number): Cell | null {
  const dated = report.rows.get(uid);
  if (dated !== undefined) {
    const { row } = dated;
    return {
      state: row.state,
      reason: row.reason,
      runs: row.runs,
      mode: row.mode,
      hook: row.hook ?? '',
      method: row.method ?? '',
      message: row.message ?? '',
      canEnforce: row.canEnforce ?? true,
      ageMs: nowMs - dated.sinceMs,
    };
  }
  const entry = report.applied?.entries.get(uid);
  if (entry === undefined) {
    return null;
  }
  return {
    state: 'loaded',
    reason: '',
    runs: entry.digest,
    mode: entry.mode,
    hook: '',
    method: predictedMethod,
    message: '',
    canEnforce: true,
    ageMs: nowMs - report.atMs,
  };
}

/**
 * The node has said that it holds this very version. A row may still be about the one before: it was told while the node had taken in a new
 * set, and had not tried it yet.
 */
export function isDelivered(report: NodeReport | null, set: DesiredSet, uid: string): boolean {
  const held = report?.held.entries.get(uid);
  const wanted = set.entries.get(uid);
  const row = report?.rows.get(uid)?.row;
  if (held === undefined || wanted === undefined || (row !== undefined && row.generation !== wanted.generation)) {
    return false;
  }
  return held.digest === wanted.digest && held.mode === wanted.mode;
}
