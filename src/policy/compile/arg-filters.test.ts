import { describe, expect, it } from 'vitest';
import type { ArgTypeName } from '../schema/arguments.ts';
import { type Given, compileWith, filterOf, linesOf } from './testing/filters.ts';

describe('numbers', () => {
  it('are compared in the width and sign of their type, also where upstream compares size_t as int and int8 as unsigned', () => {
    expect(filterOf('size_t', 'Equal', ['18446744073709551615'])).toMatchObject({ values: ['18446744073709551615'] });
    expect(linesOf('size_t', 'Equal', ['-1'])).toEqual(['f.values[0]: "-1" never matches type "size_t"; from 0 to 18446744073709551615']);
    expect(filterOf('int8', 'LT', ['0'])).toEqual({ on: 'range', arg: 0, operator: 'InRange', ranges: [['-128', '-1']] });
    expect(filterOf('size_t', 'GT', ['0x7fffffff'])).toMatchObject({ ranges: [['2147483648', '18446744073709551615']] });
  });

  it('GT and LT with several values hold if one does, so the widest wins', () => {
    expect(filterOf('uint8', 'GT', ['10', '250'])).toMatchObject({ ranges: [['11', '255']] });
    expect(filterOf('uint8', 'LessThan', ['10', '250'])).toMatchObject({ ranges: [['0', '249']] });
    expect(filterOf('uint8', 'GT', ['254'])).toEqual({ on: 'int', arg: 0, operator: 'Equal', values: ['255'] });
    expect(linesOf('uint8', 'GT', ['255'])[0]).toMatch(/never matches: no number of type "uint8" is greater/);
    expect(linesOf('uint8', 'LT', ['0'])[0]).toMatch(/is less/);
  });

  it('ranges are merged, and single numbers are a set', () => {
    expect(filterOf('int', 'InRange', ['5:9', '-3:-1', '0:4', '0x20:0x20'])).toEqual({
      on: 'range',
      arg: 0,
      operator: 'InRange',
      ranges: [
        ['-3', '9'],
        ['32', '32'],
      ],
    });
    expect(filterOf('int', 'NotInRange', ['5:5', '1:1'])).toEqual({ on: 'int', arg: 0, operator: 'NotEqual', values: ['1', '5'] });
    expect(filterOf('uint16', 'InMap', ['80', '443', '8000:8002'])).toMatchObject({ ranges: expect.arrayContaining([['8000', '8002']]) });
    expect(filterOf('uint16', 'NotInMap', ['80', '443'])).toMatchObject({ on: 'int', operator: 'NotEqual', values: ['80', '443'] });
  });

  it.each([
    ['InRange', '5', 'f.values[0]: "5" is no range; write "5:5"'],
    ['InRange', ':5', 'f.values[0]: ":5" is no range; write "min:max"'],
    ['InRange', '9:5', 'f.values[0]: "9:5" never matches: its end is less than its beginning; write "5:9"'],
    ['InRange', '0:4294967295', 'f.values[0]: "4294967295" never matches type "int"; from -2147483648 to 2147483647'],
    ['InMap', '010', 'f.values[0]: "010" begins with 0, which is read in two ways; write it without the 0, or as 0o…'],
    ['Equal', 'x', 'f.values[0]: "x" is not a number, and the argument has type "int"'],
    ['Mask', '0', 'f.values[0]: "0" never matches: the mask has no bit'],
    ['NotInRange', '-2147483648:2147483647', 'f.values: never matches: the ranges cover every value'],
    ['InRange', '-2147483648:2147483647', 'f.values: always matches: the ranges cover every value; remove the filter'],
  ] as const)('%s %s is told what is wrong', (operator, value, line) => {
    expect(linesOf('int', operator, [value])).toEqual([line]);
  });

  it('masks are merged, and are patterns of bits also for signed types', () => {
    expect(filterOf('int', 'Mask', ['0x80000000', '1', '-2147483648'])).toEqual({ on: 'mask', arg: 0, mask: String(0x8000_0001) });
    expect(linesOf('int', 'Mask', ['0x100000000'])).toHaveLength(1);
    expect(filterOf('uint64', 'Mask', ['0xffffffffffffffff'])).toMatchObject({ mask: String((1n << 64n) - 1n) });
  });

  it('more than four values are no problem', () => {
    expect(filterOf('int', 'Equal', ['1', '2', '3', '4', '5', '0x5'])).toMatchObject({ values: ['1', '2', '3', '4', '5'] });
  });

  it('ids of system calls are compared with the calls of a list, by name: their numbers depend on the machine', () => {
    expect(filterOf('syscall64', 'InMap', ['list:dups', '0x20'])).toEqual({
      on: 'int',
      arg: 0,
      operator: 'Equal',
      values: ['32', 'i386/sys_dup', 'sys_dup'],
    });
    expect(linesOf('uint64', 'InMap', ['list:dups'])[0]).toMatch(/declare the argument as "type: syscall64"/);
    expect(linesOf('syscall64', 'InMap', ['list:functions'])[0]).toMatch(/set "type: syscalls"/);
    expect(linesOf('syscall64', 'InMap', ['list:dusp'])[0]).toMatch(/did you mean "dups"/);
    expect(linesOf('syscall64', 'InMap', ['list:dups', '1:2'])[0]).toMatch(/cannot be in one filter/);
  });

  it('a capability can be named', () => {
    expect(filterOf('capability', 'Equal', ['CAP_SYS_ADMIN', '0'])).toMatchObject({ values: ['0', '21'] });
  });

  it('of an argument whose type comes from the kernel are numbers if all values are', () => {
    expect(filterOf('auto', 'Equal', ['1', '0x2'])).toMatchObject({ on: 'int', values: ['1', '2'] });
    expect(filterOf('auto', 'Equal', ['1', 'two'])).toMatchObject({ on: 'bytes', values: ['1', 'two'] });
  });
});

