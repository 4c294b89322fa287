import { describe, expect, it } from 'vitest';
import type { PlanArg, PlanArgType, PlanBytesOperator, PlanFilter } from '../plan.ts';
import type { PlanBinaryFilter, PlanPidFilter } from '../plan-process-filters.ts';
import type { ArgValue, ProcessFacts, SocketValue } from './event.ts';
import { answer } from './filter.ts';
import { callBy, noNamespaces, ran } from './testing/processes.ts';

function of(filter: PlanFilter, process: Partial<ProcessFacts>) {
  return answer(filter, [], callBy(process));
}

function on(filter: PlanFilter, value: ArgValue, type: PlanArgType = 'file') {
  const arg: PlanArg = { index: 0, type, label: '' };
  return answer(filter, [arg, arg], callBy({}, [value]));
}

const text = (value: string, facts: { fileMode?: number; family?: number } = {}): ArgValue => ({
  kind: 'bytes',
  value: Buffer.from(value),
  ...facts,
});
const int = (value: bigint): ArgValue => ({ kind: 'int', value });

describe('a filter on executables', () => {
  const shells: PlanBinaryFilter = { on: 'binary', operator: 'In', values: ['/bin/bash', '/bin/sh'] };
  const tree: PlanBinaryFilter = { ...shells, followChildren: true };

  it('In holds for one of the paths, NotIn for all others, Prefix and Postfix for parts', () => {
    expect([of(shells, ran('/bin/sh')), of(shells, ran('/bin/s')), of(shells, ran(null))]).toEqual(['yes', 'no', 'unknown']);
    expect(of({ ...shells, operator: 'NotIn' }, ran('/bin/ls'))).toBe('yes');
    expect(of({ on: 'binary', operator: 'Prefix', values: ['/bin/'] }, ran('/bin/ls'))).toBe('yes');
    expect(of({ on: 'binary', operator: 'NotPostfix', values: ['ls'] }, ran('/bin/ls'))).toBe('no');
  });

  it('followChildren makes a process what all before it ran, and unknown if that is not known', () => {
    const curl = ran('/bin/curl');
    expect(of(shells, { ...curl, ancestors: [ran('/bin/sh')] })).toBe('no');
    expect(of(tree, { ...curl, ancestors: [ran('/bin/sudo'), ran('/bin/sh')] })).toBe('yes');
    expect(of({ ...tree, operator: 'NotIn' }, { ...curl, ancestors: [ran('/bin/sudo'), ran('/bin/sh')] })).toBe('no');
    expect(of({ ...tree, operator: 'NotIn' }, { ...curl, ancestors: [ran('/bin/sudo')] })).toBe('yes');
    expect(of(tree, { ...curl, ancestors: [ran(null), ran('/bin/sudo')] })).toBe('unknown');
    expect(of(tree, { ...curl, ancestors: [ran(null), ran('/bin/sh')] })).toBe('yes');
    expect(of(tree, curl)).toBe('unknown');
    expect(of(tree, ran('/bin/sh'))).toBe('yes');
  });

  it('followChildren is not left by an exec', () => {
    const executed = { ...ran('/bin/curl'), formerBinaries: [Buffer.from('/bin/sh')], ancestors: [] };
    expect([of(shells, executed), of(tree, executed), of({ ...tree, operator: 'NotIn' }, executed)]).toEqual(['no', 'yes', 'no']);
    expect(of(tree, { ...ran('/bin/nc'), ancestors: [executed] })).toBe('yes');
  });

  it('of the parent is about the parent, and unknown where none is known: upstream lets these pass', () => {
    const parent: PlanBinaryFilter = { ...shells, of: 'parent' };
    expect(of(parent, { ...ran('/bin/curl'), ancestors: [ran('/bin/sh')] })).toBe('yes');
    expect(of(parent, { ...ran('/bin/sh'), ancestors: [ran('/sbin/init')] })).toBe('no');
    expect(of(parent, { ...ran('/sbin/init'), ancestors: [] })).toBe('unknown');
    expect(of(parent, ran('/bin/sh'))).toBe('unknown');
    expect(of({ ...parent, followChildren: true }, { ...ran('/x'), ancestors: [ran('/y'), ran('/bin/sh')] })).toBe('yes');
  });
});

