import { describe, expect, test } from 'vitest';
import type { Desired, Entry } from '../../protocol/hub-frames.ts';
import { setDigest } from '../../protocol/set-digest.ts';
import { applyDesired, planDigestsOf, UNKNOWN_SET } from './desired-set.ts';

const entry = (uid: string, digest: string | null = 'a'.repeat(64)): Entry => ({
  uid,
  kind: 'TracingPolicy',
  namespace: null,
  name: uid,
  generation: 1,
  digest,
  mode: 'enforce',
});
const frame = (fields: Partial<Desired>): Desired => ({ t: 'desired', epoch: 0, base: null, set: '', upsert: [], remove: [], ...fields });

describe('A desired set', () => {
  test('grows and shrinks by frames that name what they build on', () => {
    const first = applyDesired(UNKNOWN_SET, frame({ set: setDigest([entry('a'), entry('b')]), upsert: [entry('b'), entry('a')] }));
    if (!first.ok) throw new Error(first.message);
    const second = applyDesired(first.set, frame({ base: first.set.digest, set: setDigest([entry('b')]), remove: ['a'] }));
    expect(second).toMatchObject({ ok: true, set: { entries: [{ uid: 'b' }] } });
  });

  test('is refused when it builds on another one, or is not what it says it is', () => {
    expect(applyDesired(UNKNOWN_SET, frame({ base: 'c'.repeat(64), set: 'd'.repeat(64) }))).toMatchObject({ ok: false });
    expect(applyDesired(UNKNOWN_SET, frame({ set: 'd'.repeat(64), upsert: [entry('a')] }))).toMatchObject({ ok: false });
  });

  test('needs the plans of targets and fall-backs, and none for a hold', () => {
    const entries = [entry('a', 'a'.repeat(64)), { ...entry('b', 'b'.repeat(64)), fallback: 'c'.repeat(64) }, entry('d', null)];
    expect([...planDigestsOf({ digest: null, entries })]).toEqual(['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]);
  });
});
