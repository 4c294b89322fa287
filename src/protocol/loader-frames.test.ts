import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFrame,
  encodeFrame,
  FLAG_ANSWER,
  FrameError,
  FrameStream,
  LOADER_OPS,
  LOADER_TAGS,
  readResult,
  textTlv,
  tlvTexts,
  tlvU16,
  tlvU32,
  tlvU64,
  tlvValue,
  u16Tlv,
  u32Tlv,
  u64Tlv,
} from './loader-frames.ts';

const frameArbitrary = fc.record({
  op: fc.nat(0xffff),
  flags: fc.nat(0xffff),
  id: fc.nat(0xffffffff),
  tlvs: fc.array(fc.record({ tag: fc.nat(0xffff), value: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 6 }),
});

describe('loader frames', () => {
  it('come out of a stream as they went in, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(frameArbitrary, { maxLength: 5 }), fc.integer({ min: 1, max: 17 }), (frames, step) => {
        const bytes = Buffer.concat(frames.map(encodeFrame));
        const stream = new FrameStream();
        const out = [];
        for (let at = 0; at < bytes.length; at += step) out.push(...stream.push(bytes.subarray(at, at + step)));
        expect(plain(out)).toEqual(plain(frames));
        expect(stream.rest()).toHaveLength(0);
      }),
    );
  });

  it('never let random bytes do more than throw a FrameError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeFrame(bytes);
          new FrameStream().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  it('refuse a length that no frame can have at once, before buffering it', () => {
    expect(() => new FrameStream().push(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))).toThrow(FrameError);
    expect(() => new FrameStream().push(Uint8Array.of(11, 0, 0, 0))).toThrow(FrameError);
  });

  it('carry numbers and texts', () => {
    const frame = decodeFrame(
      encodeFrame({
        op: LOADER_OPS.HOOK,
        flags: FLAG_ANSWER,
        id: 7,
        tlvs: [u16Tlv('MAP', 16), u32Tlv('HOOK', 4_000_000_000), u64Tlv('ABI', 2n ** 63n), textTlv('FACT', 'a=b'), textTlv('FACT', 'ü=1')],
      }),
    );
    expect(tlvU16(frame, 'MAP')).toBe(16);
    expect(tlvU32(frame, 'HOOK')).toBe(4_000_000_000);
    expect(tlvU64(frame, 'ABI')).toBe(2n ** 63n);
    expect(tlvTexts(frame, 'FACT')).toEqual(['a=b', 'ü=1']);
    expect(tlvValue(frame, 'LABEL')).toBeUndefined();
    expect(() => tlvValue(frame, 'FACT')).toThrow('FACT is repeated');
    expect(() => tlvU16(frame, 'HOOK')).toThrow('HOOK has 4 bytes; 2 are right');
  });

  it('read the result of an answer, and refuse one without a stage', () => {
    const frame = {
      op: 1,
      flags: FLAG_ANSWER,
      id: 1,
      tlvs: [u16Tlv('STAGE', 5), u32Tlv('ERRNO', 22), textTlv('REASON', 'VerifierRejected'), textTlv('MESSAGE', 'no')],
    };
    expect(readResult(frame)).toEqual({ stage: 'load', errno: 22, reason: 'VerifierRejected', message: 'no', verifier: '' });
    expect(() => readResult({ op: 1, flags: FLAG_ANSWER, id: 1, tlvs: [] })).toThrow(FrameError);
  });

  it('give every tag and every op its own number', () => {
    for (const table of [LOADER_TAGS, LOADER_OPS]) expect(new Set(Object.values(table)).size).toBe(Object.keys(table).length);
  });
});

function plain(frames: readonly ReturnType<typeof decodeFrame>[]): unknown {
  return frames.map((frame) => ({ ...frame, tlvs: frame.tlvs.map(({ tag, value }) => ({ tag, value: [...value] })) }));
}
