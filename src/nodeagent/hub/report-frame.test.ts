import { describe, expect, test } from 'vitest';
import { HUB_LIMITS, reportSchema, type Report, type Row } from '../../protocol/hub-frames.ts';
import { reportFrame } from './report-frame.ts';

const failed = (index: number): Row => ({
  uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  generation: 1,
  runs: null,
  mode: 'off',
  state: 'failed',
  reason: 'VerifierRejected',
  hook: 'lsm:file_open',
  stage: 'load',
  errno: 7,
  message: 'x'.repeat(256),
});
const loaded = (index: number): Row => ({
  ...failed(index),
  runs: 'ab'.repeat(32),
  mode: 'enforce',
  state: 'loaded',
  reason: '',
  method: 'lsm',
});
const report = (rows: readonly Row[]): Report => ({
  t: 'report',
  seq: 1,
  set: 'cd'.repeat(32),
  state: 'applied',
  bound: 'ef'.repeat(32),
  exceptions: [...rows],
});
const many = (count: number, make: (index: number) => Row): Row[] => Array.from({ length: count }, (_, index) => make(index));

function sent(rows: readonly Row[]): { readonly leftOut: string; readonly frame: Report } {
  const { text, leftOut } = reportFrame(report(rows));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(HUB_LIMITS.maxAgentFrameBytes);
  return { leftOut, frame: reportSchema.parse(JSON.parse(text)) };
}

describe('a report is never larger than the hub takes', () => {
  test('one of usual size is sent as it is', () => {
    expect(sent(many(300, failed))).toEqual({ leftOut: 'nothing', frame: report(many(300, failed)) });
  });

  test('with many failures it goes without messages, and every failure is in it', () => {
    const { leftOut, frame } = sent(many(1_000, failed));
    expect(leftOut).toBe('messages');
    expect(frame.exceptions).toHaveLength(1_000);
    expect(frame.exceptions[0]).toMatchObject({ reason: 'VerifierRejected', hook: 'lsm:file_open' });
  });

  test('a row for every policy of a full node goes without those that are as the hub assumes', () => {
    const { leftOut, frame } = sent([...many(4_000, loaded), ...many(96, (index) => failed(4_000 + index))]);
    expect(leftOut).toBe('details');
    expect(frame).toMatchObject({ state: 'applied' });
    expect(frame.exceptions).toHaveLength(96);
  });

  test('with more failures than there is room for, it does not pass the rest off as loaded: the set counts as being applied', () => {
    const { leftOut, frame } = sent(many(4_096, failed));
    expect(leftOut).toBe('rows');
    expect(frame.state).toBe('applying');
    expect(frame.exceptions.length).toBeGreaterThan(1_000);
    expect(sent(many(4_096, failed).toReversed()).frame).toEqual(frame);
  });
});