describe('a filter on process ids', () => {
  const first: PlanPidFilter = { on: 'pid', operator: 'In', values: ['1', '42'] };

  it('holds for one of the ids, and is unknown without one', () => {
    expect([of(first, { pid: 42 }), of(first, { pid: 4 }), of(first, {})]).toEqual(['yes', 'no', 'unknown']);
    expect(of({ ...first, operator: 'NotIn' }, { pid: 4 })).toBe('yes');
  });

  it('in the namespace of the process is 0 on the host (as upstream)', () => {
    const inside: PlanPidFilter = { ...first, isNamespacePid: true };
    expect(of(inside, { pid: 7, nsPid: 1 })).toBe('yes');
    expect(of(inside, { pid: 1, nsPid: null })).toBe('no');
    expect(of({ ...inside, operator: 'NotIn' }, { pid: 7, nsPid: null })).toBe('yes');
    expect(of({ ...inside, values: ['0'] }, { pid: 7, nsPid: null })).toBe('yes');
    expect(of(inside, { pid: 1 })).toBe('unknown');
  });

  it('in the namespace of the process with its descendants holds for none of the host, negated or not (as upstream)', () => {
    const inside: PlanPidFilter = { on: 'pid', operator: 'In', values: ['0', '1'], isNamespacePid: true, followForks: true };
    const shim = ran('/shim', { pid: 900, nsPid: null });
    const init = ran('/init', { pid: 901, nsPid: 1 });
    expect(of(inside, { pid: 7, nsPid: null, ancestors: [] })).toBe('no');
    expect(of({ ...inside, operator: 'NotIn' }, { pid: 7, nsPid: null, ancestors: [] })).toBe('no');
    expect(of(inside, { pid: 902, nsPid: 8, ancestors: [init, shim] })).toBe('yes');
    // Executed into the container from outside; to upstream every process has an ancestor 0, and nothing ever matches NotIn 0.
    expect(of({ ...inside, operator: 'NotIn' }, { pid: 903, nsPid: 9, ancestors: [shim] })).toBe('yes');
  });

  it('followForks holds for every descendant, however far: upstream looks at nine', () => {
    const far = Array.from({ length: 30 }, (_, distance) => ran('/x', { pid: 1000 + distance }));
    const forks: PlanPidFilter = { ...first, followForks: true };
    expect(of(forks, { pid: 7, ancestors: [...far, ran('/x', { pid: 42 })] })).toBe('yes');
    expect(of(forks, { pid: 7, ancestors: far })).toBe('no');
    expect(of({ ...forks, operator: 'NotIn' }, { pid: 7, ancestors: far })).toBe('yes');
    expect(of(forks, { pid: 7 })).toBe('unknown');
  });
});

