import { describe, expect, test } from 'vitest';
import { createActivityLedger } from './activity-ledger.ts';

const start = Date.UTC(2026, 10, 22);

describe('what all nodes counted for a policy', () => {
  test('adds up, and remembers the newest match', () => {
    const ledger = createActivityLedger(600_000);
    ledger.open('p', undefined, start);
    ledger.add([['p', 2, 1, 1, 0, 5_000]], start + 60_000);
    ledger.add([['p', 3, 0, 0, 4, 30_000]], start + 60_000);
    expect(ledger.of('p')).toEqual({
      since: '2026-11-22T00:00:00Z',
      events: 5,
      wouldEnforce: 1,
      enforced: 1,
      lost: 4,
      lastMatch: '2026-11-22T00:00:55Z',
    });
  });

  test('goes on from the stored status after a restart of the controller', () => {
    const ledger = createActivityLedger(600_000);
    ledger.open('p', { since: '2026-01-01T00:00:00Z', events: 41, lastMatch: '2026-02-01T00:00:00Z' }, start);
    ledger.add([['p', 1, 0, 0, 0, 0]], start);
    expect(ledger.of('p')).toMatchObject({ since: '2026-01-01T00:00:00Z', events: 42 });
  });

  test('counts rows about policies that are not there', () => {
    const ledger = createActivityLedger(600_000);
    expect(ledger.add([['gone', 1, 1, 1, 1, 1]], start)).toEqual({ unknown: 1 });
    expect(ledger.of('gone')).toBeNull();
  });

  test('knows what share of the events was lost of late, and forgets it', () => {
    const ledger = createActivityLedger(600_000);
    ledger.open('p', undefined, start);
    ledger.add([['p', 90, 0, 0, 10, 0]], start);
    expect(ledger.lossShare('p', start)).toBeCloseTo(0.1);
    expect(ledger.lossShare('p', start + 600_000)).toBe(0);
    ledger.add([['p', 100, 0, 0, 0, 0]], start + 700_000);
    expect(ledger.lossShare('p', start + 700_000)).toBe(0);
  });

  test('nodes cannot make numbers that JSON cannot carry', () => {
    const ledger = createActivityLedger(600_000);
    ledger.open('p', undefined, start);
    for (let at = 0; at < 3; at += 1) {
      ledger.add([['p', Number.MAX_SAFE_INTEGER, 0, 0, 0, 0]], start);
    }
    expect(ledger.of('p')?.events).toBe(Number.MAX_SAFE_INTEGER);
  });
});