describe('sets of capabilities', () => {
  it('are numbers or names with commas, in any case', () => {
    expect(filterOf('cap_effective', 'Mask', ['CAP_CHOWN, cap_sys_admin', '0x2'])).toMatchObject({ mask: String((1 << 21) | 3) });
    expect(filterOf('kernel_cap_t', 'Equal', ['CAP_CHOWN,DAC_OVERRIDE', '0'])).toMatchObject({ on: 'int', values: ['0', '3'] });
    expect(linesOf('kernel_cap_t', 'Equal', ['SYS_ADMIN'])[0]).toMatch(/did you mean "CAP_SYS_ADMIN"/);
  });

  it('CapabilitiesGained compares the old set with the new one', () => {
    const gained = (given: Omit<Given, 'operator'>, types: readonly ArgTypeName[] = ['kernel_cap_t', 'cap_effective']) =>
      compileWith(types, { operator: 'CapabilitiesGained', ...given });
    expect(gained({ args: [1, 0] }).filter).toEqual({ on: 'gained', before: 1, after: 0 });
    expect(gained({ args: [0] }).lines).toEqual(['f.args: CapabilitiesGained compares two arguments; args: [OLD, NEW]']);
    expect(gained({ args: [0, 1], values: ['1'] }).problems).toMatchObject([{ code: 'UselessField', severity: 'warning' }]);
    expect(gained({ args: [0, 1] }, ['kernel_cap_t', 'int']).problems).toMatchObject([{ code: 'OperatorTypeMismatch' }]);
  });

  it('all other operators compare one argument', () => {
    expect(compileWith(['int', 'int'], { operator: 'Equal', args: [0, 1], values: ['1'] }).lines).toEqual([
      'f.args: Equal compares one argument, not 2; write one filter for each',
    ]);
  });
});

describe('texts', () => {
  it('end at their NUL, except the bytes of a buffer', () => {
    expect(filterOf('string', 'Equal', ['abc\0\0'])).toMatchObject({ values: ['abc'] });
    expect(filterOf('char_buf', 'Equal', ['a\0b\0'])).toMatchObject({ values: ['a\0b\0'] });
    expect(linesOf('string', 'Equal', ['a\0b'])[0]).toMatch(/never matches/);
    expect(linesOf('string', 'Prefix', ['a\0'])[0]).toMatch(/never matches/);
  });

  it('are bounded', () => {
    expect(filterOf('file', 'Equal', [`/${'x'.repeat(4095)}`])).toBeDefined();
    expect(linesOf('file', 'Equal', [`/${'x'.repeat(4096)}`])).toEqual(['f.values[0]: 4097 bytes is too long for Equal; at most 4096']);
    expect(linesOf('file', 'Postfix', ['x'.repeat(249)])).toEqual(['f.values[0]: 249 bytes is too long for Postfix; at most 248']);
    expect(linesOf('string', 'SubString', ['x'.repeat(256)])).toEqual(['f.values[0]: 256 bytes is too long for SubString; at most 255']);
    expect(linesOf('net_device', 'Equal', ['a-name-that-is-long'])[0]).toMatch(/at most 15 bytes/);
  });

  it('types of files have aliases', () => {
    expect(filterOf('file', 'FileType', ['pipe', 'regular', 'reg', 'socket'])).toEqual({
      on: 'fileType',
      arg: 0,
      operator: 'In',
      values: ['fifo', 'reg', 'sock'],
    });
    expect(linesOf('path', 'NotFileType', ['REG'])).toEqual(['f.values[0]: "REG" is no type of a file; write "reg"']);
    expect(linesOf('path', 'FileType', ['sokcet'])[0]).toMatch(/did you mean "socket"/);
    expect(linesOf('path', 'NotFileType', ['sock', 'lnk', 'reg', 'blk', 'dir', 'chr', 'fifo'])[0]).toMatch(/never matches/);
  });
});

