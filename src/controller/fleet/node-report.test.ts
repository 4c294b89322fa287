import { describe, expect, test } from 'vitest';
import type { Entry, Report, Row } from '../../protocol/hub-frames.ts';
import type { DesiredSet } from '../desired/desired-set.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { cellOf, isDelivered, nextReport } from './node-report.ts';

const digest = 'ab'.repeat(32);
const other = 'cd'.repeat(32);

function entry(uid: string, change: Partial<Entry> = {}): Entry {
  return { uid, kind: 'TracingPolicy', namespace: null, name: uid, generation: 1, digest, mode: 'enforce', ...change };
}

function setOf(...entries: Entry[]): DesiredSet {
  return { digest: setDigest(entries), entries: new Map(entries.map((one) => [one.uid, one])) };
}

function row(uid: string, change: Partial<Row> = {}): Row {
  return { uid, generation: 1, runs: null, mode: 'off', state: 'failed', reason: 'FunctionNotFound', ...change };
}

function report(set: DesiredSet, exceptions: Row[] = [], state: Report['state'] = 'applied'): Report {
  return { t: 'report', seq: 1, set: set.digest, state, bound: digest, exceptions };
}

describe('a report is relative to the set it speaks of', () => {
  test('a policy without a row is loaded as the set says; one that is not in the set is unknown', () => {
    const set = setOf(entry('p', { mode: 'monitor' }));
    const said = nextReport(null, report(set), set, 1_000);
    expect(cellOf(said, 'p', 'lsm', 1_500)).toMatchObject({ state: 'loaded', runs: digest, mode: 'monitor', method: 'lsm', ageMs: 500 });
    expect(cellOf(said, 'q', '', 1_500)).toBeNull();
  });

  test('a row says otherwise, and since when', () => {
    const set = setOf(entry('p'));
    const first = nextReport(null, report(set, [row('p')]), set, 1_000);
    const second = nextReport(first, report(set, [row('p', { message: 'again' })]), set, 5_000);
    expect(cellOf(second, 'p', '', 6_000)).toMatchObject({ state: 'failed', message: 'again', ageMs: 5_000 });
    const third = nextReport(second, report(set, [row('p', { reason: 'MemoryLimit' })]), set, 7_000);
    expect(cellOf(third, 'p', '', 7_000)?.ageMs).toBe(0);
  });

  test('while a new set is being applied, what ran before goes on, and the new one counts as delivered', () => {
    const before = setOf(entry('p'));
    const after = setOf(entry('p', { generation: 2, digest: other }));
    const applied = nextReport(null, report(before), before, 0);
    const applying = nextReport(applied, report(after, [], 'applying'), after, 10);
    expect(cellOf(applying, 'p', '', 10)).toMatchObject({ runs: digest });
    expect(isDelivered(applying, after, 'p')).toBe(true);
    expect(isDelivered(applied, after, 'p')).toBe(false);
    expect(cellOf(nextReport(applying, report(after), after, 20), 'p', '', 20)).toMatchObject({ runs: other });
  });

  test('a node that applies its first set has said nothing yet', () => {
    const set = setOf(entry('p'));
    expect(cellOf(nextReport(null, report(set, [], 'applying'), set, 0), 'p', '', 0)).toBeNull();
  });

  test('what failed of a version before is not held against the new one, which the node has but has not tried', () => {
    const before = setOf(entry('p'));
    const after = setOf(entry('p', { generation: 2, digest: other }));
    const failed = nextReport(null, report(before, [row('p')]), before, 0);
    const adopted = nextReport(failed, report(after, [row('p')], 'applying'), after, 10);
    expect(isDelivered(adopted, after, 'p')).toBe(false);
    const tried = nextReport(adopted, report(after, [row('p', { generation: 2 })]), after, 20);
    expect(isDelivered(tried, after, 'p')).toBe(true);
  });

  test('a version that differs in its mode only is not delivered yet', () => {
    const before = setOf(entry('p'));
    expect(isDelivered(nextReport(null, report(before), before, 0), setOf(entry('p', { mode: 'monitor' })), 'p')).toBe(false);
  });

  test('the bad policies of one tenant are no fault of the node, however many', () => {
    const bad = Array.from({ length: 50 }, (_, at) => entry(`bad${at}`, { kind: 'TracingPolicyNamespaced', namespace: 'team-a' }));
    const set = setOf(entry('platform'), ...bad);
    const ofTenant = bad.map(({ uid }) => row(uid));
    expect(nextReport(null, report(set, ofTenant), set, 0).isFailingMost).toBe(false);
    expect(nextReport(null, report(set, [row('platform'), ...ofTenant]), set, 0).isFailingMost).toBe(true);
  });

  test('a node that invents policies fills no memory, and fails none', () => {
    const set = setOf(entry('p'));
    const invented = (at: number): Row[] => Array.from({ length: 9 }, (_, number) => row(`invented-${at}-${number}`));
    let said = nextReport(null, report(set, [row('p')], 'applying'), set, 0);
    for (let at = 1; at < 9; at += 1) {
      said = nextReport(said, report(set, invented(at), 'applying'), set, at);
    }
    expect([...said.rows.keys()]).toEqual(['p']);
    expect(said.isFailingMost).toBe(false);
  });

  test('where five or more policies and more than half fail, it is the fault of the node', () => {
    const set = setOf(...Array.from({ length: 8 }, (_, at) => entry(`p${at}`)));
    const failing = (count: number): boolean =>
      nextReport(
        null,
        report(
          set,
          Array.from({ length: count }, (_, at) => row(`p${at}`)),
        ),
        set,
        0,
      ).isFailingMost;
    expect([4, 5].map(failing)).toEqual([false, true]);
    const small = setOf(entry('p0'), entry('p1'));
    expect(nextReport(null, report(small, [row('p0'), row('p1')]), small, 0).isFailingMost).toBe(false);
  });
});