describe('a filter on namespaces and capabilities', () => {
  it('changes are since the last exec, and unknown without one', () => {
    const net: PlanFilter = { on: 'namespaceChange', operator: 'In', namespaces: ['net', 'uts'] };
    const moved = { ...noNamespaces, net: 9 };
    expect(of(net, { namespaces: moved, execNamespaces: noNamespaces })).toBe('yes');
    expect(of(net, { namespaces: { ...noNamespaces, mnt: 9 }, execNamespaces: noNamespaces })).toBe('no');
    expect(of({ ...net, operator: 'NotIn' }, { namespaces: moved, execNamespaces: moved })).toBe('yes');
    expect(of(net, { namespaces: moved })).toBe('unknown');
  });

  it('a capability is a change if it was gained or lost', () => {
    const admin: PlanFilter = { on: 'capabilityChange', set: 'effective', operator: 'In', mask: '6', isNamespaceCapability: false };
    const sets = (effective: bigint) => ({ effective, permitted: 7n, inheritable: 0n });
    expect(of(admin, { capabilities: sets(3n), execCapabilities: sets(1n) })).toBe('yes');
    expect(of(admin, { capabilities: sets(3n), execCapabilities: sets(2n) })).toBe('no');
    expect(of(admin, { capabilities: sets(2n), execCapabilities: sets(2n) })).toBe('no');
    expect(of(admin, { capabilities: sets(0n), execCapabilities: sets(2n) })).toBe('yes');
    expect(of({ ...admin, operator: 'NotIn' }, { capabilities: sets(2n), execCapabilities: sets(3n) })).toBe('yes');
    expect(of(admin, { capabilities: sets(3n) })).toBe('unknown');
    const inNamespace: PlanFilter = { ...admin, isNamespaceCapability: true };
    expect(of(inNamespace, { capabilities: sets(3n), execCapabilities: sets(1n), inHostUserNamespace: true })).toBe('no');
  });

  it('gained compares two sets', () => {
    const gained = (before: ArgValue, after: ArgValue) => answer({ on: 'gained', before: 0, after: 1 }, [], callBy({}, [before, after]));
    expect([gained(int(1n), int(3n)), gained(int(3n), int(1n)), gained(int(1n), { kind: 'unknown' })]).toEqual(['yes', 'no', 'unknown']);
    expect(gained({ kind: 'unknown' }, { kind: 'absent' })).toBe('no');
  });
});

describe('a filter on a number', () => {
  it('compares in the width and sign of the type', () => {
    expect(on({ on: 'range', arg: 0, operator: 'InRange', ranges: [['-128', '-1']] }, int(-5n), 'int8')).toBe('yes');
    const large: PlanFilter = { on: 'range', arg: 0, operator: 'InRange', ranges: [['2147483648', '18446744073709551615']] };
    expect(on(large, int(0xffff_ffff_ffff_fff0n), 'uint64')).toBe('yes');
    expect(on({ on: 'int', arg: 0, operator: 'NotEqual', values: ['255'] }, int(-1n), 'int8')).toBe('yes');
    expect(on({ on: 'mask', arg: 0, mask: '6' }, int(9n), 'int32')).toBe('no');
    expect(on({ on: 'mask', arg: 0, mask: String(2 ** 31) }, int(-1n), 'int32')).toBe('yes');
  });

  it('is unknown for what is no number', () => {
    expect(on({ on: 'int', arg: 0, operator: 'NotEqual', values: ['1'] }, text('1'))).toBe('unknown');
    expect(on({ on: 'mask', arg: 0, mask: '1' }, { kind: 'shown' })).toBe('unknown');
  });
});

describe('a filter on a text', () => {
  it('finds a part, with or without the case of ASCII letters', () => {
    const part: PlanFilter = { on: 'substring', arg: 0, values: ['mine', 'ö'] };
    expect([on(part, text('xmrig-miner')), on(part, text('MINER')), on(part, text('Ö'))]).toEqual(['yes', 'no', 'no']);
    const anyCase: PlanFilter = { ...part, ignoreCase: true };
    expect([on(anyCase, text('MINER')), on(anyCase, text('Ö')), on(anyCase, text('zö'))]).toEqual(['yes', 'no', 'yes']);
  });

  it('knows the type of a file by its mode', () => {
    const pipes: PlanFilter = { on: 'fileType', arg: 0, operator: 'In', values: ['fifo', 'sock'] };
    expect(on(pipes, text('/run/x', { fileMode: 0o140_777 }))).toBe('yes');
    expect(on(pipes, text('/etc/x', { fileMode: 0o100_644 }))).toBe('no');
    expect(on({ ...pipes, operator: 'NotIn' }, text('/etc/x', { fileMode: 0o100_644 }))).toBe('yes');
    expect(on(pipes, text('/etc/x'))).toBe('unknown');
  });

  it('of a text that was cut off the beginning is known, and not the end', () => {
    const cut: ArgValue = { kind: 'bytes', value: Buffer.from('/a/b'), isCut: true };
    const said = (operator: PlanBytesOperator, ...values: readonly string[]) => on({ on: 'bytes', arg: 0, operator, values }, cut);
    expect([said('Prefix', '/a/'), said('NotPrefix', '/a/b'), said('Prefix', '/b')]).toEqual(['yes', 'no', 'no']);
    expect([said('Equal', '/a'), said('NotEqual', '/a'), said('Equal', '/b/c/d')]).toEqual(['no', 'yes', 'no']);
    expect([said('Postfix', 'b'), said('NotPostfix', 'x')]).toEqual(['unknown', 'unknown']);
    expect([said('Equal', '/a/b'), said('NotEqual', '/a/bc', '/c'), said('Prefix', '/a/bc')]).toEqual(['unknown', 'unknown', 'unknown']);
    expect(said('Prefix', '/a/bc', '/a')).toBe('yes');
    const part = (value: string) => on({ on: 'substring', arg: 0, values: [value] }, cut);
    expect([part('a/'), part('x')]).toEqual(['yes', 'unknown']);
  });

  it('of a file descriptor that is not open holds neither way (as upstream)', () => {
    const equal: PlanFilter = { on: 'bytes', arg: 0, operator: 'NotEqual', values: ['/etc/passwd'] };
    expect(on(equal, { kind: 'absent' }, 'fd')).toBe('no');
    expect(on({ ...equal, operator: 'Equal' }, { kind: 'absent' }, 'fd')).toBe('no');
  });
});