describe('sockets', () => {
  it('addresses are networks in one spelling, IPv4 first', () => {
    const values = ['2001:DB8:0::/32', '10.0.0.1', '10.0.0.0/8', '::ffff:10.0.0.1', '::1', '2001:db8::/32'];
    expect(filterOf('sock', 'DAddr', values)).toEqual({
      on: 'address',
      arg: 0,
      end: 'destination',
      operator: 'In',
      values: ['10.0.0.0/8', '10.0.0.1/32', '::1/128', '2001:db8::/32'],
    });
  });

  it('bits behind the length are cleared with a warning', () => {
    const { filter, lines, problems } = compileWith(['skb'], { operator: 'NotSAddr', values: ['10.1.2.3/8'] });
    expect(filter).toMatchObject({ end: 'source', operator: 'NotIn', values: ['10.0.0.0/8'] });
    expect(lines).toEqual(['f.values[0]: "10.1.2.3/8" has bits behind its length, which say nothing; it is 10.0.0.0/8']);
    expect(problems[0]?.severity).toBe('warning');
  });

  it.each([
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '1.2.3.4/33',
    '::/129',
    '1::2::3',
    'fe80::1%eth0',
    ':',
    '1.2.3.4/',
    'localhost',
    '1:2:3:4:5:6:7:8::',
  ])('%s is no address', (value) => {
    expect(linesOf('sock', 'DAddr', [value])[0]).toMatch(/is no IP address and no network; for example 10\.0\.0\.1/);
  });

  it('ports are numbers and ranges in either order, and those below 1024 have a name', () => {
    expect(filterOf('sock', 'DPort', ['443', '80', '8000:8100', '79'])).toEqual({
      on: 'socket',
      arg: 0,
      field: 'destinationPort',
      operator: 'In',
      ranges: [
        ['79', '80'],
        ['443', '443'],
        ['8000', '8100'],
      ],
    });
    expect(compileWith(['sock'], { operator: 'SPort', values: ['9:5'] })).toMatchObject({
      filter: { field: 'sourcePort', ranges: [['5', '9']] },
      lines: ['f.values[0]: "9:5" has its end first; it is taken for "5:9"'],
    });
    expect(filterOf('sockaddr', 'NotSportPriv')).toEqual({
      on: 'socket',
      arg: 0,
      field: 'sourcePort',
      operator: 'NotIn',
      ranges: [['0', '1023']],
    });
    expect(compileWith(['sock'], { operator: 'DPortPriv', values: ['80'] }).problems).toMatchObject([{ code: 'UselessField' }]);
    expect(linesOf('sock', 'DPort', ['65536'])).toEqual(['f.values[0]: 65536 is not a port; from 0 to 65535']);
    expect(linesOf('sock', 'DPort', ['https'])).toEqual(['f.values[0]: "https" is not a port; a number, or two with ":" between them']);
  });

  it('protocols, families and states have names, and near ones are suggested', () => {
    expect(filterOf('sock', 'Protocol', ['IPPROTO_UDP', '6'])).toMatchObject({
      field: 'protocol',
      ranges: [
        ['6', '6'],
        ['17', '17'],
      ],
    });
    expect(filterOf('sockaddr_un', 'Family', ['AF_UNIX'])).toMatchObject({ field: 'family', ranges: [['1', '1']] });
    expect(filterOf('socket', 'State', ['TCP_SYN_RECV', 'TCP_LISTEN'])).toMatchObject({ field: 'state' });
    expect(linesOf('sock', 'Protocol', ['TCP'])).toEqual(['f.values[0]: "TCP" is not an IP protocol; did you mean "IPPROTO_TCP"?']);
    expect(linesOf('sock', 'Family', ['af_inet'])).toEqual(['f.values[0]: "af_inet" is not an address family; did you mean "AF_INET"?']);
    expect(linesOf('sock', 'State', ['TCP_ESTABLISHD'])[0]).toMatch(/did you mean "TCP_ESTABLISHED"/);
  });
});
