import { zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { boundDigest } from './bound-digest.ts';
import { decodeHubBinary, encodeCatalogueFrame, encodeDesiredFrame, encodePlanFrame, HubBinaryError } from './hub-binary.ts';
import { agentFrameSchema, hubFrameSchema, HUB_LIMITS, type Entry } from './hub-frames.ts';
import { kernelBuildOf } from './kernel-build.ts';
import { EMPTY_SET_DIGEST, setDigest } from './set-digest.ts';

const digest = 'ab'.repeat(32);

function entry(uid: string, change: Partial<Entry> = {}): Entry {
  return { uid, kind: 'TracingPolicy', namespace: null, name: uid, generation: 1, digest, mode: 'enforce', ...change };
}

describe('frames of the hub', () => {
  test('a report of a node without surprises is at most 250 bytes', () => {
    const report = { t: 'report', seq: 7, set: digest, state: 'applied', bound: digest, exceptions: [] };
    expect(agentFrameSchema.parse(report)).toEqual(report);
    expect(JSON.stringify(report).length).toBeLessThanOrEqual(250);
  });

  test('members that this version does not know are ignored, so that the next version can add some', () => {
    const parsed = agentFrameSchema.parse({ t: 'get', digests: [digest], priority: 3 });
    expect(parsed).toEqual({ t: 'get', digests: [digest] });
  });

  test('an unknown frame, an empty one and a digest in capitals are refused', () => {
    expect(agentFrameSchema.safeParse({ t: 'dance' }).success).toBe(false);
    expect(agentFrameSchema.safeParse({}).success).toBe(false);
    expect(agentFrameSchema.safeParse({ t: 'get', digests: ['AB'.repeat(32)] }).success).toBe(false);
    expect(hubFrameSchema.safeParse({ t: 'get', digests: [digest] }).success).toBe(false);
  });
});

describe('digests that both ends compute', () => {
  test('the digest of a set does not depend on the order of its entries', () => {
    expect(setDigest([entry('a'), entry('b')])).toBe(setDigest([entry('b'), entry('a')]));
  });

  test('every member of an entry counts', () => {
    const base = setDigest([entry('a')]);
    const changes: Partial<Entry>[] = [
      { kind: 'TracingPolicyNamespaced' },
      { namespace: 'x' },
      { name: 'other' },
      { generation: 2 },
      { digest: null },
      { mode: 'monitor' },
      { fallback: digest },
      { shadow: digest },
    ];
    const all = new Set([base, EMPTY_SET_DIGEST, ...changes.map((change) => setDigest([entry('a', change)]))]);
    expect(all.size).toBe(changes.length + 2);
  });

  test('the digest of attach methods does not depend on any order', () => {
    const hook = (path: string): { path: string; method: string } => ({ path, method: 'lsm' });
    expect(
      boundDigest([
        { uid: 'a', hooks: [hook('x'), hook('y')] },
        { uid: 'b', hooks: [] },
      ]),
    ).toBe(
      boundDigest([
        { uid: 'b', hooks: [] },
        { uid: 'a', hooks: [hook('y'), hook('x')] },
      ]),
    );
  });

  test('kernels with other facts are other builds', () => {
    const kernel = { release: '6.1.0', version: '#1', arch: 'x86_64', lsm: ['bpf'], preempt: 'none', facts: { btf: true, a: 'b' } };
    expect(kernelBuildOf(kernel)).toBe(kernelBuildOf({ ...kernel, facts: { a: 'b', btf: true } }));
    expect(kernelBuildOf(kernel)).not.toBe(kernelBuildOf({ ...kernel, facts: { btf: false, a: 'b' } }));
  });
});

describe('binary frames', () => {
  test('plans, large sets and catalogues come back as they were', () => {
    expect(decodeHubBinary(encodePlanFrame(1, digest, '{"format":1}'))).toEqual({ kind: 'plan', format: 1, digest, text: '{"format":1}' });
    expect(decodeHubBinary(encodeDesiredFrame('{}'))).toEqual({ kind: 'desired', text: '{}' });
    expect(decodeHubBinary(encodeCatalogueFrame(digest, '[]'))).toEqual({ kind: 'catalogue', build: digest, text: '[]' });
  });

  test('a small frame that unpacks to more than its bound is refused', () => {
    const bomb = zstdCompressSync(Buffer.alloc(HUB_LIMITS.maxPlanUnpackedBytes + 1));
    const frame = Buffer.concat([Buffer.from([1, 1]), Buffer.from(digest, 'hex'), bomb]);
    expect(frame.byteLength).toBeLessThan(10_000);
    expect(() => decodeHubBinary(frame)).toThrow(HubBinaryError);
  });

  test('garbage, an empty frame and an unknown kind are refused', () => {
    for (const bytes of [[], [1], [9, 1, 2], [2, 1, 2, 3]]) {
      expect(() => decodeHubBinary(Buffer.from(bytes))).toThrow(HubBinaryError);
    }
  });
});