describe('a filter on a socket', () => {
  const socket: SocketValue = {
    kind: 'socket',
    family: 2,
    protocol: 6,
    state: 1,
    source: Buffer.from([10, 1, 2, 3]),
    destination: Buffer.from([192, 168, 0, 1]),
    sourcePort: 40_000,
    destinationPort: 443,
  };
  const inside: PlanFilter = { on: 'address', arg: 0, end: 'destination', operator: 'In', values: ['192.168.0.0/16', '::1/128'] };

  it('knows networks', () => {
    expect(on(inside, socket)).toBe('yes');
    expect(on({ ...inside, end: 'source' }, socket)).toBe('no');
    expect(on({ ...inside, operator: 'NotIn', end: 'source' }, socket)).toBe('yes');
    expect(on({ ...inside, values: ['192.168.0.0/31'] }, socket)).toBe('yes');
    expect(on({ ...inside, values: ['192.168.0.2/31'] }, socket)).toBe('no');
    expect(on({ ...inside, values: ['0.0.0.0/0'] }, socket)).toBe('yes');
  });

  it('an address of a family without a value holds neither way (as upstream)', () => {
    const six = { ...socket, family: 10, destination: Buffer.alloc(16, 1) };
    const four: PlanFilter = { ...inside, values: ['10.0.0.0/8'] };
    expect([on(four, six), on({ ...four, operator: 'NotIn' }, six)]).toEqual(['no', 'no']);
    expect([on(inside, six), on({ ...inside, operator: 'NotIn' }, six)]).toEqual(['no', 'yes']);
    const local = { ...socket, family: 1, destination: null };
    expect([on(inside, local), on({ ...inside, operator: 'NotIn' }, local)]).toEqual(['no', 'no']);
  });

  it('knows ports, protocol, family and state', () => {
    const field = (name: 'sourcePort' | 'destinationPort' | 'protocol' | 'family' | 'state', range: readonly [string, string]) =>
      on({ on: 'socket', arg: 0, field: name, operator: 'In', ranges: [range] }, socket);
    expect(field('destinationPort', ['0', '1023'])).toBe('yes');
    expect(field('sourcePort', ['0', '1023'])).toBe('no');
    expect(field('protocol', ['6', '6'])).toBe('yes');
    expect(field('state', ['1', '2'])).toBe('yes');
    expect(field('family', ['10', '10'])).toBe('no');
  });

  it('the family of a unix address is AF_UNIX unless it says another', () => {
    const unix: PlanFilter = { on: 'socket', arg: 0, field: 'family', operator: 'In', ranges: [['1', '1']] };
    expect([on(unix, text('/run/x')), on(unix, text('/run/x', { family: 2 })), on(unix, int(1n))]).toEqual(['yes', 'no', 'unknown']);
  });
});
