import { describe, expect, it } from 'vitest';
import type { PlanArg, PlanArgType } from '../plan.ts';
import { createProblemSink, formatProblem } from '../problem.ts';
import { readArgument } from './argument-value.ts';
import type { ArgumentWords } from './test-schema.ts';

function read(type: PlanArgType, words: ArgumentWords): unknown {
  const sink = createProblemSink();
  const arg: PlanArg = { index: 0, type, label: '' };
  const value = readArgument(sink, 'args[0]', arg, words);
  const problems = sink.list().map(formatProblem);
  return problems.length > 0 ? problems.join('\n') : value;
}

const int = (value: bigint): object => ({ kind: 'int', value });

describe('values of arguments in tests', () => {
  it('reads numbers in every spelling that policies have', () => {
    expect(read('int32', 80)).toEqual(int(80n));
    expect(read('int32', '-1')).toEqual(int(-1n));
    expect(read('uint64', '0xffffffffffffffff')).toEqual(int((1n << 64n) - 1n));
    expect(read('capability', 'CAP_SYS_ADMIN')).toEqual(int(21n));
    expect(read('capability', 21)).toEqual(int(21n));
    expect(read('syscall64', 'sys_openat')).toMatchObject({ kind: 'int', syscall: 'sys_openat' });
    expect(read('syscall64', 257)).toEqual(int(257n));
    expect(read('auto', 7)).toEqual(int(7n));
  });

  it('refuses numbers that the type cannot hold, and what YAML has rounded', () => {
    expect(read('uint8', 256)).toContain('256 is no value of type uint8; from 0 to 255');
    expect(read('uint32', -1)).toContain('from 0 to 4294967295');
    expect(read('uint64', 2 ** 60)).toContain('is not exact as a number; put it in quotes');
    expect(read('int32', '/etc')).toContain('is no integer');
    expect(read('int32', 1.5)).toContain('is no integer');
    expect(read('int32', ['CAP_CHOWN'])).toContain('give a number');
  });

  it('reads sets of capabilities', () => {
    expect(read('cap_effective', ['CAP_CHOWN', 'cap_kill', 'sys_admin'])).toEqual(int(1n | (1n << 5n) | (1n << 21n)));
    expect(read('kernel_cap_t', '0x3')).toEqual(int(3n));
    expect(read('kernel_cap_t', ['CAP_SYS_ADMN'])).toContain('did you mean "CAP_SYS_ADMIN"?');
  });

  it('reads texts, files and bytes', () => {
    expect(read('string', '/x')).toEqual({ kind: 'bytes', value: Buffer.from('/x') });
    expect(read('file', '/x')).toEqual({ kind: 'bytes', value: Buffer.from('/x'), fileMode: 0o100_644 });
    expect(read('path', { text: '/dev/sda', fileType: 'blk' })).toMatchObject({ fileMode: 0o060_660 });
    expect(read('char_buf', { hex: '7f454C46' })).toEqual({ kind: 'bytes', value: Buffer.from([0x7f, 0x45, 0x4c, 0x46]) });
    expect(read('sockaddr_un', { text: '/run/x', family: 'AF_UNIX' })).toMatchObject({ family: 1 });
    expect(read('file', 5)).toContain('put it in quotes, "5"');
    expect(read('char_buf', { hex: '7' })).toContain('is not hexadecimal');
    expect(read('file', {})).toContain('give either text or hex');
    expect(read('string', { text: 'x', fileType: 'dir' })).toContain('a value of type string has no fileType; it has text, hex');
    expect(read('file', { daddr: '10.0.0.1' })).toContain('a value of type file has no daddr');
  });

  it('reads sockets, and what follows from their addresses', () => {
    expect(read('sock', { daddr: '10.0.0.1', dport: 443 })).toEqual({
      kind: 'socket',
      family: 2,
      protocol: 6,
      state: 0,
      source: new Uint8Array(4),
      destination: Uint8Array.of(10, 0, 0, 1),
      sourcePort: 0,
      destinationPort: 443,
    });
    expect(read('sock', { saddr: '::1' })).toMatchObject({ family: 10, destination: new Uint8Array(16) });
    expect(read('skb', { daddr: '::ffff:10.0.0.1' })).toMatchObject({ destination: Uint8Array.of(10, 0, 0, 1) });
    expect(read('sock', { family: 'AF_UNIX' })).toMatchObject({ family: 1, protocol: 0, source: null, destination: null });
    expect(read('sock', { protocol: 'IPPROTO_UDP', state: 'TCP_LISTEN' })).toMatchObject({ protocol: 17, state: 10 });
    expect(read('sock', { protocol: 'UDP' })).toContain('is none of its values');
    expect(read('sock', { daddr: '10.0.0' })).toContain('is no IP address');
    expect(read('sock', { dport: 65_536 })).toContain('is no port');
    expect(read('sock', '10.0.0.1')).toContain('is no socket; for example { daddr: 10.0.0.1, dport: 443 }');
  });

  it('gives a bare address one end only, the source, as filters name it', () => {
    expect(read('sockaddr', { saddr: '10.0.0.1', sport: 443 })).toMatchObject({ source: Uint8Array.of(10, 0, 0, 1), sourcePort: 443 });
    expect(read('sockaddr', { daddr: '10.0.0.1' })).toContain('a value of type sockaddr has no daddr; it has family, saddr, sport');
    expect(read('sockaddr', '10.0.0.1')).toContain('is no address; for example { saddr: 10.0.0.1, sport: 443 }');
  });

  it('has words for what could not be read, and a way to write these words as texts', () => {
    for (const type of ['file', 'int32', 'sock', 'kernel_cap_t', 'cred'] as const) {
      expect(read(type, 'unknown')).toEqual({ kind: 'unknown' });
      expect(read(type, 'absent')).toEqual({ kind: 'absent' });
      expect(read(type, 'null')).toEqual({ kind: 'null' });
    }
    expect(read('string', { text: 'unknown' })).toEqual({ kind: 'bytes', value: Buffer.from('unknown') });
    expect(read('cred', 'root')).toEqual({ kind: 'shown' });
  });
});
