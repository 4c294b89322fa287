import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerOf, pathOf } from './hook-record.ts';
import { PAL_KIND_HOOK, PAL_T_INT } from './layout.ts';
import { readRecord, recordLengthAt } from './record.ts';
import { buildExec, buildExit, buildHook, pathArgument } from './testing/record-builder.ts';

const task = { key: { execKtimeNs: 9_007_199_254_740_993n, tgid: 42 }, uid: 1000, cgroupId: 77n };

describe('records of the event rings', () => {
  it('an exec record gives path, directory and arguments as the process had them', () => {
    const read = readRecord(buildExec({ task, path: '/bin/cat', cwd: '/root', args: ['cat', '/etc/passwd'], seq: 7n, cpu: 3 }));
    if (!read.ok || read.record.kind !== 'exec') throw new Error('not an exec record');
    expect(read.record.path.toString()).toBe('/bin/cat');
    expect(read.record.cwd.toString()).toBe('/root');
    expect(read.record.args.toString()).toBe('cat\0/etc/passwd\0');
    expect(read.record.header).toMatchObject({ seq: 7n, cpu: 3, ring: 'critical' });
  });

  it('the time of an exec keeps its last nanosecond, because it names the process', () => {
    const read = readRecord(buildExit({ task, code: 256, signal: 9 }));
    if (!read.ok || read.record.kind !== 'exit') throw new Error('not an exit record');
    expect(read.record.task.key.execKtimeNs).toBe(9_007_199_254_740_993n);
    expect(read.record).toMatchObject({ code: 256, signal: 9 });
  });

  it('a hook record gives its matches and arguments in order', () => {
    const number = Buffer.alloc(8);
    number.writeBigInt64LE(-2n);
    const read = readRecord(
      buildHook({
        task,
        hook: 5,
        errno: -1,
        signal: 9,
        ring: 'telemetry',
        matches: [
          { policy: 3, selector: 1, actions: 8 },
          { policy: 4, selector: 0, actions: 1 },
        ],
        args: [{ slot: 0, type: PAL_T_INT, data: number }, pathArgument(1, '/etc/shadow', 0o100644)],
      }),
    );
    if (!read.ok || read.record.kind !== 'hook') throw new Error('not a hook record');
    const [first, second] = read.record.args;
    if (first === undefined || second === undefined) throw new Error('two arguments were written');
    expect(read.record.matches.map((match) => match.policy)).toEqual([3, 4]);
    expect(read.record.header.ring).toBe('telemetry');
    expect(integerOf(first)).toBe(-2n);
    expect(pathOf(second)).toMatchObject({ mode: 0o100644, deleted: false });
    expect(pathOf(second)?.path.toString()).toBe('/etc/shadow');
    expect(integerOf(second)).toBeNull();
  });

  it('an argument that claims to be longer than its record is refused', () => {
    const bytes = buildHook({ task, matches: [], args: [{ slot: 0, type: PAL_T_INT, data: Buffer.alloc(8) }] });
    bytes.writeUInt32LE(0xffff_ffff, bytes.length - 12);
    expect(readRecord(bytes)).toMatchObject({ ok: false, problem: { code: 'RecordContent' } });
  });

  it('a length that no record can have says that the stream is out of step', () => {
    const bytes = Buffer.alloc(64);
    for (const length of [0, 31, 33, 32_776]) {
      bytes.writeUInt32LE(length, 0);
      expect(recordLengthAt(bytes, 0)).toBe(-1);
    }
    bytes.writeUInt32LE(64, 0);
    expect(recordLengthAt(bytes, 0)).toBe(64);
    expect(recordLengthAt(bytes, 40)).toBeNull();
  });

  it('no bytes whatever make the reader throw or look outside', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 0, max: 9 }), (noise, kind) => {
        const bytes = Buffer.from(noise);
        if (bytes.length >= 32) {
          bytes.writeUInt32LE(bytes.length, 0);
          bytes.writeUInt8(kind, 4);
        }
        const read = readRecord(bytes);
        if (read.ok && read.record.kind === 'hook') read.record.args.forEach((arg) => pathOf(arg) ?? integerOf(arg));
      }),
      { numRuns: 2000 },
    );
  });

  it('a whole record with one damaged byte is read or refused, never thrown', () => {
    const whole = buildHook({ task, matches: [{ policy: 1, selector: 0, actions: 1 }], args: [pathArgument(0, '/etc/passwd', 0)] });
    expect(whole.readUInt8(4)).toBe(PAL_KIND_HOOK);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        readRecord(bytes);
      }),
    );
  });
});
