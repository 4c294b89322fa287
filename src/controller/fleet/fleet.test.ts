import { describe, expect, test } from 'vitest';
import { createFleet, faultOf, isReachable, noticeOf } from './fleet.ts';

const health = (fault: string) => ({ t: 'health' as const, loader: 'ok' as const, fault, unprotectedStarts: 0 });

describe('what a node says of itself', () => {
  test('is shown where it is a reason for not loading, whoever is to blame for that elsewhere', () => {
    const fleet = createFleet();
    fleet.agentSeen('a', 0);
    const noticed = ['CacheUnwritable', 'LoadError', 'Ready', 'NotInventedYet'].map((fault) => {
      fleet.health('a', health(fault));
      const node = fleet.get('a');
      return node === undefined ? null : noticeOf(node);
    });
    expect(noticed).toEqual(['CacheUnwritable', 'LoadError', null, null]);
  });

  test('takes it out of the count only when its loader is down', () => {
    const fleet = createFleet();
    fleet.agentSeen('a', 0);
    fleet.health('a', { t: 'health', loader: 'restarting', unprotectedStarts: 0 });
    const node = fleet.get('a');
    expect(node === undefined ? null : faultOf(node)).toBeNull();
    expect(node === undefined ? null : faultOf({ ...node, health: { t: 'health', loader: 'down', unprotectedStarts: 0 } })).toBe(
      'LoaderUnavailable',
    );
  });
});

describe('a node', () => {
  test('is out of reach while its agent dials again and again and is never welcome', () => {
    const fleet = createFleet();
    fleet.agentSeen('a', 0);
    for (let nowMs = 60_000; nowMs <= 600_000; nowMs += 60_000) {
      fleet.disconnected('a', nowMs);
    }
    const node = fleet.get('a');
    expect(node !== undefined && isReachable(node, 600_000, 180_000)).toBe(false);
  });
});
