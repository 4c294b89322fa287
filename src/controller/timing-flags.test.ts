import { describe, expect, test } from 'vitest';
import { DEFAULT_TIMING } from './timing.ts';
import { formatDuration, parseDurationMs, TIMING_FLAGS, timingOf } from './timing-flags.ts';

describe('time constants as flags', () => {
  test('every constant has exactly one flag', () => {
    expect(TIMING_FLAGS.map((flag) => flag.key).toSorted()).toEqual(Object.keys(DEFAULT_TIMING).toSorted());
    expect(new Set(TIMING_FLAGS.map((flag) => flag.name)).size).toBe(TIMING_FLAGS.length);
  });

  test('durations are written as people write them', () => {
    expect(['500ms', '2s', '10m', '1.5h'].map(parseDurationMs)).toEqual([500, 2_000, 600_000, 5_400_000]);
    for (const durationMs of Object.values(DEFAULT_TIMING)) {
      expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
    }
  });

  test('what is no duration is refused with the name of its flag and what would be right', () => {
    for (const text of ['2', '-1s', '0s', 's', '2 s', '100h', '']) {
      expect(() => timingOf({ heartbeat: text })).toThrow('--heartbeat');
    }
    expect(timingOf({ heartbeat: '2s' })).toEqual({ ...DEFAULT_TIMING, heartbeatMs: 2_000 });
  });
});
