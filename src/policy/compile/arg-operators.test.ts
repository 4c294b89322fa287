import { describe, expect, it } from 'vitest';
import { ARG_TYPES, type ArgTypeName } from '../schema/arguments.ts';
import { ARG_OPERATORS, type ArgOperatorName } from '../schema/selectors.ts';
import { compileWith, filterOf, linesOf } from './testing/filters.ts';

const INTEGERS: ReadonlySet<ArgTypeName> = new Set<ArgTypeName>([
  'int',
  'sint8',
  'int8',
  'uint8',
  'sint16',
  'int16',
  'uint16',
  'uint32',
  'sint32',
  'int32',
  'ulong',
  'uint64',
  'size_t',
  'long',
  'sint64',
  'int64',
  'capability',
  'syscall64',
  'bpf_cmd',
]);
const SETS: ReadonlySet<ArgTypeName> = new Set<ArgTypeName>(['kernel_cap_t', 'cap_inheritable', 'cap_permitted', 'cap_effective']);
const TEXTS: ReadonlySet<ArgTypeName> = new Set<ArgTypeName>([
  'char_buf',
  'char_iovec',
  'sockaddr_un',
  'string',
  'fd',
  'file',
  'filename',
  'path',
  'kiocb',
  'iov_iter',
  'linux_binprm',
  'data_loc',
  'net_device',
  'dentry',
]);
const SOCKETS: ReadonlySet<ArgTypeName> = new Set<ArgTypeName>(['sock', 'socket', 'skb', 'sockaddr']);

/** The language as a table, written from the reference and not from the code. */
function fits(type: ArgTypeName, operator: ArgOperatorName): boolean {
  const isNumber = INTEGERS.has(type) || type === 'auto';
  const isText = TEXTS.has(type) || type === 'auto';
  switch (operator) {
    case 'Equal':
    case 'NotEqual':
    case 'In':
    case 'NotIn':
      return isNumber || isText || SETS.has(type);
    case 'Mask':
      return isNumber || SETS.has(type);
    case 'GreaterThan':
    case 'LessThan':
    case 'GT':
    case 'LT':
    case 'InRange':
    case 'NotInRange':
    case 'InMap':
    case 'NotInMap':
      return isNumber;
    case 'Prefix':
    case 'NotPrefix':
    case 'Postfix':
    case 'NotPostfix':
    case 'SubString':
    case 'SubStringIgnCase':
      return isText;
    case 'FileType':
    case 'NotFileType':
      return type === 'file' || type === 'path';
    case 'SAddr':
    case 'NotSAddr':
    case 'SPort':
    case 'NotSPort':
    case 'SPortPriv':
    case 'NotSportPriv':
      return SOCKETS.has(type);
    case 'Family':
      return SOCKETS.has(type) || type === 'sockaddr_un';
    case 'DAddr':
    case 'NotDAddr':
    case 'DPort':
    case 'NotDPort':
    case 'DPortPriv':
    case 'NotDPortPriv':
    case 'Protocol':
      return SOCKETS.has(type) && type !== 'sockaddr';
    case 'State':
      return type === 'sock' || type === 'socket';
    case 'CapabilitiesGained':
      return SETS.has(type);
    case 'CelExpr':
      return INTEGERS.has(type);
  }
}

/** Values that every type takes which the operator fits. */
function valuesFor(operator: ArgOperatorName): string[] {
  switch (operator) {
    case 'InRange':
    case 'NotInRange':
      return ['1:2'];
    case 'SAddr':
    case 'NotSAddr':
    case 'DAddr':
    case 'NotDAddr':
      return ['10.0.0.0/8'];
    case 'FileType':
    case 'NotFileType':
      return ['reg'];
    case 'SPortPriv':
    case 'NotSportPriv':
    case 'DPortPriv':
    case 'NotDPortPriv':
    case 'CapabilitiesGained':
      return [];
    case 'CelExpr':
      return ['arg0 == arg0'];
    default:
      return ['1'];
  }
}

describe('operators and types', () => {
  it.each(ARG_TYPES)('%s takes the operators that can hold for it, and refuses all others with those that fit', (type) => {
    for (const operator of ARG_OPERATORS) {
      const args = operator === 'CapabilitiesGained' ? { args: [0, 1] } : {};
      const { filter, problems } = compileWith([type, type], { operator, values: valuesFor(operator), ...args });
      if (fits(type, operator)) {
        expect([type, operator, problems], `${type} ${operator}`).toEqual([type, operator, []]);
        expect(filter, `${type} ${operator}`).toBeDefined();
      } else {
        const code = operator === 'CelExpr' ? 'BadExpression' : 'OperatorTypeMismatch';
        expect(problems, `${type} ${operator}`).toEqual([expect.objectContaining({ code, severity: 'error' })]);
        expect(filter).toBeUndefined();
      }
    }
  });

  it('Prefix on a cred always matches upstream: here it is refused', () => {
    expect(linesOf('cred', 'Prefix', ['x'])).toEqual([
      'f.operator: Prefix never matches type "cred"; filters cannot compare values of this type: filter on another argument',
    ]);
  });

  it('Prefix on a filename always matches upstream: here it compares', () => {
    expect(filterOf('filename', 'Prefix', ['/etc/'])).toEqual({ on: 'bytes', arg: 0, operator: 'Prefix', values: ['/etc/'] });
  });

  it('Prefix on an integer never matches upstream: here it is refused', () => {
    expect(linesOf('int', 'Prefix', ['1'])[0]).toMatch(/^f\.operator: Prefix never matches type "int"; use Equal, NotEqual/);
  });

  it('SubString in a kprobe never matches upstream: here it compares', () => {
    expect(filterOf('string', 'SubString', ['b', 'a'])).toEqual({ on: 'substring', arg: 0, values: ['a', 'b'] });
    expect(filterOf('string', 'SubStringIgnCase', ['Ab', 'aB', 'Ä'])).toEqual({
      on: 'substring',
      arg: 0,
      ignoreCase: true,
      values: ['ab', 'Ä'],
    });
  });

  it('State of a packet and both ends of an address never match upstream: here they are refused', () => {
    expect(linesOf('skb', 'State', ['TCP_LISTEN'])[0]).toMatch(/State never matches type "skb"/);
    expect(linesOf('sockaddr', 'DAddr', ['10.0.0.1'])[0]).toMatch(/DAddr never matches type "sockaddr"; use SAddr/);
  });
});
